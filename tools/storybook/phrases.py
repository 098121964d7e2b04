"""How the facts of the world are asked, answered and told: for every kind of fact its phrases, from `phrases.txt`.

In the file a kind begins with its name in brackets; a line that begins with = is an answer, with - a statement,
any other a question. In a phrase `{s}` is the subject and `{v}` the value; facts about people also give
`{they} {them} {their} {thing} {pet}`. An answer uses nothing that the question did not name, except the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Phrases:
    """Questions, answers in whole sentences, and statements for prose."""

    questions: tuple[str, ...]
    answers: tuple[str, ...]
    statements: tuple[str, ...]


def _read(text: str) -> dict[str, Phrases]:
    kinds = {}
    for block in text.strip().split("\n\n"):
        name, *lines = block.splitlines()
        kinds[name.strip("[]")] = Phrases(
            tuple(line for line in lines if line[0] not in "=-"),
            tuple(line[2:] for line in lines if line[0] == "="),
            tuple(line[2:] for line in lines if line[0] == "-"),
        )
    return kinds


KINDS: dict[str, Phrases] = _read(Path(__file__).with_name("phrases.txt").read_text(encoding="utf-8"))
