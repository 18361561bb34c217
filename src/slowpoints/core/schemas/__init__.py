"""Columns, types and key of every table, with a module for each stage, so that a new column reruns only its stage."""
