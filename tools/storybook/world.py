"""A small, consistent world of people and places, and some common knowledge: the facts that the base model learns.

Everything follows from `SEED`: the same people live in the same places in every build. `facts()` lists what is true,
one `Fact` a line; `people()` and `places()` give the same as records. What is said and asked about a fact of a kind
is in `phrases`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

SEED = 8


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


WOMEN = words(
    "Ada Mabel Nora Ivy Tilda Rosa Edith Greta Hester Juno Lottie Minna Opal Petra Selma Thea Ursula Vera Willa "
    "Zelda "
    "Bridget Clara Dinah Elsie Flora Gwen Harriet Imogen Jessamy Kitty"
)
MEN = words(
    "Abel Barnaby Caleb Dorian Edmund Felix Gideon Hugo Ivor Jasper Kester Leopold Magnus Ned Oswin Percy Quentin "
    "Rufus Silas Tobias Ulric Victor Walter Alban Bertram Conrad Dunstan Ephraim Godfrey Harold"
)
FAMILIES = words(
    "Ashdown Birch Calloway Dunn Elder Fairweather Garland Hollis Ingram Juniper Kettle Lark Marlow Nettle Oakes "
    "Penrose Quill Rook Sorrel Thatcher Underhill Vane Wick Yarrow Brock Crane Finch Gale Heron Linnet"
)
PLACES = (
    ("Thornby", "village", "on the river Wend", "apples", "the Lantern", "a stone bridge"),
    ("Marlow Green", "village", "at the foot of Harrow Hill", "honey", "the Old Plough", "a round pond"),
    ("Saltmouth", "port", "on the east coast", "herrings", "the Blue Anchor", "a tall lighthouse"),
    ("Pinefold", "village", "in the middle of Amber Wood", "baskets", "the Squirrel", "a hollow oak"),
    (
        "Kingsferry",
        "town",
        "where two rivers meet",
        "clocks",
        "the Golden Oar",
        "a town hall with a copper roof",
    ),
    ("Coldwell", "village", "high on the moor", "wool", "the Three Rams", "a deep well"),
    ("Bellhaven", "town", "on Gull Bay", "church bells", "the Silver Gull", "a long pier"),
    ("Stonebeck", "village", "beside Lake Mirren", "slate", "the Kingfisher", "a water mill"),
    ("Wickham Cross", "town", "on the old north road", "candles", "the Coach and Horses", "a market cross"),
    ("Larkfield", "village", "among the barley fields", "bread", "the Wheatsheaf", "a white windmill"),
    ("Dunmere", "town", "in the valley of the Tarn", "pottery", "the Brown Jug", "a red brick tower"),
    ("Foxholt", "village", "on the edge of the great forest", "mushrooms", "the Merry Fox", "a ruined abbey"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
JOBS = words(
    "baker blacksmith teacher doctor fisherman gardener carpenter tailor shepherd miller postman librarian potter "
    "beekeeper clockmaker shoemaker farmer ferryman ropemaker painter cook nurse mason weaver innkeeper sailor "
    "lamplighter candlemaker bookseller grocer"
)
PETS = (
    "dog",
    "cat",
    "parrot",
    "rabbit",
    "pony",
    "goat",
    "tortoise",
    "goose",
    "hedgehog",
    "donkey",
    "owl",
    "ferret",
)
PET_NAMES = words(
    "Biscuit Pepper Marble Button Tansy Rusty Pickle Cobweb Thimble Nutmeg Bramble Dumpling Ginger Hazel Inky Jigsaw "
    "Kipper Lemon Muffin Noodle Otter Pudding Quince Radish Sooty Toffee Umber Velvet Whisker Yoyo Acorn Bonnet "
    "Cricket "
    "Dusty Ember Fidget Gravy Hopper Iris Jelly Kettledrum Lupin Mittens Nibble Oatcake Parsley Quiver Ripple "
    "Sixpence "
    "Truffle Usher Viola Wafer Yarn Apricot Bluebell Comet Dandy Echo Fern"
)
COLOURS = ("red", "blue", "green", "yellow", "white", "black", "brown", "grey", "purple", "orange")
COATS = ("white", "black", "brown", "grey", "spotted", "golden")
THINGS = words(
    "bicycle boat umbrella kite lantern trunk coat hat fiddle drum teapot chair wheelbarrow clock telescope scarf "
    "accordion basket mirror desk"
)
KEPT = (
    "under the stairs", "in the attic", "behind the kitchen door", "in the garden shed", "beside the fireplace",
    "in the cellar", "on top of the wardrobe", "in the barn", "in the hall", "under the bed", "by the window",
    "at the back of the shop",
)  # fmt: skip
FOODS = (
    "plum cake", "pea soup", "roast chicken", "apple pie", "toasted cheese", "fish stew", "porridge with honey",
    "ginger biscuits", "mushroom pie", "boiled eggs", "pancakes", "bread and jam", "baked potatoes",
    "gooseberry tart",
    "onion soup",
)  # fmt: skip
HOBBIES = (
    "painting", "fishing", "dancing", "playing chess", "singing", "reading", "collecting shells", "bird watching",
    "growing roses", "telling stories", "swimming", "climbing hills", "knitting", "flying kites", "carving wood",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Somebody of the world; `gender` is "woman" or "man", `friend` the given name of somebody else."""

    given: str
    family: str
    gender: str
    age: int
    home: str
    job: str
    pet: str
    pet_name: str
    pet_colour: str
    thing: str
    thing_colour: str
    kept: str
    food: str
    hobby: str
    friend: str

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    @property
    def pronouns(self) -> tuple[str, str, str]:
        """Subject, object and possessive: ("she", "her", "her")."""
        return ("she", "her", "her") if self.gender == "woman" else ("he", "him", "his")


