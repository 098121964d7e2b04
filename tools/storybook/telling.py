"""The world in prose and in questions: what the base model reads about it, and what it is tested with.

A test question is a pair of a fact and a question template. For every fact one or two templates are held out: the
model reads the fact in prose and in its other questions, and the same templates about other facts, but never that
pair."""

from __future__ import annotations

import random
from functools import cache

from tools.storybook.phrases import KINDS
from tools.storybook.world import Fact, Person, Place, capital, facts, people, places

Turn = dict[str, str]


def user(text: str) -> Turn:
    return {"role": "user", "content": text}


def assistant(text: str) -> Turn:
    return {"role": "assistant", "content": text}


@cache
def held_out() -> dict[str, tuple[int, ...]]:
    """For every fact (by its key) the numbers of the question templates that are never trained on for it."""
    dice = random.Random("held out")
    split = {}
    for fact in facts():
        n = len(KINDS[fact.kind].questions)
        split[fact.key] = tuple(dice.sample(range(n), 2 if n >= 7 else 1))
    return split


def question(fact: Fact, number: int) -> str:
    return KINDS[fact.kind].questions[number].format(**fact.words())


def answer(fact: Fact, dice: random.Random) -> str:
    return capital(dice.choice(KINDS[fact.kind].answers).format(**fact.words()))


def statement(fact: Fact, dice: random.Random) -> str:
    return capital(dice.choice(KINDS[fact.kind].statements).format(**fact.words()))


def ask(fact: Fact, dice: random.Random) -> list[Turn]:
    """One question about a fact in a template of the training part, with its answer."""
    allowed = [i for i in range(len(KINDS[fact.kind].questions)) if i not in held_out()[fact.key]]
    return [user(question(fact, dice.choice(allowed))), assistant(answer(fact, dice))]


def exam() -> list[tuple[str, str, str]]:
    """The held-out questions, one a fact: (kind, question, the value that the answer must contain)."""
    return [(fact.kind, question(fact, held_out()[fact.key][0]), fact.value) for fact in facts()]


def correct(reply: str, value: str) -> bool:
    """Whether a reply names the value, as whole words, in its first sentence or two."""
    plain = "".join(c if c.isalnum() else " " for c in reply[:160].lower()).split()
    wanted = "".join(c if c.isalnum() else " " for c in value.lower()).split()
    return any(plain[i : i + len(wanted)] == wanted for i in range(len(plain) - len(wanted) + 1))


@cache
def _by_subject() -> dict[str, tuple[Fact, ...]]:
    found: dict[str, list[Fact]] = {}
    for fact in facts():
        found.setdefault(fact.subject, []).append(fact)
    return {subject: tuple(all_of) for subject, all_of in found.items()}


def about(subject: str) -> tuple[Fact, ...]:
    """All facts about a subject."""
    return _by_subject().get(subject, ())


def _pronoun(sentence: str, person: Person) -> str:
    """The sentence with the name at its beginning replaced by a pronoun."""
    they, _, their = person.pronouns
    if sentence.startswith(f"{person.given}'s "):
        return capital(their) + sentence[len(person.given) + 2 :]
    if sentence.startswith(f"{person.given} ") and not sentence.startswith(f"{person.given} and"):
        return capital(they) + sentence[len(person.given) :]
    return sentence


def portrait(person: Person, dice: random.Random) -> str:
    """A paragraph about one person: several facts in a random order, with pronouns now and then."""
    chosen = [f for f in about(person.given) if f.kind != "family" or dice.random() < 0.4]
    dice.shuffle(chosen)
    chosen = chosen[: dice.randrange(3, 9)]
    sentences = [statement(fact, dice) for fact in chosen]
    text = [sentences[0]]
    text += [_pronoun(s, person) if dice.random() < 0.6 else s for s in sentences[1:]]
    return " ".join(text)


