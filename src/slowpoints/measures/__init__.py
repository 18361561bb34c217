"""What is measured of trained networks: memory, slow points, their formation, and states to draw."""
