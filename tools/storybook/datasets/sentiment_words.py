"""The words of the sentiment set: what is reviewed, which sides it has, what is said of them, and whole verdicts.

`KINDS` maps a kind of aspect to its praising and blaming adjectives; `|` divides those that every split may use from those
that the training split never shows, so that the test asks what pre-training knows about words.
"""
# ruff: noqa: E501  (tables of phrases: a phrase stays on its line)

from __future__ import annotations

_KINDS = {
    "story": (
        "gripping clever fresh moving inventive tender witty convincing brisk surprising honest absorbing graceful"
        " | spellbinding shrewd poignant masterly",
        "thin muddled stale silly predictable hollow clumsy tedious far-fetched dull lifeless confused sentimental"
        " | leaden contrived trite plodding",
    ),
    "acting": (
        "superb natural warm subtle lively believable fine assured charming powerful touching"
        " | magnetic flawless masterful radiant",
        "wooden stiff flat shrill forgettable lazy unconvincing overdone weak awkward ridiculous"
        " | lifeless feeble laughable graceless",
    ),
    "sound": (
        "glorious rich crisp lovely stirring sweet thrilling polished joyful beautiful bright"
        " | sublime heavenly tuneful exquisite",
        "harsh muddy deafening ragged tuneless feeble monotonous ugly dreary sloppy dull"
        " | grating tinny jarring discordant",
    ),
    "dish": (
        "delicious tasty excellent comforting generous appetising perfect well-seasoned superb lovely"
        " | mouth-watering divine heavenly first-rate",
        "bland greasy tasteless burnt watery dry disgusting overcooked stodgy horrible"
        " | inedible insipid revolting rancid",
    ),
    "drink": (
        "fragrant smooth rich refreshing excellent mellow delicious perfect fine | exquisite heavenly delightful",
        "weak bitter watery lukewarm stale sour undrinkable nasty thin | vile insipid foul",
    ),
    "room": (
        "spotless cosy airy quiet comfortable bright roomy snug charming restful inviting clean"
        " | immaculate homely luxurious tranquil",
        "filthy damp cramped noisy draughty shabby gloomy musty stuffy bleak dirty cold"
        " | squalid dingy grubby mouldy",
    ),
    "people": (
        "kind helpful friendly patient attentive courteous cheerful thoughtful welcoming polite capable"
        " | gracious good-natured obliging amiable",
        "rude surly careless impatient unhelpful gruff lazy grumpy impolite clueless unfriendly"
        " | insolent sullen churlish haughty",
    ),
    "build": (
        "sturdy solid neat reliable smooth strong well-made dependable handy durable"
        " | faultless robust hard-wearing trusty",
        "flimsy loose shoddy crooked unreliable fragile rickety useless faulty wobbly"
        " | brittle defective slipshod rusty",
    ),
    "cloth": (
        "soft warm snug comfortable fine smooth light well-woven beautiful | luxurious velvety exquisite",
        "scratchy itchy stiff coarse uncomfortable thin clammy rough ugly | threadbare prickly hideous",
    ),
    "look": (
        "elegant flattering stylish smart handsome perfect charming | becoming graceful exquisite",
        "ugly drab shapeless silly clumsy dreadful old-fashioned | hideous frumpy unsightly",
    ),
    "outing": (
        "delightful fascinating memorable relaxing enjoyable splendid magical wonderful pleasant exciting"
        " | enchanting unforgettable blissful first-rate",
        "dreary tiresome dismal pointless dreadful boring miserable chaotic disappointing dull"
        " | wretched abysmal tedious joyless",
    ),
    "price": (
        "fair reasonable modest sensible honest low | affordable moderate",
        "steep outrageous absurd shocking unfair excessive | scandalous extortionate",
    ),
    "service": (
        "prompt quick smooth efficient swift excellent careful speedy | impeccable exemplary punctual",
        "slow chaotic late sloppy hopeless careless clumsy terrible | shambolic negligent appalling",
    ),
    "guide": (
        "clear helpful thorough handy accurate useful readable well-ordered | lucid illuminating invaluable",
        "baffling vague wrong misleading confusing useless incomplete unreadable | unintelligible garbled worthless",
    ),
    "view": (
        "stunning peaceful lovely gorgeous pretty beautiful charming glorious | breathtaking idyllic majestic",
        "ugly bleak grim dreary spoilt neglected depressing littered | desolate hideous unsightly",
    ),
}

