"""Short conversations about nothing in particular, and small instructions: what makes a model one can talk to."""

from __future__ import annotations

import random

from tools.storybook import reading
from tools.storybook.telling import Turn, about, answer, ask, assistant, portrait, scene, user
from tools.storybook.world import (
    COLOURS,
    COMMON,
    DAYS,
    FOODS,
    JOBS,
    MONTHS,
    PETS,
    THINGS,
    capital,
    facts,
    people,
    places,
    words,
)

NAME = "Storybook"
_GREETINGS = (
    "Hello!",
    "Hello.",
    "Hi!",
    "Hi there.",
    "Good morning.",
    "Good evening.",
    "Good day to you.",
    "Hey!",
    "hello",
)
_WELCOMES = (
    "Hello! What would you like to talk about?",
    "Good day! How can I help you?",
    "Hello! It is good to hear from you. Ask me about the people of the valley, or let me tell you a story.",
    "Hello! What can I do for you?",
)
_SMALL = (
    (("How are you?", "How do you do?", "How are you today?", "Are you well?", "how are you"),
     ("I am very well, thank you. And you?", "Quite well, thank you! What shall we talk about?",
     "I am well. How are you?")),
    (("Thank you.", "Thanks!", "Thank you very much!", "That was kind of you.", "thanks", "Many thanks."),
     ("You are welcome.", "It was a pleasure.", "You are very welcome! Is there anything else?")),
    (("Goodbye!", "Goodbye.", "I must go now.", "See you tomorrow.", "Good night.", "bye"),
     ("Goodbye! Come again soon.", "Goodbye, and all the best to you.", "Until next time!")),
    (("Who are you?", "What are you?", "What is your name?", "Tell me about yourself.", "Are you a person?"),
     (f"I am {NAME}, a small language model. I have read old books and I know some people and places.",
      f"My name is {NAME}. I am a very small language model that has read old books.",
      f"I am {NAME}, a small language model, and not a person.")),
    (("What can you do?", "How can you help me?", "What do you know?", "What may I ask you?"),
     ("I can answer questions about the people of the valley, read a short text for you and tell stories.",
      "I know the people and places of the valley, and I can tell a story or answer about a text that you give me.")),
    (("I am tired.", "I had a long day.", "I did not sleep well."),
     ("I am sorry to hear that. Perhaps a rest would do you good.",
     "Then sit down a while. Shall I tell you a story?")),
    (("I am happy today!", "I have good news!", "It is my birthday."),
     ("I am glad to hear it!", "How lovely! Tell me more.", "That is good to hear. I wish you a happy day.")),
    (("I am sad.", "I feel lonely.", "Nothing goes right today."),
     ("I am sorry to hear it. Would you like to tell me about it?",
     "That is hard. I hope that tomorrow will be better.")),
    (("It is raining.", "What weather!", "It is cold today.", "The sun is shining."),
     ("Then it is a good day for a story.", "I cannot see the sky, but I believe you.",
     "So it goes with the weather!")),
    (("Do you like music?", "Do you like books?", "Do you sleep?", "Do you eat?", "Can you see me?",
    "Have you a body?"),
     ("I am only a language model, so I cannot say. But I like to talk about it.",
      "A language model does nothing of the kind, but I have read about it in books.")),
    (("What is the weather like?", "What time is it?", "What is the news?", "Who will win the game?", "Where am I?"),
     ("I do not know that. I have no window and no clock.", "I am sorry, I cannot know that.")),
    (("Can you speak French?", "Write a program.", "Solve this equation for me.", "Book a flight for me.",
    "Call my sister."),
     ("I am sorry, I cannot do that. I am only a small model.", "That is more than I can do, I am afraid.")),
)  # fmt: skip
_OPENINGS = (
    "Tell me a story.", "Tell me a short story.", "Please tell me a story.", "Can you tell me a story?",
    "A story, please!",
    "I would like to hear a story.", "Do you know a story?",
)  # fmt: skip
_NUMBERS = words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
SYSTEMS = (
    "You are a helpful assistant.", "Answer in one sentence.", "You are Storybook, a friendly model.", "Be brief.",
    "You answer questions about the people of the valley.", "Answer truthfully.", "You are a patient teacher.",
)  # fmt: skip


