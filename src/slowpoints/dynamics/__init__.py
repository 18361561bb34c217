"""Autonomous dynamics of trained networks and any other map: slow points and their Jacobians."""
