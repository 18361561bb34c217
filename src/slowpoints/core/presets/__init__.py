"""Presets, typed: what a data set's networks are, how they train and how they are measured, a module a section.

workflow/schemas/config.schema.yaml says of each key what it means, its bounds and its default; a test holds the two
together. `study.read_study` checks a configuration and fills defaults in before any of these is made. Jobs import the
sections that they use, so a new key reruns only what reads its section.
"""
