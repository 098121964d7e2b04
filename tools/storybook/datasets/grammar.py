"""Templates, slots and splits: what the four data sets are drawn with.

A **template** is a sentence pattern with `{slot}` marks, a **combination** is the set of values that fill
it. Each split has templates of its own, and `draw` gives each combination to one split, so that nothing but
words is shared. Randomness comes from `random.Random.random` alone, whose stream is fixed for a seed in
every Python.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

#: Rows of each split of every set.
SIZES = {"train": 2000, "validation": 400, "test": 400}

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Example:
    """One row of a set, with the template and the slot values that made it."""

    row: dict
    template: str
    values: tuple[str, ...]

    @property
    def combination(self) -> frozenset[str]:
        return frozenset(self.values)


class Dice:
    """A seeded source of choices."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def below(self, n: int) -> int:
        return int(self._random.random() * n)

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def some(self, items: Sequence[T], n: int) -> list[T]:
        """`n` different items, in random order."""
        rest = list(items)
        return [rest.pop(self.below(len(rest))) for _ in range(n)]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        return self.some(items, len(items))


@dataclass
class Filling:
    """The slots that were filled so far: how a template becomes a text and a combination."""

    dice: Dice
    lexicon: Mapping[str, Sequence[str]]
    chosen: dict[str, str] = field(default_factory=dict)

    def fill(self, template: str) -> str:
        """The template with each `{slot}` replaced; `{town2}` is a second, different draw from `town`."""
        return _SLOT.sub(lambda mark: self._value(mark[1]), template)

    def _value(self, slot: str) -> str:
        if slot not in self.chosen:
            taken = set(self.chosen.values())
            options = [v for v in self.lexicon[slot.rstrip("0123456789")] if v not in taken]
            self.chosen[slot] = self.dice.pick(options)
        return self.chosen[slot]

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(sorted(self.chosen.values()))


def sentence(text: str) -> str:
    """Capital letters at the start of sentences, `a(n)` resolved, spaces mended."""
    text = re.sub(r"\b([Aa])\(n\) (?=[aeiouAEIOU])", r"\1n ", text)
    text = re.sub(r"\b([Aa])\(n\) ", r"\1 ", text)
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"(^|[.!?] )([a-z])", lambda m: m[1] + m[2].upper(), text)


def owner(combination: frozenset[str]) -> str:
    """The one split that may use a combination, by its checksum; each split owns a third of them."""
    return list(SIZES)[zlib.crc32("|".join(sorted(combination)).encode()) % len(SIZES)]


def draw(
    name: str, make: Callable[[Dice, str, str], Example], labels: Sequence[str] = ("",)
) -> dict[str, list[Example]]:
    """`SIZES` examples a split by `make(dice, split, label)`: labels in equal shares, no input twice, each
    combination in the split that owns it. Raises ValueError where a split cannot be filled."""
    seen: set[str] = set()
    splits: dict[str, list[Example]] = {}
    for split, size in SIZES.items():
        dice = Dice(f"peft-lab {name} {split}")
        examples: list[Example] = []
        for _ in range(100 * size):
            if len(examples) == size:
                break
            example = make(dice, split, labels[len(examples) % len(labels)])
            text = next(iter(example.row.values()))
            if text in seen or (example.values and owner(example.combination) != split):
                continue
            seen.add(text)
            examples.append(example)
        if len(examples) < size:
            raise ValueError(f"{name}/{split}: only {len(examples)} different examples can be made")
        splits[split] = dice.shuffled(examples)
    return splits
