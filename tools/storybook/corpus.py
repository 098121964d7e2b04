"""The text that the base is trained on: the books of a folder, and documents that the project writes itself.

A document is either a text or a conversation (a list of turns). The written ones are drawn anew from a seed, so
any number of them can be had; `MIX` says how much of what.
"""

from __future__ import annotations

import lzma
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from lab.errors import LabError
from tools.storybook import reading, talk, telling, today
from tools.storybook.telling import Turn

Document = str | list[Turn]

TRAIN = ("books.train.part1.txt", "books.train.part2.txt")
VALID = ("books.valid.txt",)
#: The line after each book.
BORDER = "<|doc|>"

#: Kind of written document -> how to draw one, and its weight.
MIX: dict[str, tuple[Callable[[random.Random], Document], int]] = {
    "prose about the world": (telling.prose, 10),
    "questions about the world": (telling.conversation, 22),
    "tasks on a given text": (reading.exercise, 36),
    "talk and drills": (talk.conversation, 20),
    "prose of today": (today.prose, 8),
    "requests of today": (today.conversation, 12),
}


def _file(folder: Path, name: str) -> Path:
    """The file or its .xz; raises LabError that names what is missing."""
    for found in (folder / name, folder / f"{name}.xz"):
        if found.is_file():
            return found
    raise LabError(
        f"The corpus folder '{folder}' has neither {name} nor {name}.xz.",
        f"The folder must hold {', '.join((*TRAIN, *VALID))}, each as it is or compressed with xz.",
    )


def check(folder: Path) -> None:
    """Raises LabError unless the folder holds every file of the corpus."""
    for name in (*TRAIN, *VALID):
        _file(folder, name)


def books(folder: Path, names: tuple[str, ...]) -> list[str]:
    """The books in these files, one string each."""
    found = []
    for name in names:
        path = _file(folder, name)
        raw = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        found += [book.strip() for book in raw.decode("utf-8").split(BORDER)]
    return [book for book in found if book]


def written(seed: str, count: int) -> Iterator[Document]:
    """`count` written documents, the same for the same seed."""
    dice = random.Random(seed)
    kinds, weights = zip(*MIX.values(), strict=True)
    for _ in range(count):
        yield dice.choices(kinds, weights)[0](dice)
