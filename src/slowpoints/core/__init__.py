"""What every storey stands on: files, tables and their schemas, provenance, random streams, devices, presets, paths."""
