"""Holiday houses: from attributes such as `name[Fern Cottage], kind[mill]` to sentences that say them all.

`slots` gives the wordings by which each value is known, `absent` those that give away an attribute that was
not asked for.
"""

from __future__ import annotations

from tools.storybook.datasets.data_to_text_words import (
    ATTRIBUTES,
    JOINS,
    LOCATIONS,
    NEIGHBOURS,
    OPENINGS,
    PHRASES,
    SAID,
    SINGLES,
    TELLTALES,
    values,
)
from tools.storybook.datasets.grammar import Dice, Example, draw, sentence

#: Share of the values of validation and test that training never shows, where there are such.
_UNSEEN = 0.15


def _meaning(dice: Dice, split: str) -> dict[str, str]:
    """A name and three to five attributes, in the order of `ATTRIBUTES`."""
    common, unseen = values()
    wanted = dice.some(ATTRIBUTES, 3 + dice.below(3))

    def value(attribute: str) -> str:
        new = split != "train" and attribute in unseen and dice.chance(_UNSEEN)
        return dice.pick((unseen if new else common)[attribute])

    return {a: value(a) for a in ("name", *ATTRIBUTES) if a == "name" or a in wanted}


def _template(dice: Dice, split: str, meaning: dict[str, str]) -> str:
    """A text with `{attribute}` where a value is said literally."""
    opening = dice.pick(OPENINGS[split])
    opening = opening.replace("{np}", "a(n) {kind}" if "kind" in meaning else "a place to stay")
    opening = opening.replace("{in}", dice.pick(LOCATIONS[split]) if "place" in meaning else "")
    opening = opening.replace("{by}", dice.pick(NEIGHBOURS[split]) if "near" in meaning else "").replace(",.", ".")
    phrases = []
    for attribute in dice.shuffled([a for a in meaning if a in PHRASES or f"{a}={meaning[a]}" in PHRASES]):
        spoken = PHRASES.get(f"{attribute}={meaning[attribute]}") or PHRASES[attribute]
        phrases.append(dice.pick(spoken[split]))
    parts = [opening]
    joins, singles = dice.shuffled(JOINS[split]), dice.shuffled(SINGLES[split])
    while phrases:
        if len(phrases) > 1 and (len(singles) == 1 or dice.chance(0.7)):
            parts.append(joins.pop().replace("{a}", phrases.pop()).replace("{b}", phrases.pop()))
        else:
            parts.append(singles.pop().replace("{a}", phrases.pop()))
    return " ".join(parts)


def _said(attribute: str, value: str) -> list[str]:
    if attribute == "garden" and value != "none":
        return [f"{value} garden"]
    return SAID.get(f"{attribute}={value}", [value])


def _make(dice: Dice, split: str, label: str) -> Example:
    meaning = _meaning(dice, split)
    template = _template(dice, split, meaning)
    text = template
    for attribute, value in meaning.items():
        text = text.replace(f"{{{attribute}}}", value)
    row = {
        "prompt": ", ".join(f"{attribute}[{value}]" for attribute, value in meaning.items()),
        "reply": sentence(text),
        "slots": {attribute: _said(attribute, value) for attribute, value in meaning.items()},
        "absent": {attribute: words for attribute, words in TELLTALES.items() if attribute not in meaning},
    }
    return Example(row, template, tuple(f"{attribute}={value}" for attribute, value in meaning.items()))


def build() -> dict[str, list[Example]]:
    return draw("data_to_text", _make)


CARD = {
    "title": "Holiday houses: data to text",
    "task": "generate",
    "columns": {"prompt": "prompt", "reply": "reply"},
    "labels": [],
    "metric": "slot_accuracy",
    "summary": "From the attributes of a holiday house to sentences that say all of them and nothing else.",
    "example_prompts": [
        "name[Wren House], kind[mill], place[Harwick], sleeps[four], pets[no]",
        "name[Otter Nook], near[the harbour], garden[walled], price[low]",
        "name[Quince Lodge], kind[lighthouse], sleeps[two], feature[a telescope], price[high]",
    ],
    "licence": "Apache-2.0",
}
