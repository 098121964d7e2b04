"""Tasks whose answer stands in the prompt: finding, copying, comparing and putting into words what is given there.

Names are made up afresh for every example, so that only reading can answer. A `Record` is a thing with attributes; it
can be told in sentences or listed in one of several notations, and every task is a way from one to the other.
"""

from __future__ import annotations

import json
import random

from tools.storybook.telling import Turn, assistant, user
from tools.storybook.world import (
    COATS,
    COLOURS,
    DAYS,
    FOODS,
    HOBBIES,
    JOBS,
    KEPT,
    PETS,
    THINGS,
    article,
    capital,
    words,
)

Record = dict[str, str]

_ONSETS = words("b br c ch cl d dr f fl g gr h j k l m n p pr qu r s sh st t tr v w z")
_NUCLEI = words("a e i o u ai ea ee o oo ou ie")
_CODAS = ["", "", "n", "r", "l", "m", "s", "th", "ck", "nd", "x", "rn", "ll", "sk", "t"]
_ENDINGS = [
    "a",
    "en",
    "er",
    "ia",
    "in",
    "is",
    "o",
    "on",
    "us",
    "y",
    "el",
    "ette",
    "wick",
    "by",
    "ford",
    "ton",
]
_MATERIALS = ("wood", "glass", "iron", "silver", "paper", "leather", "stone", "wool", "clay", "copper")
_SIZES = ("tiny", "small", "large", "huge", "narrow", "wide", "low", "tall")
_MOODS = ("quiet", "lively", "famous", "old", "modern", "cheap", "expensive", "friendly", "busy", "clean")
_HOURS = ("six", "seven", "eight", "nine", "ten", "eleven", "noon", "two", "three", "four", "five")


def name(dice: random.Random) -> str:
    """A made-up name, such as "Brell", "Brellick" or "Shoonia"."""
    middle = dice.choice(_ONSETS) + dice.choice(_NUCLEI) + dice.choice(_CODAS)
    more = dice.choice(_ONSETS) + dice.choice(_NUCLEI) + dice.choice(_CODAS) if dice.random() < 0.3 else ""
    return capital(middle + more + (dice.choice(_ENDINGS) if dice.random() < 0.65 else ""))


#: A kind of record: its attributes with how to draw a value, how to ask for it and how to say it.
#: In the phrases {n} is the record's name and {v} the value.
Attribute = tuple[tuple[str, ...] | str, str, tuple[str, ...]]
SCHEMAS: dict[str, dict[str, Attribute]] = {
    "person": {
        "job": (tuple(JOBS), "What is {n}'s job?", ("works as a {v}", "is a {v}", "earns a living as a {v}")),
        "home": ("name", "Where does {n} live?", ("lives in {v}", "has a house in {v}", "comes from {v}")),
        "age": ("age", "How old is {n}?", ("is {v} years old", "is {v}", "has just turned {v}")),
        "food": (
            FOODS,
            "What does {n} like to eat?",
            ("likes {v}", "loves to eat {v}", "always asks for {v}"),
        ),
        "hobby": (
            HOBBIES,
            "What does {n} enjoy?",
            ("enjoys {v}", "is fond of {v}", "spends the evenings {v}"),
        ),
        "pet": (PETS, "What animal does {n} keep?", ("keeps a {v}", "has a {v}", "looks after a {v}")),
    },
    "thing": {
        "colour": (COLOURS, "What colour is {n}?", ("is {v}", "is painted {v}", "has a {v} coat of paint")),
        "material": (
            _MATERIALS,
            "What is {n} made of?",
            ("is made of {v}", "was made out of {v}", "consists of {v}"),
        ),
        "place": (KEPT, "Where is {n}?", ("stands {v}", "is kept {v}", "can be found {v}")),
        "owner": ("name", "Who owns {n}?", ("belongs to {v}", "is owned by {v}", "is the property of {v}")),
        "price": (
            "price",
            "How much is {n}?",
            ("costs {v} pounds", "is sold for {v} pounds", "is worth {v} pounds"),
        ),
        "size": (_SIZES, "What size is {n}?", ("is {v}", "looks {v}", "is rather {v}")),
    },
    "event": {
        "day": (DAYS, "On which day is {n}?", ("takes place on {v}", "is held on {v}", "will be on {v}")),
        "hour": (_HOURS, "At what time does {n} begin?", ("begins at {v}", "starts at {v}", "opens at {v}")),
        "host": (
            "name",
            "Who is the host of {n}?",
            ("is led by {v}", "has {v} as its host", "is arranged by {v}"),
        ),
        "town": ("name", "In which town is {n}?", ("happens in {v}", "is in {v}", "can be visited in {v}")),
        "fee": ("price", "What does {n} cost?", ("costs {v} pounds", "asks {v} pounds of each guest")),
        "mood": (_MOODS, "What is {n} like?", ("is {v}", "is said to be {v}", "is known to be {v}")),
    },
    "animal": {
        "kind": (PETS, "What kind of animal is {n}?", ("is a {v}", "is a young {v}", "was born a {v}")),
        "coat": (COATS, "What colour is {n}?", ("is {v}", "has a {v} coat", "looks {v} from afar")),
        "keeper": (
            "name",
            "Who looks after {n}?",
            ("is looked after by {v}", "belongs to {v}", "lives with {v}"),
        ),
        "age": ("age", "How old is {n}?", ("is {v} years old", "has lived for {v} years")),
        "food": (FOODS, "What does {n} eat?", ("eats {v}", "lives on {v}", "will do anything for {v}")),
        "bed": (KEPT, "Where does {n} sleep?", ("sleeps {v}", "lies {v} all day", "has a bed {v}")),
    },
}


