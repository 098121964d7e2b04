"""The words of today, which the old books lack: what people ask of a telephone or a bank, and say of things.

Requests are drawn from a small grammar for each topic, so that words of one topic meet each other in many ways. They
are read as plain lines, as conversations, and with the question what they are about.
"""

from __future__ import annotations

import random

from tools.storybook.telling import Turn, assistant, user

#: topic -> (things one wants done, objects, circumstances, a reply)
TOPICS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], str]] = {
    "music": (
        ("play", "put on", "start", "skip", "queue up", "shuffle", "turn up"),
        ("the next song", "some jazz", "my workout playlist", "a rock album", "that new track", "the radio",
        "a lullaby"),
        ("on the speaker", "in the kitchen", "by my favourite band", "from the nineties", "at low volume"),
        "Playing it now.",
    ),
    "weather": (
        ("tell me", "check", "look up", "find out"),
        ("the weather forecast", "whether it will rain", "the temperature outside", "if it will snow",
        "how windy it gets"),
        ("for tomorrow", "this weekend", "in the mountains", "at the beach", "tonight"),
        "Here is the forecast.",
    ),
    "alarm": (
        ("set", "cancel", "change", "snooze"),
        ("an alarm", "my alarm", "a timer", "a reminder", "the wake-up call"),
        ("for six in the morning", "for twenty minutes", "every weekday", "on Saturday", "an hour later"),
        "The alarm is set.",
    ),
    "bank card": (
        ("block", "activate", "replace", "order", "unlock"),
        ("my credit card", "my debit card", "the lost card", "a new bank card", "my virtual card"),
        ("because it was stolen", "that has expired", "in the app", "before my trip",
        "since the cash machine kept it"),
        "I can help you with your card.",
    ),
    "payment": (
        ("explain", "cancel", "refund", "dispute", "check"),
        ("a pending payment", "the fee on my statement", "a direct debit", "a charge I do not know",
        "the exchange rate"),
        ("from last week", "in a foreign currency", "on my account", "that was charged twice", "at the shop"),
        "Let me look at that payment.",
    ),
    "transfer": (
        ("send", "transfer", "move", "wire"),
        ("money", "fifty pounds", "my salary", "the rent", "a deposit"),
        ("to my savings account", "to a friend", "abroad", "to another bank", "by tomorrow"),
        "The transfer is on its way.",
    ),
    "account": (
        ("open", "close", "verify", "update", "check"),
        ("my account", "my bank account", "the balance", "my identity", "my personal details", "my PIN",
        "my password"),
        ("online", "with my passport", "because I moved house", "in the app", "for my child"),
        "I can help you with your account.",
    ),
    "restaurant": (
        ("book", "reserve", "find", "cancel"),
        ("a table", "a table for four", "a restaurant", "a place for dinner", "a pizza place", "a sushi bar"),
        ("near the station", "for tonight", "with vegetarian food", "at eight o'clock", "that allows dogs"),
        "Your table is booked.",
    ),
    "recipe": (
        ("show me", "find", "read me", "suggest"),
        ("a recipe", "the ingredients", "how long to bake it", "a substitute for butter", "how many calories it has"),
        ("for pasta", "for chocolate cake", "without nuts", "for six people", "in the oven"),
        "Here is a recipe.",
    ),
    "travel": (
        ("book", "find", "cancel", "compare"),
        ("a flight", "a hotel room", "a train ticket", "a rental car", "a visa", "my luggage", "a bus ticket"),
        ("to Berlin", "for next Friday", "with one suitcase", "near the airport", "for two adults and a child"),
        "Here is what I found for your trip.",
    ),
    "traffic": (
        ("show me", "find", "tell me", "avoid"),
        ("the fastest route", "the traffic", "a parking lot", "a gas station", "the directions", "the distance"),
        ("to work", "on the highway", "to the city centre", "without tolls", "by bike"),
        "Here is the way.",
    ),
    "car": (
        ("check", "change", "fix", "schedule"),
        ("the tire pressure", "the oil", "a car service", "the engine light", "my car insurance", "the brakes"),
        ("before winter", "at the garage", "on my old car", "next week", "after the accident"),
        "Let us look after the car.",
    ),
    "calendar": (
        ("add", "move", "delete", "show"),
        ("a meeting", "the appointment", "my schedule", "a birthday", "the deadline", "my holiday request"),
        ("on my calendar", "to Thursday", "with my boss", "at noon", "for next month"),
        "Your calendar is up to date.",
    ),
    "shopping": (
        ("add", "order", "buy", "track", "return"),
        ("milk and eggs", "a pair of shoes", "my parcel", "a birthday gift", "the package", "a new phone"),
        ("to the shopping list", "online", "with free delivery", "in a larger size", "from the store"),
        "It is on your list.",
    ),
    "smart home": (
        ("turn off", "turn on", "dim", "switch off"),
        ("the lights", "the heating", "the television", "the air conditioner", "the vacuum cleaner",
        "the coffee machine"),
        ("in the bedroom", "at midnight", "when I leave", "on the ground floor", "right now"),
        "Done.",
    ),
    "message": (
        ("send", "read", "write", "reply to", "delete"),
        ("a text message", "an email", "my voicemail", "a message", "the last email"),
        ("to my mother", "from the office", "that I will be late", "with a photo", "about the party"),
        "The message is sent.",
    ),
    "film": (
        ("find", "show me", "book tickets for", "rate", "recommend"),
        ("a movie", "the film schedule", "a comedy", "a TV series", "a documentary", "the new thriller",
        "an animated film"),
        ("at the cinema", "with good reviews", "five stars", "for the children", "on tonight"),
        "Here are some films.",
    ),
    "book": (
        ("rate", "recommend", "find", "give four points to", "add"),
        ("this novel", "a textbook", "the current chapter", "an essay", "the series", "the audio book"),
        ("out of five", "to my reading list", "by the same author", "in the library", "for the beach"),
        "Thank you for the rating.",
    ),
    "health": (
        ("find", "tell me about", "book", "remind me of"),
        ("a doctor", "my vaccination", "the pharmacy", "my blood pressure", "a dentist appointment", "my steps"),
        ("near me", "for my headache", "after the operation", "this month", "before breakfast"),
        "I hope you feel better soon.",
    ),
    "work": (
        ("ask for", "check", "submit", "plan"),
        ("a day off", "my salary", "the tax form", "my vacation days", "the pension plan", "my pay slip"),
        ("at the office", "for last year", "with the manager", "before Friday", "in the new job"),
        "I will look that up.",
    ),
    "language": (
        ("translate", "spell", "define", "pronounce"),
        ("this word", "a sentence", "the phrase", "good morning", "an idiom"),
        ("in Spanish", "into Chinese", "from German", "for my homework", "correctly"),
        "Here is the translation.",
    ),
}  # fmt: skip
_FRAMES = (
    "{v} {o} {c}", "please {v} {o} {c}", "can you {v} {o} {c}?", "I want to {v} {o} {c}", "I need to {v} {o} {c}",
    "could you {v} {o}?", "how do I {v} {o} {c}?", "{v} {o}", "I would like to {v} {o}",
    "is it possible to {v} {o} {c}?",
    "why can't I {v} {o} {c}?", "{c}, {v} {o}", "I tried to {v} {o} {c}, but it does not work", "when can I {v} {o}?",
    "help me {v} {o} {c}", "what happens if I {v} {o} {c}?", "you have to {v} {o} {c}",
)  # fmt: skip

