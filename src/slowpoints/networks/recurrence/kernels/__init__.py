"""Recurrences on a CPU, compiled by Numba: all frames of one network after another, its numbers warm in cache.

Between the products of a frame PyTorch goes over its arrays some thirty times, a call each; here it is once or twice.
float32 only. A module for each unit that has them, `Unit.kernels`.
"""
