"""Columns, types and key of every table, a module for each stage that makes some: a new column reruns that stage."""
