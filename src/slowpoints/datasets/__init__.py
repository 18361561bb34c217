"""Data sets: from a source (embedded, generated, or files of a known kind) to train, valid and test images."""
