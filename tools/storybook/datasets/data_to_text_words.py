"""The words of the data-to-text set: the values of each attribute and how each is put into words, by split.

`|` divides the values of every split from those that the training split never shows, so that names must be copied, not recalled.
"""
# ruff: noqa: E501  (tables of phrases: a phrase stays on its line)

from __future__ import annotations

_FIRST = (
    "Fern Rose Bramble Willow Heron Swallow Plum Ivy Juniper Badger Meadow Poppy Raven Clover Hazel Otter Cherry Linden Robin"
    " Thistle Maple Pebble Kestrel Apple Lavender Sparrow Walnut Magpie Nettle Starling"
    " | Wren Alder Cuckoo Mallow Plover Quince Sorrel Gannet Medlar Tansy Dunlin Bilberry Falcon Osprey"
).partition("|")
_LAST = ["Cottage", "House", "Lodge", "Hall", "Rest", "End", "Corner", "Croft", "Nook", "View"]

_VALUES = {
    "kind": "cottage, farmhouse, mill, barn, cabin, boathouse, tower, bungalow, manor, lighthouse, chapel, schoolhouse, forge,"
    " inn | vicarage, castle, windmill, hut, dairy, villa",
    "place": "Harwick, Elmstead, Brockley, Penmarsh, Oldcastle, Tarnby, Wexcombe, Millford, Ashby, Crowmere, Stanhope, Lowick,"
    " Farleigh, Dunmoor, Selby, Overton | Kingsmarsh, Thornwick, Yarrowby, Gatley, Marlford, Ninebridge, Ullcombe",
    "sleeps": "two, three, four, five, six, seven, eight, nine, ten | twelve, fourteen, eleven",
    "near": "the harbour, the forest, the church, the station, the lake, the beach, the market square, the old bridge,"
    " the river, the cliffs, the village green, the railway, the post office, the moor, the vineyard"
    " | the waterfall, the abbey, the canal, the golf course, the dunes, the orchard, the ferry",
    "garden": "walled, wild, large, small, sunny, shady, terraced, neat, none | formal, quiet, sloping, flowery",
    "feature": "an open fire, a piano, oak beams, a rowing boat, a library, a wood stove, a stone floor, a roof terrace,"
    " a large kitchen, a copper bath, a tennis court, bunk beds, a spiral stair, a grandfather clock, thick walls"
    " | a sauna, a billiard table, stained glass, a bread oven, a hammock, a four-poster bed, a telescope, a cider press",
    "pets": "yes, no",
    "price": "low, fair, high",
}

#: Attributes after the name, in the order in which a meaning representation gives them.
ATTRIBUTES = tuple(_VALUES)