GOODS: dict[str, tuple[str, ...]] = {
    "phone": ("battery", "screen", "camera", "charger", "sound", "signal", "case"),
    "laptop": ("keyboard", "screen", "battery", "fan", "price", "processor", "weight"),
    "hotel": ("room", "bed", "breakfast", "staff", "view", "wifi", "bathroom"),
    "restaurant": ("food", "service", "soup", "menu", "waiter", "price", "dessert"),
    "film": ("plot", "acting", "music", "ending", "picture", "cast", "pace"),
    "printer": ("ink", "paper tray", "software", "quality", "setup", "speed", "price"),
    "vacuum cleaner": ("cord", "noise", "suction", "filter", "weight", "price", "handle"),
    "headphones": ("sound", "bass", "cable", "comfort", "fit", "microphone", "price"),
    "camera": ("lens", "zoom", "menu", "battery", "picture quality", "size", "memory card"),
    "book": ("story", "characters", "style", "cover", "ending", "chapters", "translation"),
    "shoes": ("sole", "fit", "colour", "leather", "laces", "comfort", "price"),
    "player": ("remote", "sound", "picture", "menu", "size", "price", "manual"),
}
_GOOD = (
    "great", "excellent", "very good", "wonderful", "better than expected", "easy to use", "reliable", "superb",
    "fast",
    "comfortable", "a real pleasure", "well made", "worth the money", "impressive", "clear", "perfect", "nice",
    "solid",
)  # fmt: skip
_BAD = (
    "terrible", "poor", "very bad", "disappointing", "worse than expected", "hard to use", "unreliable", "awful",
    "slow",
    "uncomfortable", "a real nuisance", "badly made", "a waste of money", "too loud", "dull", "faulty", "cheap",
    "weak",
)  # fmt: skip
_PLEASED = (
    "I am very happy with it.", "I would buy it again.", "I recommend it.", "I love it.", "Five stars.", "Well done!",
    "It works like a charm.", "My family likes it too.", "No complaints at all.", "It does all I need.",
)  # fmt: skip
_CROSS = (
    "I am not happy with it.", "I would not buy it again.", "I cannot recommend it.", "I regret it.", "One star.",
    "I sent it back.", "It broke after a week.", "I want my money back.", "Never again.", "Save your money.",
)  # fmt: skip


