"""The lowest layer, used by all others: files, tables, schemas, provenance, random streams, devices, presets, paths."""