def record(dice: random.Random, schema: str, n: int) -> Record:
    """A record of a schema: "name" and `n` attributes in random order."""
    if schema == "thing":
        called = f"the {dice.choice(THINGS)}" if dice.random() < 0.7 else f"the {name(dice)} {dice.choice(THINGS)}"
    elif schema == "event":
        called = f"the {name(dice)} {dice.choice(('fair', 'concert', 'race', 'market', 'feast', 'show', 'dance'))}"
    else:
        called = name(dice) if dice.random() < 0.7 else f"{name(dice)} {name(dice)}"
    found = {"name": called}
    for key in dice.sample(list(SCHEMAS[schema]), n):
        draw = SCHEMAS[schema][key][0]
        if draw == "age":
            found[key] = str(dice.randrange(2, 90))
        elif draw == "price":
            found[key] = str(dice.randrange(2, 60))
        else:
            found[key] = name(dice) if draw == "name" else dice.choice(draw)
    return found


def _clause(schema: str, key: str, value: str, dice: random.Random) -> str:
    said = dice.choice(SCHEMAS[schema][key][2])
    if "a {v}" in said and not value.startswith("the "):
        return said.replace("a {v}", article(value))
    return said.format(v=value)


def told(schema: str, item: Record, dice: random.Random) -> str:
    """The record in one to three sentences, every attribute said once."""
    parts = [_clause(schema, key, value, dice) for key, value in item.items() if key != "name"]
    dice.shuffle(parts)
    who = "It" if schema != "person" else dice.choice(("She", "He", item["name"]))
    sentences = []
    while parts:
        size = min(len(parts), dice.choice((1, 2, 2, 3)))
        taken, parts = parts[:size], parts[size:]
        subject = capital(item["name"]) if not sentences else who
        joined = taken[0] if size == 1 else ", ".join(taken[:-1]) + " and " + taken[-1]
        sentences.append(f"{subject} {joined}.")
    return " ".join(sentences)


def listed(item: Record, dice: random.Random) -> str:
    """The record in one of several notations of keys and values."""
    pairs = list(item.items())
    if dice.random() < 0.4:
        dice.shuffle(pairs)
    style = dice.randrange(7)
    if style == 0:
        return "; ".join(f"{k} = {v}" for k, v in pairs)
    if style == 1:
        return " | ".join(f"{k}: {v}" for k, v in pairs)
    if style == 2:
        return ", ".join(f"{k}[{v}]" for k, v in pairs)
    if style == 3:
        return "\n".join(f"{k}: {v}" for k, v in pairs)
    if style == 4:
        return "\n".join(f"- {k}: {v}" for k, v in pairs)
    if style == 5:
        return json.dumps(dict(pairs))
    return ", ".join(f"{k}={v}" for k, v in pairs)


def _told_from_list(dice: random.Random) -> list[Turn]:
    schema = dice.choice(list(SCHEMAS))
    item = record(dice, schema, dice.randrange(1, 6))
    order = dice.choice(
        (
            "Put this into sentences: ",
            "Describe this.\n",
            "Write a short text about it: ",
            "Say this in words:\n",
            "",
            "",
        )
    )
    return [user(order + listed(item, dice)), assistant(told(schema, item, dice))]


def list_from_told(dice: random.Random) -> list[Turn]:
    """A text about one record, and the order to list its attributes."""
    schema = dice.choice(list(SCHEMAS))
    item = record(dice, schema, dice.randrange(1, 5))
    keys = ", ".join(item)
    order = dice.choice((f"List {keys}.", f"Find these in the text: {keys}.", f"Fill in: {keys}."))
    text = told(schema, item, dice)
    reply = "; ".join(f"{k} = {v}" for k, v in item.items())
    return [user(f"{order}\n{text}" if dice.random() < 0.5 else f"{text}\n{order}"), assistant(reply)]


