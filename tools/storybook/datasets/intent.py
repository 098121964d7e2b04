"""Everyday requests in eight classes: what is asked for, among things that are merely mentioned.

Half of the rows come with a remark that borrows the words of another class, before or after the request.
"""

from __future__ import annotations

import re

from tools.storybook.datasets.grammar import Dice, Example, Filling, draw, sentence
from tools.storybook.datasets.intent_slots import REMARKS, lexicon
from tools.storybook.datasets.intent_words import REQUESTS

LABELS = tuple(REQUESTS)

#: How a request is put; `{request}` alone is used most.
_MANNERS = {
    "train": [
        "{request}",
        "please, {request}",
        "hello, {request}",
        "one thing: {request}",
        "now then, {request}",
    ],
    "validation": ["{request}", "another thing: {request}", "good morning, {request}"],
    "test": ["{request}", "be so kind: {request}", "quick, {request}", "good evening, {request}"],
}

#: How a request and remarks go together.
_JOINTS = {
    "train": [
        "{remark}. {request}",
        "{request} {remark}.",
        "{remark} and {remark2}. {request}",
        "{remark}! {request}",
    ],
    "validation": ["{remark}, you know. {request}", "{request} you see, {remark}."],
    "test": [
        "{remark}, by the way. {request}",
        "{request} I ask because {remark}.",
        "{remark}; {remark2}. {request}",
    ],
}

_QUESTION = re.compile(
    r"(?!do not)(how|what|when (?!the |\{)|where|which|who|is|are|will|can|could|do(?:es)?|did|has|have my|should"
    r"|shall|ought|would|must|at what|from which|for how)\b"
)


def _make(dice: Dice, split: str, label: str) -> Example:
    request = dice.pick(REQUESTS[label][split])
    request += "?" if _QUESTION.match(request) else "."
    if dice.chance(0.55):
        topics = dice.some([topic for topic in REMARKS if topic != label], 2)
        template = dice.pick(_JOINTS[split])
        for i, topic in enumerate(topics):
            # a remark's slots are its own: the person it speaks of is not the one in the request
            remark = re.sub(r"\}", f"{8 + i}}}", dice.pick(REMARKS[topic][split]))
            template = template.replace(("{remark}", "{remark2}")[i], remark)
    else:
        template = dice.pick(_MANNERS[split])
    filling = Filling(dice, lexicon(split))
    text = sentence(filling.fill(template.replace("{request}", request)))
    return Example({"text": text, "label": label}, template.replace("{request}", request), filling.values)


def build() -> dict[str, list[Example]]:
    return draw("intent", _make, LABELS)


CARD = {
    "title": "Requests: what is asked for",
    "task": "classify",
    "columns": {"text": "text", "label": "label"},
    "labels": list(LABELS),
    "metric": "accuracy",
    "summary": "Everyday requests in eight classes that borrow each other's words: what is asked for counts.",
    "example_prompts": [
        "I am baking bread and the kitchen is dark. Will it rain tomorrow?",
        "Tell Anna that the train leaves at nine.",
        "Wake me up an hour before my train to York leaves.",
        "Play something cheerful in the kitchen, please.",
    ],
    "licence": "Apache-2.0",
}
