"""Scenes and slots of the intent set: remarks that ask nothing, and what fills the slots of requests and remarks."""
# ruff: noqa: E501  (tables of phrases: a phrase stays on its line)

from __future__ import annotations

#: Remarks that set a scene and ask nothing: class whose words they borrow -> split -> remarks
REMARKS = {
    "alarm": {
        "train": ["I got up at {time}", "my old alarm clock is broken", "{person} always sleeps late"],
        "validation": ["I was awake half the night"],
        "test": ["the bell rang at {time} for nothing", "I have not slept since {time}"],
    },
    "cooking": {
        "train": [
            "I am baking {dish}",
            "{dish} is on the stove",
            "{person} is peeling {veg}",
            "supper is at {time}",
        ],
        "validation": ["the kitchen smells of {dish}", "I have just chopped {veg}"],
        "test": ["{person} taught me to fry {meat}", "there is flour all over me", "my recipe book is lost"],
    },
    "home": {
        "train": [
            "the {room} is dark",
            "the {device} hums",
            "I am sitting in the {room}",
            "the {door} is open",
        ],
        "validation": ["somebody has left the {door} open", "I have just swept the {room}"],
        "test": ["the {machine} has stopped", "{person} painted the {room}", "the {room} window is stuck"],
    },
    "message": {
        "train": [
            "{person} wrote to me {past}",
            "I have just talked to {person}",
            "{person} never answers letters",
        ],
        "validation": ["{person}'s letter made me laugh"],
        "test": ["{person} told me the news", "I have {person} on the telephone"],
    },
    "music": {
        "train": [
            "{person} is playing the piano",
            "the band was too loud",
            "I sang all day",
            "I have {tune} in my head",
        ],
        "validation": ["{person} hums {tune}", "the concert is over"],
        "test": ["{tune} kept me awake", "my violin needs a string", "I danced until {time}"],
    },
    "shopping": {
        "train": [
            "I bought {goods} {past}",
            "I have been to the shop",
            "there is no {food} left",
            "my purse is empty",
        ],
        "validation": ["{person} has bought {goods} again", "the market was crowded"],
        "test": ["{goods} are on sale", "{person} paid for {food}", "I carried {food} home"],
    },
    "travel": {
        "train": [
            "I am going to {town} {day}",
            "my {vehicle} leaves at {time}",
            "I have just come back from {town}",
        ],
        "validation": ["I missed the {vehicle}", "{person} has moved to {town}"],
        "test": ["the {vehicle} was full", "I am packing for {town}", "the road to {town} is closed"],
    },
    "weather": {
        "train": ["it is raining", "it was cold {past}", "what a lovely sunny day", "I got wet through"],
        "validation": ["the wind woke me", "there is snow on the roof"],
        "test": ["I hate this fog", "the sun is in my eyes", "my umbrella blew away"],
    },
}

_LEXICON = {
    "time": "six, seven, eight, nine, ten, noon, half past six, half past seven, half past eight, a quarter to nine,"
    " a quarter past five, five, four | eleven, half past nine, a quarter to seven, midnight, ten past six",
    "minutes": "five minutes, ten minutes, fifteen minutes, twenty minutes, half an hour, an hour, two hours"
    " | eight minutes, forty minutes, three hours, a quarter of an hour",
    "day": "today, tomorrow, on Monday, on Tuesday, on Wednesday, on Thursday, on Friday, this week"
    " | on Saturday, on Sunday, this evening, at the weekend",
    "past": "yesterday, last night, on Monday, last week, this morning, on Thursday | on Friday, last Sunday, today",
    "person": "Anna, Tom, Mary, John, Ruth, Peter, Alice, George, my mother, my father, my sister, my brother, Ellen,"
    " Harry, Rose, Frank | Martha, Simon, Clara, Hugh, my aunt, my neighbour, Walter, Nora, the doctor",
    "town": "Oxford, Bath, York, Dover, Paris, Boston, Lisbon, Leeds, Dublin, Chester, Rome, Vienna, Bristol, Hull"
    " | Berlin, Exeter, Madrid, Durham, Athens, Lincoln, Cork, Geneva",
    "vehicle": "train, bus, coach, boat, ferry | tram, night train, steamer",
    "ahead": "before, an hour before, a little before",
    "room": "kitchen, bedroom, hall, study, bathroom, living room, dining room, nursery"
    " | attic, cellar, library, workshop, guest room",
    "device": "lamp, heater, fan, light, fire, oven | stove, radiator, boiler",
    "door": "front door, back door, garden gate, garage | cellar door, side door, shed",
    "machine": "washing machine, dishwasher, dryer | vacuum cleaner, coffee maker",
    "food": "butter, milk, flour, sugar, rice, fish, cheese, bread, beef, salt, honey, ham, pasta, pepper"
    " | garlic, bacon, barley, cream, oatmeal, mustard, lamb",
    "veg": "cabbage, spinach, pumpkin, this carrot, the onion, a potato, an apple, a pear | garlic, celery, a leek, fennel",
    "meat": "fish, beef, ham, chicken, mutton, an egg | bacon, lamb, duck, a trout",
    "dish0": "soup, stew, sauce, pie, curry",
    "dish": "the soup, apple pie, the stew, a cake, bread, the roast, a pancake, an omelette, rice pudding, fish soup,"
    " a chicken pie, jam | plum cake, dumpling stew, the gravy, a cheese tart, mushroom soup, gingerbread",
    "goods": "boots, gloves, candles, shoes, batteries, towels, stamps, tea cups, curtains, socks, blankets, plates"
    " | scissors, slippers, skis, headphones, garden chairs, buttons",
    "tune": "a waltz, some jazz, an old sea song, a piano piece, the new song by the Blue Owls, a lullaby, a march,"
    " some violin music, a love song, the radio | a polka, an opera, some folk songs, a string quartet, a carol",
    "mood": "cheerful, quiet, slow, lively, sad, gentle, loud, old | romantic, jolly, solemn, dreamy, wild",
}


def lexicon(split: str) -> dict[str, list[str]]:
    """Slot -> values; the second half of each list is kept from the training split."""
    halves = {slot: text.partition("|") for slot, text in _LEXICON.items()}
    return {
        slot: [v.strip() for v in (common if split == "train" else f"{common},{rare}").split(",") if v.strip()]
        for slot, (common, _, rare) in halves.items()
    }
