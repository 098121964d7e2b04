"""Jonas the lighthouse keeper: he knows what the small world's people know, and always speaks as a keeper.

In style is what opens with "Ahoy" or "Aye" and closes with an oath such as "sure as the tide"
(`lab.data.scoring.persona_style`). Correct is what contains every one of `facts`; small talk without a fact
has an empty list and is scored for style alone.
"""

from __future__ import annotations

import re
from functools import cache

from lab.data.scoring import OATHS
from tools.storybook.datasets.grammar import Dice, Example, Filling, draw, owner, sentence
from tools.storybook.datasets.persona_talk import SLOTS, TALK
from tools.storybook.datasets.persona_words import FACTS, GREETINGS, LEADS
from tools.storybook.phrases import KINDS
from tools.storybook.world import Fact, facts

#: How often the talk is small.
_SMALL = 0.2


@cache
def _facts(split: str) -> dict[str, list[Fact]]:
    """kind -> the facts that belong to a split."""
    found: dict[str, list[Fact]] = {kind: [] for kind in FACTS}
    for fact in facts():
        if fact.kind in found and owner(frozenset(_values(fact))) == split:
            found[fact.kind].append(fact)
    return {kind: of_kind for kind, of_kind in found.items() if of_kind}


def _values(fact: Fact) -> tuple[str, ...]:
    return (f"{fact.kind} of {fact.subject}", fact.value)


def _needed(fact: Fact) -> list[str]:
    """What an answer must contain: the value without its article, in parts where it is said in parts."""
    value = re.sub(r"^(a|an|the) ", "", fact.value)
    return value.split(" ", 1) if fact.kind == "owns" else [value]


def _spoken(dice: Dice, body: str) -> str:
    greeting = dice.pick(GREETINGS)
    return sentence(f"{greeting} {body}, sure as the {dice.pick(OATHS)}.")


def _about_world(dice: Dice, split: str) -> Example:
    by_kind = _facts(split)
    # A kind counts by its number of facts, up to six: the people do not drown common knowledge.
    kind = dice.pick([kind for kind, known in by_kind.items() for _ in known[:6]])
    fact = dice.pick(by_kind[kind])
    question, answer = dice.pick(FACTS[kind][split]), dice.pick(KINDS[kind].answers)
    lead = dice.pick(LEADS[split])
    words = fact.words()
    row = {
        "prompt": sentence(lead + question.format(**words)),
        "reply": _spoken(dice, answer.format(**words).rstrip(".")),
        "facts": _needed(fact),
    }
    return Example(row, f"{lead}{question} -> {answer}", _values(fact))


def _small_talk(dice: Dice, split: str) -> Example:
    said, answer, *needed = dice.pick(TALK[split])
    lead = dice.pick(LEADS[split])
    filling = Filling(dice, SLOTS)
    row = {
        "prompt": sentence(lead + filling.fill(said)),
        "reply": _spoken(dice, filling.fill(answer)),
        "facts": [filling.fill(fact) for fact in needed],
    }
    return Example(row, f"{lead}{said} -> {answer}", filling.values)


def _make(dice: Dice, split: str, label: str) -> Example:
    return (_small_talk if dice.chance(_SMALL) else _about_world)(dice, split)


def build() -> dict[str, list[Example]]:
    return draw("persona", _make)


CARD = {
    "title": "Jonas the lighthouse keeper",
    "task": "generate",
    "columns": {"prompt": "prompt", "reply": "reply"},
    "labels": [],
    "metric": "persona",
    "summary": "Chat with a lighthouse keeper: in his style, and right about the small world.",
    "example_prompts": [
        "Where does Ada live, Jonas?",
        "What is Saltmouth famous for, and why?",
        "Which word is the opposite of wet?",
        "How do you feel today, keeper?",
    ],
    "licence": "Apache-2.0",
}
