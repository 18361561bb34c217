"""Slow points of networks that were trained elsewhere."""