def _question(dice: random.Random) -> list[Turn]:
    """A text or a list about one to three records, and questions about it."""
    schema = dice.choice(list(SCHEMAS))
    items = [record(dice, schema, dice.randrange(2, 5)) for _ in range(dice.randrange(1, 4))]
    if len({item["name"] for item in items}) < len(items):
        items = items[:1]
    show = told if dice.random() < 0.7 else (lambda _schema, item, dice: listed(item, dice))
    passage = (" " if show is told else "\n").join(show(schema, item, dice) for item in items)
    turns: list[Turn] = []
    for i in range(dice.randrange(1, 3)):
        item = dice.choice(items)
        key = dice.choice([k for k in item if k != "name"])
        asked = SCHEMAS[schema][key][1].format(n=item["name"])
        reply = f"{capital(item['name'])} {_clause(schema, key, item[key], dice)}."
        if dice.random() < 0.25:
            absent = [k for k in SCHEMAS[schema] if k not in item]
            asked = SCHEMAS[schema][dice.choice(absent)][1].format(n=item["name"])
            reply = "The text does not say."
        elif dice.random() < 0.25:
            reply = item[key]
            asked += " Answer with the words of the text only."
        if i == 0:
            asked = f"{passage}\n{asked}" if dice.random() < 0.7 else f"{asked}\n{passage}"
        turns += [user(asked), assistant(reply)]
    return turns


def _who(dice: random.Random) -> list[Turn]:
    """Several people with one attribute each: who has a certain one, or how many are there."""
    schema = "person"
    key = dice.choice(list(SCHEMAS[schema]))
    items, seen = [], set()
    for _ in range(dice.randrange(2, 6)):
        item = record(dice, schema, 6)
        if item[key] not in seen:
            seen.add(item[key])
            items.append({"name": item["name"], key: item[key]})
    passage = " ".join(f"{item['name']} {_clause(schema, key, item[key], dice)}." for item in items)
    chosen = dice.choice(items)
    style = dice.random()
    if style < 0.5:
        return [
            user(f"{passage}\nWho {_clause(schema, key, chosen[key], dice)}?"),
            assistant(f"{chosen['name']} does." if dice.random() < 0.1 else f"It is {chosen['name']}."),
        ]
    if style < 0.75:
        return [
            user(f"{passage}\n{dice.choice(('Name everybody in the text.', 'Which people are named?'))}"),
            assistant(", ".join(item["name"] for item in items) + "."),
        ]
    count = ("no", "one person", "two people", "three people", "four people", "five people")[len(items)]
    return [user(f"{passage}\nHow many people are named?"), assistant(f"The text names {count}.")]


def _compare(dice: random.Random) -> list[Turn]:
    a, b = name(dice), name(dice)
    x, y = dice.sample(range(2, 90), 2)
    more, question_more, question_less = dice.choice(
        (
            ("is {v} years old", "Who is older?", "Who is younger?"),
            ("has {v} pounds", "Who has more money?", "Who has less money?"),
            ("found {v} shells", "Who found more?", "Who found fewer?"),
            ("walked {v} miles", "Who walked farther?", "Who walked less far?"),
        )
    )
    text = f"{a} {more.format(v=x)}. {b} {more.format(v=y)}."
    if dice.random() < 0.5:
        return [user(f"{text} {question_more}"), assistant(f"{a if x > y else b}, with {max(x, y)}.")]
    return [user(f"{text} {question_less}"), assistant(f"{a if x < y else b}, with {min(x, y)}.")]


def _mentioned(dice: random.Random) -> list[Turn]:
    """Which colour, day, animal or name occurs in a sentence."""
    n, colour, day, animal, thing = (
        name(dice), dice.choice(COLOURS), dice.choice(DAYS), dice.choice(PETS), dice.choice(THINGS)
    )  # fmt: skip
    text = dice.choice(
        (
            f"On {day} {n} took the {colour} {thing} and went out with the {animal}.",
            f"{n} gave the {animal} a {colour} ribbon, and on {day} it sat upon the {thing}.",
            f"The {animal} of {n} hid behind the {colour} {thing} until {day}.",
            f"Nobody but {n} came on {day}, with a {colour} {thing} and a hungry {animal}.",
        )
    )
    asked, found = dice.choice(
        (
            ("Which colour is mentioned?", colour),
            ("Which day is mentioned?", day),
            ("Which animal is mentioned?", animal),
            ("Which thing is mentioned?", thing),
            ("Whose name is mentioned?", n),
        )
    )
    return [
        user(f"{text}\n{asked}" if dice.random() < 0.6 else f"{asked}\n{text}"),
        assistant(capital(found) + "."),
    ]


def exercise(dice: random.Random) -> list[Turn]:
    """One task whose answer stands in the prompt."""
    tasks = (
        (_told_from_list, 6),
        (_question, 5),
        (_who, 3),
        (list_from_told, 2),
        (_compare, 2),
        (_mentioned, 2),
    )
    return dice.choices([task for task, _ in tasks], [weight for _, weight in tasks])[0](dice)