@dataclass(frozen=True)
class Place:
    """A village, town or port of the world."""

    name: str
    kind: str
    lies: str
    known: str
    inn: str
    sight: str
    market: str


@dataclass(frozen=True)
class Fact:
    """One thing that is true: `subject` has `value` in the relation `kind` (a key of `phrases.KINDS`).

    `about` holds further words that the phrases of the kind may use, such as {"thing": "kite", "they": "she"}.
    """

    kind: str
    subject: str
    value: str
    about: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subject}"

    def words(self) -> dict[str, str]:
        """Every word that a phrase about this fact can use."""
        return {"s": self.subject, "v": self.value, **dict(self.about)}


def article(noun: str) -> str:
    """The noun with its indefinite article: "an owl", "a blue kite"."""
    return f"an {noun}" if noun[0] in "aeiouAEIOU" else f"a {noun}"


def capital(sentence: str) -> str:
    """The sentence with its first letter in upper case."""
    return sentence[:1].upper() + sentence[1:]


@cache
def places() -> tuple[Place, ...]:
    """The places of the world."""
    return tuple(Place(*row, market=DAYS[(i * 3 + 1) % 7]) for i, row in enumerate(PLACES))


@cache
def people() -> tuple[Person, ...]:
    """The people of the world: sixty, each given name once; friends are mutual, pet names are unique."""
    dice = random.Random(SEED)
    names = [(name, "woman") for name in WOMEN] + [(name, "man") for name in MEN]
    dice.shuffle(names)
    pets = list(PET_NAMES)
    dice.shuffle(pets)
    families = FAMILIES * 2
    jobs = [job.replace("-", " ") for job in JOBS] * 2
    dice.shuffle(jobs)
    # Two people of one job never live in one place, so that "the baker of Thornby" is one person.
    homes = [places()[i % len(places())].name for i in range(len(names))]
    dice.shuffle(homes)
    for i in range(len(names)):
        while any(jobs[i] == jobs[j] and homes[i] == homes[j] for j in range(len(names)) if j != i):
            j = dice.randrange(len(names))
            homes[i], homes[j] = homes[j], homes[i]
    found = []
    for i, (given, gender) in enumerate(names):
        found.append(
            Person(
                given,
                families[i],
                gender,
                dice.randrange(19, 80),
                homes[i],
                jobs[i],
                dice.choice(PETS),
                pets[i],
                dice.choice(COATS),
                dice.choice(THINGS),
                dice.choice(COLOURS),
                dice.choice(KEPT),
                dice.choice(FOODS),
                dice.choice(HOBBIES),
                names[i ^ 1][0],
            )
        )
    return tuple(found)