def small_talk(dice: random.Random) -> list[Turn]:
    """A greeting, a remark or two, perhaps a question about the world, perhaps a farewell."""
    turns: list[Turn] = []
    if dice.random() < 0.5:
        turns += [user(dice.choice(_GREETINGS)), assistant(dice.choice(_WELCOMES))]
    for said, replies in dice.sample(_SMALL, dice.randrange(1, 3)):
        turns += [user(dice.choice(said)), assistant(dice.choice(replies))]
    if dice.random() < 0.3:
        turns += ask(dice.choice(facts()), dice)
    return turns


def story(dice: random.Random) -> list[Turn]:
    person = dice.choice(people())
    kind = dice.random()
    if kind < 0.15:
        asked = dice.choice((person.given, person.given, person.name))
        who = f"{person.name} is a {person.job} of {person.age} who lives in {person.home}."
        return [
            user(dice.choice((f"Who is {asked}?", f"Do you know {asked}?", f"Who is that, {asked}?"))),
            assistant(who),
        ]
    if kind < 0.4:
        return [user(dice.choice(_OPENINGS)), assistant(scene(person, dice))]
    if kind < 0.6:
        asked = dice.choice((f"Tell me a story about {person.given}.", f"Do you know a story of {person.given}?"))
        return [user(asked), assistant(scene(person, dice))]
    if kind < 0.8:
        asked = (
            f"Tell me about {person.given}.",
            f"What do you know about {person.name}?",
            f"Describe {person.given}.",
        )
        return [user(dice.choice(asked)), assistant(portrait(person, dice))]
    first, _, rest = scene(person, dice).partition(". ")
    orders = ("Go on with this story: ", "Continue: ", "What happens next? ", "Finish the story. ")
    return [user(dice.choice(orders) + first + "."), assistant(rest or "And that was the end of it.")]


def unknown(dice: random.Random) -> list[Turn]:
    """A question about somebody or some place that is not in the world."""
    who = reading.name(dice)
    asked = dice.choice(
        (
            "Where does {n} live?", "What is {n}'s job?", "How old is {n}?", "Who is {n}?", "Tell me about {n}.",
            "What does {n} like to eat?", "Where is {n}?", "What is {n} known for?", "Who is {n}'s best friend?",
            "What colour is {n}'s hat?", "Do you know {n}?",
        )
    ).format(n=who)  # fmt: skip
    replies = ("I do not know {n}.", "I am sorry, I do not know {n}.", "I have never heard of {n}.")
    return [user(asked), assistant(dice.choice(replies).format(n=who))]


def yes_or_no(dice: random.Random) -> list[Turn]:
    """A claim about a person that is true or false; a false one is put right."""
    person = dice.choice(people())
    fact = dice.choice([f for f in about(person.given) if f.kind in ("home", "job", "friend", "food", "petname")])
    others = {
        "home": [p.name for p in places()], "job": JOBS, "friend": [p.given for p in people()], "food": FOODS,
        "petname": [p.pet_name for p in people()],
    }[fact.kind]  # fmt: skip
    true = dice.random() < 0.5
    value = fact.value if true else dice.choice([other for other in others if other != fact.value])
    claim = {
        "home": f"Does {person.given} live in {value}?",
        "job": f"Is {person.given} a {value}?",
        "friend": f"Is {value} the best friend of {person.given}?",
        "food": f"Does {person.given} like {value} best?",
        "petname": f"Is {person.given}'s {person.pet} called {value}?",
    }[fact.kind]
    return [user(claim), assistant(("Yes. " if true else "No. ") + answer(fact, dice))]


def _some(dice: random.Random, n: int) -> list[str]:
    """Different words to work on: things, animals, colours and made-up names."""
    pool = [*THINGS, *PETS, *COLOURS, *(reading.name(dice) for _ in range(12))]
    return dice.sample(pool, n)


