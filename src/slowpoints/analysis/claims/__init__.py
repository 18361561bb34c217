"""The paper's claims and our own, each tested on what was measured: a module a group of claims, judged in `judge`."""

TITLES = {
    "C1": "protocols reach similar nominal accuracy",
    "C2": "protocols differ in extrapolation",
    "C3": "the speed of slow points predicts extrapolation",
    "C4": "penalising speed prolongs memory",
    "C5": "protocols differ in how slow points form",
    "C6": "penalised at settled states, memory lasts longest, at no loss",
}