#: Common knowledge: kind -> subject -> value.
COMMON: dict[str, dict[str, str]] = {
    "sound": {
        "dog": "barks", "cat": "mews", "cow": "moos", "sheep": "bleats", "horse": "neighs", "pig": "grunts",
        "duck": "quacks", "hen": "clucks", "owl": "hoots", "lion": "roars", "wolf": "howls", "frog": "croaks",
        "bee": "buzzes", "snake": "hisses", "donkey": "brays", "mouse": "squeaks",
    },
    "legs": {
        "dog": "four", "cat": "four", "horse": "four", "cow": "four", "spider": "eight", "beetle": "six",
        "ant": "six",
        "hen": "two", "duck": "two", "snake": "no", "fish": "no", "bee": "six", "sheep": "four", "crab": "ten",
    },
    "colour": {
        "grass": "green", "snow": "white", "coal": "black", "blood": "red", "the clear sky": "blue", "milk": "white",
        "a ripe lemon": "yellow", "a ripe strawberry": "red", "chocolate": "brown", "a carrot": "orange",
        "an elephant": "grey", "the sun in a picture": "yellow", "gold": "yellow", "soot": "black",
    },
    "opposite": {
        "hot": "cold", "big": "small", "up": "down", "happy": "sad", "fast": "slow", "day": "night", "old": "young",
        "open": "closed", "wet": "dry", "light": "dark", "full": "empty", "rich": "poor", "early": "late",
        "loud": "quiet", "hard": "soft", "long": "short", "high": "low", "near": "far", "clean": "dirty",
        "strong": "weak", "good": "bad", "left": "right", "first": "last",
    },
    "young": {
        "dog": "puppy", "cat": "kitten", "cow": "calf", "sheep": "lamb", "horse": "foal", "pig": "piglet",
        "duck": "duckling", "hen": "chick", "goat": "kid", "bear": "cub", "frog": "tadpole", "goose": "gosling",
    },
    "dwelling": {
        "bird": "nest", "bee": "hive", "horse": "stable", "dog": "kennel", "rabbit": "burrow", "spider": "web",
        "lion": "den", "king": "palace", "hen": "coop", "pig": "sty", "monk": "monastery", "soldier": "barracks",
    },
    "made": {
        "bread": "flour", "cheese": "milk", "butter": "cream", "wine": "grapes", "cider": "apples", "paper": "wood",
        "a candle": "wax", "a window pane": "glass", "a horseshoe": "iron", "a woollen scarf": "wool",
        "a jug": "clay", "jam": "fruit and sugar", "an omelette": "eggs", "a leather boot": "leather",
    },
    "tool": {
        "cutting wood": "a saw", "driving in a nail": "a hammer", "telling the time": "a clock",
        "digging a hole": "a spade", "sewing on a button": "a needle", "writing a letter": "a pen",
        "sweeping the floor": "a broom", "keeping off the rain": "an umbrella", "opening a lock": "a key",
        "seeing far away": "a telescope", "catching fish": "a rod", "cutting paper": "scissors",
        "lighting a dark room": "a lamp", "measuring how hot it is": "a thermometer",
    },
    "nextday": {DAYS[i]: DAYS[(i + 1) % 7] for i in range(7)},
    "does": {
        "baker": "bakes bread", "blacksmith": "shoes horses", "teacher": "teaches children",
        "doctor": "heals the sick",
        "tailor": "makes clothes", "shepherd": "looks after sheep", "miller": "grinds corn",
        "postman": "brings letters", "librarian": "lends books", "shoemaker": "mends shoes", "mason": "builds walls",
        "ferryman": "rows people across the river", "beekeeper": "keeps bees",
        "lamplighter": "lights the street lamps",
    },
}  # fmt: skip
MONTHS = words("January February March April May June July August September October November December")
COMMON["nextmonth"] = {MONTHS[i]: MONTHS[(i + 1) % 12] for i in range(12)}


@cache
def facts() -> tuple[Fact, ...]:
    """Everything that is true in the world, in a fixed order."""
    found = []
    for p in people():
        they, them, their = p.pronouns
        about = (
            ("full", p.name),
            ("they", they),
            ("them", them),
            ("their", their),
            ("thing", p.thing),
            ("pet", p.pet),
        )
        for kind, value in (
            ("home", p.home),
            ("job", p.job),
            ("age", str(p.age)),
            ("pet", article(p.pet)),
            ("petname", p.pet_name),
            ("petcolour", p.pet_colour),
            ("owns", article(f"{p.thing_colour} {p.thing}")),
            ("thingcolour", p.thing_colour),
            ("kept", p.kept),
            ("food", p.food),
            ("hobby", p.hobby),
            ("friend", p.friend),
            ("family", p.family),
        ):
            found.append(Fact(kind, p.given, value, about))
        found.append(Fact("whopet", p.pet_name, p.given, about))
        found.append(Fact("whojob", f"the {p.job} of {p.home}", p.given, about))
    for place in places():
        about = (("kind", place.kind),)
        for kind, value in (
            ("lies", place.lies),
            ("known", place.known),
            ("inn", place.inn),
            ("sight", place.sight),
            ("market", place.market),
        ):
            found.append(Fact(kind, place.name, value, about))
    for kind, pairs in COMMON.items():
        found.extend(Fact(kind, subject, value) for subject, value in pairs.items())
    return tuple(found)