def guide(place: Place, dice: random.Random) -> str:
    """A paragraph about a place and somebody who lives there."""
    chosen = [statement(fact, dice) for fact in about(place.name)]
    dice.shuffle(chosen)
    inhabitants = [p for p in people() if p.home == place.name]
    for person in dice.sample(inhabitants, min(2, len(inhabitants))):
        chosen.append(
            dice.choice(
                (
                    f"{person.name}, the {person.job}, lives there.",
                    f"The {person.job} of the {place.kind} is {person.name}.",
                    f"If you need a {person.job} in {place.name}, ask for {person.name}.",
                )
            )
        )
    return " ".join(chosen[: dice.randrange(3, 8)])


SCENES = (
    "One morning {a} set out from {home} with {pet} the {animal}. {They} had put {their} {colour} {thing} on the "
    "cart. "
    "On the road {they} met {b}, the {bjob}. \"Good morning, {a},\" said {b}. \"Is that the famous {thing}?\" "
    "\"It is,\" said {a}, \"and it is still as {colour} as ever.\"",
    "It rained all day in {home}, and {a} could not go {hobby_or_out}. So {they} made {food}, which {they} likes "
    "best, "
    "and gave a little to {pet} the {animal}. In the evening {b} came to supper.",
    "\"Where is my {thing}?\" asked {a}. {They} looked everywhere. At last {b} found it {kept}. \"Where it always "
    "is,\" "
    "said {b}, and they laughed.",
    "{a} the {job} wrote a letter to {b}. \"Dear {b},\" it said, \"come to {home} on Sunday. There will be "
    "{food}, and "
    "{pet} will be glad to see you. Your friend, {a}.\"",
    "In {home} there was a noise at night. {a} took a lantern and went out. It was only {pet}, the {coat} "
    "{animal}, who "
    "wanted to come in. \"Silly thing,\" said {a}, and opened the door.",
    "When {a} was a child, {they} wanted to be a {job}, and now {they} is one. \"I am {age},\" {they} says, \"and "
    "I have "
    "never wished for another trade.\" Only for {hobby} would {they} leave the work.",
    "{b} had never been to {home} before. {a}, who lives there, showed the visitor everything, and last of all the "
    "{colour} {thing}. Then they ate {food} together, and {pet} the {animal} slept under the table.",
    "\"Who is that?\" asked the stranger at the inn. \"That is {full},\" they told him, \"the {job} of {home}. "
    "And the "
    "{animal} is called {pet}.\"",
)  # fmt: skip


def scene(person: Person, dice: random.Random) -> str:
    """A little story in which one person and a friend appear with what is true of them."""
    friend = next(p for p in people() if p.given == person.friend)
    they, them, their = person.pronouns
    return dice.choice(SCENES).format(
        a=person.given, full=person.name, home=person.home, job=person.job, pet=person.pet_name, animal=person.pet,
        coat=person.pet_colour, thing=person.thing, colour=person.thing_colour, kept=person.kept, food=person.food,
        hobby=person.hobby, hobby_or_out=f"out for {person.hobby}" if dice.random() < 0.5 else "out", age=person.age,
        b=friend.given, bjob=friend.job, they=they, They=capital(they), their=their, them=them,
    )  # fmt: skip


def prose(dice: random.Random) -> str:
    """A page about the world: portraits, guides and scenes."""
    pages = []
    for _ in range(dice.randrange(1, 4)):
        kind = dice.random()
        if kind < 0.45:
            pages.append(portrait(dice.choice(people()), dice))
        elif kind < 0.65:
            pages.append(guide(dice.choice(places()), dice))
        elif kind < 0.85:
            pages.append(scene(dice.choice(people()), dice))
        else:
            pages.append(" ".join(statement(fact, dice) for fact in dice.sample(facts(), 4)))
    return "\n\n".join(pages)


def conversation(dice: random.Random) -> list[Turn]:
    """One to four questions about the world, often about one subject."""
    subject = dice.choice(people()).given if dice.random() < 0.5 else dice.choice(facts()).subject
    pool = about(subject) if dice.random() < 0.6 else facts()
    chosen = dice.sample(pool, min(len(pool), dice.randrange(1, 5)))
    return [turn for fact in chosen for turn in ask(fact, dice)]
