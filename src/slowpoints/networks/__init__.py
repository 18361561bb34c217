"""Ensembles of recurrent networks: units, front end, the recurrence over frames, weights, roll-outs."""
