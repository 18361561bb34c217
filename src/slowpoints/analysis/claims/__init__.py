"""The paper's claims and our own, each tested on what was measured: a module a group of claims, judged in `judge`."""
