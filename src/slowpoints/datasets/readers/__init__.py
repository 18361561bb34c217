"""Readers of sources, a module for each kind."""
