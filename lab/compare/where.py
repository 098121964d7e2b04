"""Where each method changed the base: the size of ΔW, layer by layer, and how many directions it has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lab.errors import LabError
from lab.runs import Runs


@dataclass(frozen=True)
class Change:
    """One arm's update. `size` is ‖ΔW‖ / ‖W‖ (Frobenius) for each layer, `spectrum` the singular values of the ΔW
    that changed most (`module`), the largest first."""

    arm: str
    method: str
    size: dict[int, float]
    module: str
    spectrum: tuple[float, ...]


def changes(runs: Sequence[tuple[str, str, str]], store: Runs) -> list[Change]:
    """The updates of (arm, method, run). Arms that leave the base's matrices as they are, or whose run is gone, are
    left out."""
    found = []
    for arm, method, run in runs:
        try:
            made = _change(arm, method, run, store)
        except LabError:
            continue
        if made.module and any(made.size.values()):
            found.append(made)
    return found


def _change(arm: str, method: str, run: str, store: Runs) -> Change:
    from lab.insight.spectrum import spectrum
    from lab.insight.weights import update

    made = update(store.get(run))
    moved: dict[int, list[float]] = {}
    largest, module = -1.0, ""
    for name in made.modules:
        number = re.search(r"\.(\d+)\.", f".{name}.")
        before, delta = float(made.matrix(name).norm()), float(made.delta(name).norm())
        sums = moved.setdefault(int(number.group(1)) if number else 0, [0.0, 0.0])
        sums[0] += delta**2
        sums[1] += before**2
        if before and delta / before > largest:
            largest, module = delta / before, name
    size = {layer: (delta / before) ** 0.5 for layer, (delta, before) in sorted(moved.items()) if before}
    return Change(arm, method, size, module, tuple(spectrum(made.delta(module)).values) if module else ())
