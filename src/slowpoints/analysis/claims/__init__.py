"""The paper's claims and our own, one module each: what it says, how it is tested, and how its outcome is reported.

A module in this folder that defines a `Claim` adds it to every study: to tables, figures, reports and summaries. Since
modules are discovered rather than imported by name, rules add them to their digests (`workflow/rules/digests.smk`).
"""

from __future__ import annotations

import functools
from importlib import import_module
from pkgutil import iter_modules

from slowpoints.analysis.claims.claim import Claim


@functools.cache
def all_claims() -> dict[str, Claim]:
    """Every claim by name, in the order of their numbers.

    Raises:
        ValueError: naming the module, if two claims have the same name.
    """
    claims: dict[str, Claim] = {}
    for module in sorted(module.name for module in iter_modules(__path__)):
        for claim in vars(import_module(f"{__name__}.{module}")).values():
            if isinstance(claim, Claim) and claims.setdefault(claim.name, claim) is not claim:
                raise ValueError(f"{__name__}.{module}: there is another claim {claim.name!r}; each needs its own name")
    return dict(sorted(claims.items(), key=lambda item: (len(item[0]), item[0])))