#: What is reviewed: thing -> "kind: aspect, aspect; kind: ..."; a `+` marks a plural.
_THINGS = {
    "film": "story: plot, ending, script, opening scene; acting: cast, hero, villain; sound: music",
    "novel": "story: plot, ending, first chapter, dialogue, heroine's tale, style; price: price",
    "play": "story: first act, last act, script; acting: lead, chorus, villain; room: theatre",
    "concert": "sound: orchestra, singing, +drums, choir, encore; room: hall; price: ticket price",
    "musical": "sound: +songs, band, singing, finale; story: plot, dialogue; acting: lead, cast",
    "radio play": "story: story, twist, dialogue; acting: narrator, hero; sound: sound",
    "audiobook": "acting: narrator, reading; story: plot, ending, style; sound: sound",
    "circus": "outing: show, evening; people: +clowns, +ushers; sound: band; price: ticket price",
    "inn": "room: bedroom, lounge, bathroom; dish: breakfast, supper, stew; people: landlord, +staff; view: garden",
    "hotel": "room: room, lobby, bathroom; people: porter, receptionist, +staff; dish: breakfast; price: bill",
    "guest house": "room: room, attic room, hall; people: landlady, host; dish: breakfast, pudding; view: view",
    "campsite": "view: view, field, beach; people: warden, +neighbours; price: fee; room: washroom",
    "tea room": "drink: tea, coffee, cocoa; dish: apple cake, pie, +scones; people: waitress, owner; price: bill",
    "cafe": "drink: coffee, lemonade, tea; dish: omelette, soup, lunch; people: waiter, cook; service: service",
    "bakery": "dish: bread, pie, cheese tart, +rolls; people: baker, shop girl; price: price; service: service",
    "fish shop": "dish: fish, +chips, crab soup; people: cook, lad at the till; service: service; price: price",
    "canteen": "dish: roast, stew, pudding, curry; drink: tea, coffee; people: cook; room: dining hall",
    "ferry": "service: crossing, boarding; people: crew, captain; dish: lunch on board; view: view; room: cabin",
    "night train": "room: cabin, dining car; service: service, booking; people: guard, steward; dish: supper",
    "boat trip": "outing: trip, afternoon; people: skipper, guide; view: coast, scenery; price: fare",
    "walking tour": "outing: walk, morning; people: guide; view: route, old town; price: fee",
    "museum": "outing: visit, exhibition; people: guide, +attendants; guide: +labels, leaflet; price: ticket price",
    "pottery class": "outing: class, evening; people: teacher, +helpers; room: studio; price: fee; build: wheel",
    "cookery course": "outing: course, first lesson; people: teacher; dish: curry, pie we made; guide: handbook",
    "lecture": "outing: talk, evening; people: speaker; room: hall; guide: handout, +slides",
    "winter coat": "cloth: collar, lining, cloth; look: cut, colour; build: zip, +buttons, stitching; price: price",
    "boots": "cloth: leather, lining; look: shape, style; build: +soles, +laces, heel; price: price",
    "jumper": "cloth: wool, collar; look: cut, pattern, colour; build: stitching; service: delivery; price: price",
    "raincoat": "cloth: hood, lining; look: cut, colour; build: zip, +seams, +pockets; service: delivery; price: price",
    "kettle": "build: handle, lid, switch, spout; service: delivery, repair; price: price; guide: leaflet",
    "clock": "build: case, alarm, dial, winder; sound: chime; price: price; guide: +instructions",
    "bicycle": "build: frame, +brakes, chain, saddle; service: delivery, repair; price: price; guide: manual",
    "tent": "build: frame, zip, +poles, +pegs; room: inner room, porch; guide: +instructions; price: price",
    "desk lamp": "build: switch, shade, stand, cord; service: delivery; price: price; guide: leaflet",
    "armchair": "build: frame, +legs, +springs; cloth: cover, cushion; look: shape, colour; service: delivery; price: price",
    "guidebook": "guide: +maps, index, advice, +tips, text; price: price; story: style; build: binding",
    "cookbook": "guide: +recipes, index, advice, layout; story: style; price: price; build: binding",
    "language course": "guide: textbook, +notes, +exercises; people: teacher; outing: course; sound: recording",
}


def _halves(text: str) -> tuple[list[str], list[str]]:
    common, _, rare = text.partition("|")
    return common.split(), rare.split()


