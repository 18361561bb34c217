"""Analysis of tables: memory scores, tables over the grid, correlations, and tests of the claims."""
