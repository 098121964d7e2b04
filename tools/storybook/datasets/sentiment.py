"""Short reviews, praise or blame: the clause that counts decides, and negation turns words round.

A frame places clauses: `{S}`, `{S2}` say what the review means, `{O}` says the opposite, `{R}` the same as
hearsay (without "I"), `{P}` also without a negation (for frames that deny it), `{V}` is a whole verdict
that agrees. Clauses are negated in three cases of twenty and four frames in ten hold both sides, so the words
alone tell only part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tools.storybook.datasets.grammar import Dice, Example, Filling, draw, owner, sentence
from tools.storybook.datasets.sentiment_words import ADJECTIVES, NEUTRAL, THINGS, VERDICTS

LABELS = ("negative", "positive")

#: Frames of every split (their filled forms, the templates, are shared out) and of one split alone.
FRAMES = {
    "common": [
        "we tried the {thing} {day}. {S}.",
        "about the {thing}: {S}, and {S2}.",
        "the {thing} again {day}, with {with}. {S} and {V}.",
        "{S}. {V}.",
        "a short word on the {thing}. {S}; {S2}.",
        "I had the {thing} to review {day}: {S}, and {S2}.",
        "{S}. What is more, {S2}.",
        "{S}, {S2}, and {V}.",
        "I read my notes on the {thing} again: {S}. {V}.",
        "the {thing} that {with} chose: {S}.",
        "you ask about the {thing}? {S}, and {V}.",
        "{V}: {S} and {S2}.",
        "{day} it was the {thing}. {S}.",
        "{O}, but {S}.",
        "{day} we tried the {thing}. {O}, but {S}.",
        "{O}, but {S}, and {V}.",
        "although {O}, {S}.",
        "although {O}, {S} and {V}.",
        "{S}, although {O}.",
        "the {thing}: {S}, although {O}.",
        "even though {O}, {S}.",
        "{S}, even though {O}. {V}.",
        "while {O}, {S}.",
        "{O}. Still, {S}.",
        "{O}. Still, {V}.",
        "I admit that {O}, but {V}.",
        "{V}, even if {O}.",
        "true, {O}. All the same, {S}.",
        "in spite of what you may think of the {thing}, {S}, and {V}.",
        "yes, {O}, but what matters to me is that {S}.",
        "{with} says that {R}, but I say that {S}.",
        "at first I thought that {O}. Then I saw that {S}.",
        "{O} last year. This time {S}.",
        "in the old days {O}. Now I can only say that {S}.",
        "{O}; no matter, {V}.",
        "{other} told me that {P}. That was wrong.",
        "{other} said of the {thing} that {P}. Not so: {S}.",
        "do not believe anyone who says that {P}.",
        "I cannot agree with {other} that {P}.",
        "it is not true that {P}.",
        "I had been told that {P}. I saw none of that {day}.",
        "I waited for the {thing} to prove {other} right that {P}. It never did.",
        "{other} had told me that {P}. Well, {V}.",
        "I expected to write that {P}. In fact {S}.",
        "I took {with} to see about the {thing} {day}: {O}, but {V}.",
        "the {thing} was new to us {day}. {S}, and {V}.",
        "my view of the {thing}? {S}.",
        "{S}, and {with} agreed: {S2}.",
        "this {thing}! {S}, and {S2}.",
        "{O}, yet {S}.",
        "{O} {day}, but this week {S}.",
        "though {O}, {S}.",
        "{S}, though {O}, and {V}.",
        "whoever wrote that {P} cannot have tried the {thing} {day}.",
        "{other} will tell you that {P}; I would not listen, because {S}.",
        "I came to the {thing} thinking that {P}, and I was mistaken.",
        "{with} and I tried the {thing}. {S}, {S2}, and {V}.",
        "as for the {thing}, {S} and {S2}.",
        "{S}. I would add that {S2}.",
        "{V}, because {S}.",
        "not to make a long tale of the {thing}: {S}.",
        "{O}. However, {S}.",
        "{O}, and yet {S}.",
        "{S}, though I know that {O}.",
        "{other} keeps saying that {R}, and forgets that {S}. I do not forget it.",
        "perhaps {O} {day}, but when I went {S}.",
        "{O}, I will say that much, but {V}.",
        "{other} was sure that {P}, and was quite mistaken.",
        "I went in believing that {P}; nothing of the kind. {V}.",
        "it would be a lie to say that {P}.",
    ],
    "validation": [
        "even supposing that {R}, {S}.",
        "{O}. Even so, {V}.",
        "first, {S}; second, {S2}.",
        "{V}, for {S}.",
        "people say that {P}. I found no sign of it.",
        "one might suppose that {P}. One would be wrong, and {V}.",
        "I grant that {O}; but {S}.",
    ],
    "test": [
        "for all that {O}, {S}.",
        "granted, {O}, but {S} and {V}.",
        "never mind that {R}: {S}.",
        "what if {R}? In the end {S}.",
        "who could claim that {P}? Certainly not I.",
        "they wrote that {P}. What nonsense!",
        "so much for the {thing} {day}: {S}.",
        "to sum up the {thing}: {S}, {S2}.",
    ],
}

#: Clauses that affirm or deny an adjective; those with "I" or "we" are not put in anybody else's mouth.
_AFFIRM = {
    "common": [
        "the {x} {was} {adj}",
        "the {x} {was} {very} {adj}",
        "the {x} seemed {adj}",
        "the {x} turned out {adj}",
        "I thought the {x} {adj}",
        "we found the {x} {adj}",
    ],
    "test": ["the {x} proved {adj}", "the {x} struck me as {adj}"],
}

_DENY = {
    "common": [
        "the {x} {was} not {adj}",
        "the {x} {was} never {adj}",
        "the {x} {was} far from {adj}",
        "the {x} {was} not in the least {adj}",
        "the {x} {was} not at all {adj}",
        "I would not call the {x} {adj}",
        "I did not find the {x} {adj}",
    ],
    "validation": ["the {x} {was} hardly {adj}"],
    "test": ["the {x} {was} anything but {adj}", "nobody would call the {x} {adj}"],
}

_VERY = ["very", "really", "quite", "so", "truly", "extremely"]

_OWN = re.compile(r"\b(I|me|we)\b")

#: Share of clauses with a negation, where there may be one, and of what training never shows.
_DENIALS = 0.15
_UNSEEN = 0.15

#: How often each kind of frame is used, out of ten.
_KINDS = ["one-sided"] * 6 + ["weighed"] * 3 + ["denied"]

_MARKS = ("S", "S2", "O", "R", "P", "V")


def _of(choices: Mapping[str, list[str]], split: str, dice: Dice) -> list[str]:
    """The choices that all splits have or, as often as `_UNSEEN` says, those of this split alone."""
    return choices[split if split in choices and dice.chance(_UNSEEN) else "common"]


class _Review:
    """One review in the making: its thing, and the aspects that were spoken of."""

    def __init__(self, dice: Dice, split: str, label: str) -> None:
        self.dice, self.split, self.label = dice, split, label
        self.thing = dice.pick(list(THINGS))
        self.aspects = dice.shuffled(THINGS[self.thing])
        self.values: list[str] = []

    def part(self, mark: str) -> tuple[str, str]:
        """The template and the text of one of the `_MARKS`."""
        agrees = mark in ("S", "S2", "V")
        polarity = self.label if agrees else LABELS[self.label == LABELS[0]]
        if mark == "V":
            verdict = self.dice.pick(_of(VERDICTS[polarity], self.split, self.dice))
            self.values.append(verdict)
            return "{verdict}", verdict
        return self._clause(polarity, may_deny=mark != "P", hearsay=mark in ("R", "P"))

    def _clause(self, polarity: str, may_deny: bool, hearsay: bool) -> tuple[str, str]:
        deny = may_deny and self.dice.chance(_DENIALS)
        forms = _of(_DENY if deny else _AFFIRM, self.split, self.dice)
        form = self.dice.pick([f for f in forms if not (hearsay and _OWN.search(f))])
        word = LABELS[polarity == LABELS[0]] if deny else polarity
        aspect, kind, plural = self.aspects.pop()
        common, rare = ADJECTIVES[kind, word]
        adjective = self.dice.pick(_of({"common": common, "validation": rare, "test": rare}, self.split, self.dice))
        self.values += [aspect, adjective]
        form = form.replace("{was}", "were" if plural else "was")
        text = form.replace("{very}", self.dice.pick(_VERY)).replace("{x}", aspect).replace("{adj}", adjective)
        return form, text


def _kind(frame: str) -> str:
    """One-sided, weighing two sides, or denying what it quotes."""
    if "{P}" in frame:
        return "denied"
    return "weighed" if "{O}" in frame or "{R}" in frame else "one-sided"


def _make(dice: Dice, split: str, label: str) -> Example:
    while True:
        example = _review(dice, split, label)
        if owner(frozenset([example.template])) == split:
            return example


def _review(dice: Dice, split: str, label: str) -> Example:
    review = _Review(dice, split, label)
    kind = dice.pick(_KINDS)
    frame = dice.pick([frame for frame in _of(FRAMES, split, dice) if _kind(frame) == kind])
    template = text = frame
    for mark in _MARKS:
        if f"{{{mark}}}" in frame:
            form, words = review.part(mark)
            template = template.replace(f"{{{mark}}}", form)
            text = text.replace(f"{{{mark}}}", words)
    filling = Filling(dice, {**NEUTRAL, "thing": [review.thing]})
    text = sentence(filling.fill(text))
    values = tuple(sorted([*review.values, *filling.values, review.thing]))
    return Example({"text": text, "label": label}, template, values)


def build() -> dict[str, list[Example]]:
    return draw("sentiment", _make, LABELS)


CARD = {
    "title": "Reviews: praise or blame",
    "task": "classify",
    "columns": {"text": "text", "label": "label"},
    "labels": list(LABELS),
    "metric": "accuracy",
    "summary": "Short reviews in which negation turns words round and the main clause decides.",
    "example_prompts": [
        "The soup was not bland, and I would recommend it to anyone.",
        "Although the plot was clever, the cast was wooden.",
        "My sister told me that the walk was dull. That was wrong.",
        "The room was cramped, but the landlord was so kind that we stayed a week.",
    ],
    "licence": "Apache-2.0",
}
