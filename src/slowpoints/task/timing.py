"""Frames of a trial: Haviv, Rivkind & Barak (2019), section 2, and the authors' released code."""

FRAMES = 20
"""Frames of a trial, T."""
MIN_DELAY = 4
"""Fewest frames between the image and the report."""
