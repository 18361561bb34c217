"""What follows from tables: memory scores, tables over the grid, correlations, tests of the claims."""