def request(topic: str, dice: random.Random) -> str:
    verbs, objects, circumstances, _ = TOPICS[topic]
    text = dice.choice(_FRAMES).format(v=dice.choice(verbs), o=dice.choice(objects), c=dice.choice(circumstances))
    return text if dice.random() < 0.5 else text[:1].upper() + text[1:]


def review(dice: random.Random) -> str:
    """What somebody says of a thing: mostly praise, mostly blame, or some of both."""
    thing = dice.choice(list(GOODS))
    mood = dice.choice(("good", "bad", "both"))
    parts = []
    for part in dice.sample(GOODS[thing], dice.randrange(1, 4)):
        praise = mood == "good" or (mood == "both" and dice.random() < 0.5)
        word = dice.choice(_GOOD if praise else _BAD)
        if dice.random() < 0.12:
            word = "not " + dice.choice(_BAD if praise else _GOOD)
        verb = dice.choice(("is", "is", "was", "turned out to be", "seems"))
        parts.append(dice.choice((f"The {part} {verb} {word}.", f"I find the {part} {word}.", f"{part}: {word}.")))
    opening = dice.choice((f"I bought this {thing} last month.", f"About the {thing}:", f"My {thing}.", "", ""))
    closing = "" if mood == "both" else dice.choice(_PLEASED if mood == "good" else _CROSS)
    return " ".join(part for part in (opening, *parts, closing) if part)


def prose(dice: random.Random) -> str:
    """Some lines of requests of one topic, or some reviews."""
    if dice.random() < 0.5:
        return "\n\n".join(review(dice) for _ in range(dice.randrange(1, 5)))
    topic = dice.choice(list(TOPICS))
    return "\n".join(request(topic, dice) for _ in range(dice.randrange(2, 7)))


def conversation(dice: random.Random) -> list[Turn]:
    """A request with its reply, or with the question what it is about (sometimes with a choice of topics)."""
    topic = dice.choice(list(TOPICS))
    asked = request(topic, dice)
    kind = dice.random()
    if kind < 0.35:
        return [user(asked), assistant(TOPICS[topic][3])]
    if kind < 0.7:
        order = dice.choice(("What is this about?", "Name the topic.", "Which topic is it?"))
        return [user(f"{order}\n{asked}" if dice.random() < 0.5 else f"{asked}\n{order}"), assistant(topic)]
    choices = dice.sample([other for other in TOPICS if other != topic], dice.randrange(1, 5))
    choices.append(topic)
    dice.shuffle(choices)
    return [user(f"{asked}\nIs this about {', '.join(choices[:-1])} or {choices[-1]}?"), assistant(topic)]
