"""Recurrences on a CPU, compiled by Numba: all frames of one network after another, its data in cache.

Between the matrix products of a frame PyTorch passes over its arrays some thirty times, here it is once or twice.
float32 only. A module for each unit with `Unit.kernels`.
"""