def values() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Attribute -> the values of every split, and those that training never shows; "name" has two parts."""

    def side(i: int) -> dict[str, list[str]]:
        names = [f"{first} {last}" for first in _FIRST[i].split() for last in _LAST]
        listed = {a: [v.strip() for v in text.partition("|")[i].split(",")] for a, text in _VALUES.items()}
        return {"name": names} | {a: known for a, known in listed.items() if known != [""]}

    return side(0), side(2)


#: How the text begins: `{np}` is "a mill" or "a place to stay", `{in}` and `{by}` are empty where there is nothing to say.
OPENINGS = {
    "train": [
        "{name} is {np}{in}{by}.",
        "{name} is the name of {np}{in}{by}.",
        "you will find {name}, {np},{in}{by}.",
        "there is {np} called {name}{in}{by}.",
        "if you want {np}{in}{by}, try {name}.",
        "do you know {name}? It is {np}{in}{by}.",
        "to let: {name}, {np}{in}{by}.",
        "{np}{in}{by} can be yours for a week: {name}.",
        "stay at {name}, {np}{in}{by}.",
        "{name}{in} is {np}{by}.",
        "we let {name}, {np}{in}{by}.",
        "come to {name}, {np}{in}{by}.",
    ],
    "validation": [
        "why not spend a week at {name}, {np}{in}{by}?",
        "{name}{in}{by} has been {np} for many years.",
        "{np} known as {name} waits for you{in}{by}.",
        "our {name} is {np}{in}{by}.",
    ],
    "test": [
        "have a look at {name}, {np}{in}{by}.",
        "{name} may please you: it is {np}{in}{by}.",
        "among the places to let is {name}, {np}{in}{by}.",
        "whoever wants {np}{in}{by} should ask for {name}.",
        "{np}{in}{by} goes by the name of {name}.",
    ],
}

#: Words for the place, and for what is near.
LOCATIONS = {"train": [" in {place}"], "validation": [" at {place}"], "test": [" in {place}", " at {place}"]}
NEIGHBOURS = {
    "train": [" near {near}", " close to {near}", " by {near}"],
    "validation": [" not far from {near}", " near {near}"],
    "test": [" within sight of {near}", " close to {near}", " a short walk from {near}"],
}

#: attribute, or attribute=value -> split -> what "it" does
PHRASES = {
    "sleeps": {
        "train": [
            "sleeps {sleeps}",
            "has beds for {sleeps}",
            "has room for {sleeps} people",
            "takes {sleeps} guests",
        ],
        "validation": ["can hold {sleeps} people", "sleeps up to {sleeps} guests"],
        "test": [
            "offers beds to {sleeps} people",
            "sleeps {sleeps} in comfort",
            "is made for {sleeps} guests",
        ],
    },
    "feature": {
        "train": ["has {feature}", "comes with {feature}", "offers {feature}"],
        "validation": ["delights you with {feature}", "can boast of {feature}"],
        "test": ["is proud of {feature}", "treats you to {feature}", "can show you {feature}"],
    },
    "garden": {
        "train": [
            "has a(n) {garden} garden",
            "stands in a(n) {garden} garden",
            "looks onto a(n) {garden} garden",
        ],
        "validation": ["looks out on a(n) {garden} garden", "is set in a(n) {garden} garden"],
        "test": [
            "adds a(n) {garden} garden",
            "lies in a(n) {garden} garden",
            "gives you a(n) {garden} garden",
        ],
    },
    "garden=none": {
        "train": ["has no garden", "comes without a garden"],
        "validation": ["has no garden to sit in"],
        "test": ["has no garden at all", "is without a garden"],
    },
    "pets=yes": {
        "train": ["welcomes dogs", "is open to dogs", "is glad to see dogs"],
        "validation": ["welcomes dogs as well"],
        "test": ["welcomes dogs of any size", "is open to dogs too"],
    },
    "pets=no": {
        "train": ["takes no dogs", "is closed to dogs", "allows no dogs"],
        "validation": ["has to say no to dogs"],
        "test": ["lets no dogs in", "is closed to dogs, big or small"],
    },
    "price=low": {
        "train": ["is cheap", "costs little", "has a low price"],
        "validation": ["costs very little"],
        "test": ["is quite cheap", "can be had at a low price"],
    },
    "price=fair": {
        "train": ["has a fair price", "is fairly priced", "costs a moderate sum"],
        "validation": ["can be had at a moderate price"],
        "test": ["asks a fair price", "costs no more than a moderate sum"],
    },
    "price=high": {
        "train": ["is expensive", "costs a great deal", "has a high price"],
        "validation": ["is rather expensive"],
        "test": ["asks a high price", "is expensive to rent"],
    },
}

#: How the phrases of "it" are joined into sentences.
JOINS = {
    "train": [
        "It {a} and {b}.",
        "It {a}; it {b}.",
        "The house {a} and {b}.",
        "It {a}. It {b}.",
        "Note that it {a} and {b}.",
    ],
    "validation": [
        "It {a}, and it also {b}.",
        "This house {a} and {b}.",
        "You may like to hear that it {a} and {b}.",
    ],
    "test": [
        "The place {a} and {b}.",
        "What is more, it {a} and {b}.",
        "Not only that: it {a} and {b}.",
        "It {a} and it {b}.",
    ],
}
SINGLES = {
    "train": ["It {a}.", "The house {a}.", "Mark that it {a}.", "Remember that it {a}."],
    "validation": ["This house {a}.", "It {a}.", "Know also that it {a}."],
    "test": ["The place {a}.", "Better still, it {a}.", "Mind that it {a}.", "It {a}."],
}

#: Wordings by which a scorer knows a value that is not said literally.
SAID = {
    "garden=none": ["no garden", "without a garden"],
    "pets=yes": ["welcomes dogs", "open to dogs", "glad to see dogs"],
    "pets=no": ["no dogs", "no to dogs", "closed to dogs"],
    "price=low": ["cheap", "costs little", "costs very little", "low price"],
    "price=fair": ["fair price", "fairly priced", "moderate"],
    "price=high": ["expensive", "a great deal", "high price"],
}

#: Words that give an attribute away: where it was not asked for, they are an addition.
TELLTALES = {
    "sleeps": ["sleeps", "beds for", "room for", "guests", "people"],
    "near": ["near", "close to", "walk from", "far from", "sight of"],
    "garden": ["garden"],
    "pets": ["dogs"],
    "price": ["cheap", "price", "fairly priced", "expensive", "costs"],
}