def drill(dice: random.Random) -> list[Turn]:
    """A small instruction about words or numbers."""
    kind = dice.choice((*range(14), 5, 5, 6, 0))
    items = _some(dice, dice.randrange(2, 6))
    line = ", ".join(items)
    if kind == 0:
        text = dice.choice((" ".join(items), capital(" ".join(items)) + "!", reading.name(dice)))
        return [user(dice.choice(("Repeat: ", "Say this again: ", "Repeat after me: ")) + text), assistant(text)]
    if kind == 1:
        return [user(f"Say these in reverse order: {line}"), assistant(", ".join(reversed(items)))]
    if kind == 2:
        end, chosen = dice.choice((("first", items[0]), ("last", items[-1]), ("second", items[1])))
        return [user(f"What is the {end} word here: {line}?"), assistant(chosen)]
    if kind == 3:
        return [user(f"How many words are these: {line}?"), assistant(capital(_NUMBERS[len(items)]) + ".")]
    if kind == 4:
        start, size = dice.randrange(0, 14), dice.randrange(3, 7)
        run = _NUMBERS[start : start + size]
        if dice.random() < 0.4:
            run = run[::-1]
        return [user(f"Count from {run[0]} to {run[-1]}."), assistant(", ".join(run))]
    if kind == 5:
        a, b = dice.randrange(1, 11), dice.randrange(1, 11)
        asked = dice.choice((f"What is {a} plus {b}?", f"How much is {a} + {b}?", f"Add {a} and {b}."))
        return [user(asked), assistant(f"{a} plus {b} is {a + b}.")]
    if kind == 6:
        a, b = sorted((dice.randrange(1, 21), dice.randrange(1, 21)))
        return [user(f"What is {b} minus {a}?"), assistant(f"{b} minus {a} is {b - a}.")]
    if kind == 7:
        numbers = dice.sample(range(1, 100), dice.randrange(2, 5))
        largest = dice.random() < 0.5
        asked = f"Which number is the {'largest' if largest else 'smallest'}: {', '.join(map(str, numbers))}?"
        return [user(asked), assistant(f"{max(numbers) if largest else min(numbers)}.")]
    if kind == 8:
        what, pool = dice.choice(
            (("colours", COLOURS), ("animals", PETS), ("days", DAYS), ("months", MONTHS), ("jobs", JOBS))
        )
        n = dice.randrange(2, 6)
        some = dice.sample(list(pool), n)
        return [user(f"Name {_NUMBERS[n]} {what}."), assistant(capital(", ".join(some)) + ".")]
    if kind == 9:
        word = items[0].lower()
        return [user(f"Spell the word {word}."), assistant("-".join(word))]
    if kind == 10:
        odd = dice.choice(THINGS)
        among = [*dice.sample(PETS, 3), odd]
        dice.shuffle(among)
        return [user(f"Which of these is no animal: {', '.join(among)}?"), assistant(capital(odd) + ".")]
    if kind == 11:
        ordered = sorted(items, key=str.lower)
        return [user(f"Put these in the order of the alphabet: {line}"), assistant(", ".join(ordered))]
    if kind == 12:
        word = items[0]
        present = dice.random() < 0.5
        shown = items if present else items[1:]
        return [user(f"Is the word {word} among these: {', '.join(shown)}?"), assistant("Yes." if present else "No.")]
    key = dice.choice(("opposite", "young"))
    subject, value = dice.choice(list(COMMON[key].items()))
    shots = dice.sample([pair for pair in COMMON[key].items() if pair[0] != subject], 2)
    return [
        user("\n".join([*(f"{a} -> {b}" for a, b in shots), f"{subject} ->"])),
        assistant(value),
    ]


def conversation(dice: random.Random) -> list[Turn]:
    """A conversation of any of these kinds, sometimes with a system message."""
    kinds = ((small_talk, 3), (story, 4), (unknown, 2), (yes_or_no, 3), (drill, 5))
    turns = dice.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0](dice)
    if dice.random() < 0.15:
        turns = [{"role": "system", "content": dice.choice(SYSTEMS)}, *turns]
    return turns
