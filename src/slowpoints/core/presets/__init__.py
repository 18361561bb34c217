"""Presets, typed: what a data set's networks are, how they train and how they are measured, a module a section.

A field is a key: its type, description, bounds and default stand there and nowhere else. The schema for editors and
config/README.md are written from them (docs/config_page.py). Jobs import the sections that they use, so a new key
reruns only what reads its section.
"""
