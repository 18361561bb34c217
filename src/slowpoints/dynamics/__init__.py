"""Autonomous dynamics of trained networks and any other map: slow points, and the Jacobian there."""
