"""Samples of rows that stand for all of them.

The first rows of a file say little about the rest: many files are sorted by their labels. A sample is drawn with a
fixed seed instead, which is not the plan's: a base, every member of a comparison and all of its seeds are scored on
the same rows, so that their differences are differences between models and not between rows.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

#: The seed of every sample.
SEED = 0


class Labelled(Protocol):
    """What can be drawn by its label: an example with its target."""

    @property
    def target(self) -> str: ...


Item = TypeVar("Item", bound=Labelled)


def sample(examples: Sequence[Item], count: int, by_label: bool, every_label: bool = False) -> tuple[Item, ...]:
    """`count` examples (all of them, if there are no more) in an order of which each beginning is a sample too.

    `by_label` stratifies: every label has its share of any beginning, to the nearest row. With `every_label` each
    label comes once before any comes twice, so that training rows lack none of them.
    """
    order = list(examples)
    random.Random(SEED).shuffle(order)
    if by_label:
        sizes = Counter(item.target for item in order)
        seen: Counter[str] = Counter()
        first = 0.0 if every_label else 0.5

        def share(item: Item) -> float:
            """How much of the label's rows comes up to this one."""
            seen[item.target] += 1
            return (seen[item.target] - 1 + first) / sizes[item.target]

        order.sort(key=share)
    return tuple(order[:count])


def some(rows: Sequence[Any], count: int) -> Sequence[Any]:
    """At most `count` of the rows, from the whole of them, in their order."""
    if len(rows) <= count:
        return rows
    return [rows[place] for place in sorted(random.Random(SEED).sample(range(len(rows)), count))]


def describe(by_label: bool) -> str:
    """How `sample` draws, in a few words."""
    return f"stratified by label, seed {SEED}" if by_label else f"drawn with seed {SEED}"