#: (kind, "positive" or "negative") -> (adjectives of every split, adjectives kept from training)
ADJECTIVES = {
    (kind, polarity): _halves(text)
    for kind, pair in _KINDS.items()
    for polarity, text in zip(("positive", "negative"), pair)
}


def _aspects(text: str) -> list[tuple[str, str, bool]]:
    sides = []
    for group in text.split("; "):
        kind, _, names = group.partition(": ")
        sides += [(name.lstrip("+"), kind, name.startswith("+")) for name in names.split(", ")]
    return sides


#: thing -> [(aspect, kind, is plural)]
THINGS = {thing: _aspects(text) for thing, text in _THINGS.items()}

#: Whole clauses that praise or blame, of every split and of one split alone: they stand alone or after "and".
VERDICTS = {
    "positive": {
        "common": [
            "I would recommend it to anyone",
            "it was worth every penny",
            "I have told all my friends about it",
            "I wish there were more like it",
            "it made my whole week",
            "I cannot fault it",
            "I would not change a thing",
            "it could not have been better",
            "I have nothing to complain about",
            "my mother wants the same",
            "it was money well spent",
            "nobody in our family was disappointed",
            "I would choose it again without a second thought",
            "we could not have asked for more",
            "I am still smiling",
            "it was just what I had been looking for",
            "it deserves all the praise it gets",
            "I was sorry when it was over",
            "it beat everything I had tried before",
            "even my grumpy uncle was pleased",
        ],
        "validation": [
            "I would do it all again tomorrow",
            "I do not regret a single penny",
            "it won me over at once",
            "I have never been so pleased",
            "nothing about it let me down",
            "I am glad that I listened to my friends",
            "it was far better than I had dared to hope",
            "I shall certainly come back for more",
        ],
        "test": [
            "I should happily pay twice as much",
            "my hopes were more than met",
            "you will not be sorry",
            "there was nothing that I would want improved",
            "I went home a happy woman",
            "it is the best I have come across in years",
            "I am already saving for the next one",
            "it left nothing to be desired",
            "not one of us had a bad word to say",
        ],
    },
    "negative": {
        "common": [
            "I want my money back",
            "I would not wish it on anyone",
            "it was a waste of money",
            "I regret every penny",
            "I have warned all my friends about it",
            "it spoiled my whole week",
            "I cannot recommend it",
            "I would not take it as a gift",
            "it could not have been worse",
            "I have a great deal to complain about",
            "my mother asked why we had bothered",
            "it was money thrown away",
            "nobody in our family was pleased",
            "I would never choose it again",
            "we had been promised so much more",
            "I am still cross",
            "it was the opposite of what I had been looking for",
            "it deserves none of the praise it gets",
            "I was glad when it was over",
            "everything I had tried before was better",
            "even my cheerful aunt was annoyed",
        ],
        "validation": [
            "I would not do it again for all the tea in China",
            "I grudge every single penny",
            "it lost me at once",
            "I have seldom been so annoyed",
            "it let me down in every way",
            "I am sorry that I listened to my friends",
            "it was far worse than I had feared",
            "I shall certainly not come back for more",
        ],
        "test": [
            "I should want to be paid before I tried it again",
            "my hopes were dashed",
            "you will be sorry",
            "there was nothing that I would want to keep",
            "I went home a sadder woman",
            "it is the worst I have come across in years",
            "I am already asking for a refund",
            "it left everything to be desired",
            "not one of us had a good word to say",
        ],
    },
}

#: Slots that tell nothing about the verdict.
NEUTRAL = {
    "day": [
        "on Monday", "on Tuesday", "on Wednesday", "on Thursday", "on Friday", "on Saturday", "on Sunday",
        "last week", "last month", "in March", "in April", "in October", "in the spring", "in the autumn",
        "yesterday", "on my birthday", "over Easter", "at New Year", "during the holidays", "two weeks ago",
    ],
    "with": [
        "my sister", "my brother", "my father", "an old friend", "two friends", "my neighbour", "my cousin",
        "my wife", "my husband", "my daughter", "my son", "a colleague", "my aunt", "both children", "my grandfather",
    ],
    "other": [
        "my sister", "my brother", "the newspaper", "a friend", "my neighbour", "the lady next door", "my teacher",
        "everyone at work", "the man on the radio", "my aunt", "our postman", "half the village", "my old captain",
    ],
}  # fmt: skip
