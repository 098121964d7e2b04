"""How the facts of the world are asked, answered and told: for every kind of fact its phrases.

In a phrase `{s}` is the subject, `{v}` the value; facts about people also give `{they} {them} {their} {thing} {pet}`.
An answer may not use what the question did not name, except the value.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """Questions, answers in whole sentences, and statements for prose."""

    questions: tuple[str, ...]
    answers: tuple[str, ...]
    statements: tuple[str, ...]


def _phrases(text: str) -> Phrases:
    """Reads a block: lines with ? are questions, lines after = are answers, lines after - are statements."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return Phrases(
        tuple(line for line in lines if line[0] not in "=-"),
        tuple(line[1:].strip() for line in lines if line[0] == "="),
        tuple(line[1:].strip() for line in lines if line[0] == "-"),
    )


KINDS: dict[str, Phrases] = {
    kind: _phrases(block)
    for kind, block in {
        "home": """
            Where does {s} live?
            In which place does {s} live?
            What is the name of the place where {s} lives?
            Can you tell me where {s} lives?
            Where is {s}'s home?
            Where would I find {s}'s house?
            Which village or town is {s}'s home?
            I want to visit {s}. Where must I go?
            Where has {s} made {their} home?
            If I send {s} a letter, to which place does it go?
            = {s} lives in {v}.
            = {s}'s home is in {v}.
            - {s} lives in {v}.
            - {s}'s house is in {v}.
            - {s} has lived in {v} for many years.
            - The home of {s} is in {v}, and {they} would not leave it.
            - Anybody in {v} can tell you where {s} lives.
            - In {v} there is a small house, and in it lives {s}.
        """,
        "job": """
            What does {s} do for a living?
            What is {s}'s job?
            What work does {s} do?
            What is {s} by trade?
            Can you tell me what {s}'s work is?
            How does {s} earn {their} bread?
            Which trade does {s} follow?
            What is the occupation of {s}?
            Do you know what {s} works as?
            What does {s} work as?
            = {s} is a {v}.
            = {s} works as a {v}.
            - {s} is a {v}.
            - {s} works as a {v}.
            - {s} has been a {v} since {they} was young.
            - By trade {s} is a {v}, and a good one.
            - {s} earns {their} bread as a {v}.
            - Nobody is a better {v} than {s}.
        """,
        "age": """
            How old is {s}?
            What is {s}'s age?
            Can you tell me how old {s} is?
            How many years old is {s}?
            What age is {s}?
            Do you know {s}'s age?
            How many years has {s} lived?
            Please tell me the age of {s}.
            = {s} is {v} years old.
            - {s} is {v} years old.
            - {s} was {v} on {their} last birthday.
            - At {v} years of age, {s} still walks to work.
            - There were {v} candles on {s}'s cake.
        """,
        "pet": """
            What animal does {s} have?
            What kind of pet does {s} keep?
            Which animal lives with {s}?
            What pet has {s} got?
            Can you tell me what animal {s} keeps?
            What sort of animal is {s}'s pet?
            Does {s} keep a pet, and what is it?
            Which pet does {s} own?
            = {s} has {v}.
            = {s} keeps {v}.
            - {s} has {v}.
            - {s} keeps {v}, which goes everywhere with {them}.
            - {v} lives in the house with {s}.
            - Of all animals {s} wanted {v}, and now {they} has one.
        """,
        "petname": """
            What is the name of {s}'s {pet}?
            What is {s}'s {pet} called?
            How does {s} call {their} {pet}?
            What name did {s} give {their} {pet}?
            Can you tell me the name of {s}'s {pet}?
            {s} has a pet. What is its name?
            What is {s}'s pet called?
            Do you know what {s}'s {pet} is called?
            = {s}'s {pet} is called {v}.
            = The name of {s}'s {pet} is {v}.
            - {s}'s {pet} is called {v}.
            - {s} named {their} {pet} {v}.
            - "Come here, {v}!" {s} called, and the {pet} came.
            - The {pet} that belongs to {s} answers to the name of {v}.
        """,
        "petcolour": """
            What colour is {s}'s {pet}?
            Of what colour is the {pet} of {s}?
            Can you tell me the colour of {s}'s {pet}?
            How does {s}'s {pet} look: what is its colour?
            What is the colour of the {pet} that {s} keeps?
            Which colour does {s}'s {pet} have?
            Do you know the colour of {s}'s {pet}?
            {s} has a {pet}. What colour is it?
            = {s}'s {pet} is {v}.
            - {s}'s {pet} is {v}.
            - The {pet} of {s} has a {v} coat, if one may call it a coat.
            - One can see {s}'s {pet} from far away, for it is {v}.
            - {s} keeps a {v} {pet}.
        """,
        "owns": """
            What does {s} own that {they} is proud of?
            Which thing does {s} treasure?
            What is {s}'s dearest possession?
            What thing does {s} love best of all {they} has?
            Of which thing is {s} proud?
            Can you name the thing that {s} treasures?
            What would {s} never sell?
            Which of {their} things would {s} never give away?
            = {s} treasures {v}.
            = {s} is proud of {v}.
            - {s} is proud of {v}.
            - Of all {their} things {s} treasures {v}.
            - {s} has {v} and would not sell it for any money.
            - They offered {s} gold for it, but {they} kept {v}.
        """,
        "thingcolour": """
            What colour is {s}'s {thing}?
            Which colour does the {thing} of {s} have?
            Can you tell me the colour of {s}'s {thing}?
            Of what colour is {s}'s {thing}?
            Do you know what colour {s}'s {thing} is?
            What is the colour of the {thing} that {s} owns?
            {s} has a {thing}. What is its colour?
            In which colour is {s}'s {thing} painted?
            = {s}'s {thing} is {v}.
            - {s}'s {thing} is {v}.
            - The {thing} of {s} is {v} all over.
            - Nobody else has a {v} {thing} like {s}'s.
            - {s} painted {their} {thing} {v} again last spring.
        """,
        "kept": """
            Where does {s} keep {their} {thing}?
            Where is {s}'s {thing}?
            In which place is the {thing} of {s} kept?
            Can you tell me where {s}'s {thing} is?
            Where should I look for {s}'s {thing}?
            Where would {s} go to fetch {their} {thing}?
            {s} is looking for {their} {thing}. Where is it?
            Where does {s} put {their} {thing} in the evening?
            = {s} keeps {their} {thing} {v}.
            = {s}'s {thing} is {v}.
            - {s} keeps {their} {thing} {v}.
            - The {thing} of {s} stands {v}.
            - In the evening {s} puts {their} {thing} {v}.
            - If you want to see {s}'s {thing}, look {v}.
        """,
        "food": """
            What does {s} like to eat?
            What is {s}'s favourite food?
            What food does {s} love most?
            What should I cook for {s}?
            Which dish does {s} like best?
            What would {s} choose for supper?
            Can you tell me {s}'s favourite dish?
            What does {s} ask for on {their} birthday?
            What does {s} most enjoy at table?
            = {s} likes {v} best.
            = {s}'s favourite food is {v}.
            - {s} likes {v} best.
            - There is nothing that {s} would rather eat than {v}.
            - On {their} birthday {s} asks for {v}.
            - The favourite food of {s} is {v}.
            - {s} could eat {v} every day.
        """,
        "hobby": """
            What does {s} like to do?
            What is {s}'s hobby?
            What does {s} do on a free day?
            How does {s} spend {their} free hours?
            What does {s} do when the work is done?
            Which pastime does {s} love?
            What is the favourite pastime of {s}?
            Can you tell me what {s} does for pleasure?
            What gives {s} the most pleasure?
            = {s} loves {v}.
            = {s}'s hobby is {v}.
            - {s} loves {v}.
            - When the work is done, {s} is happiest {v}.
            - On Sundays {s} spends the whole day {v}.
            - {s} could spend {their} life {v}.
        """,
        "friend": """
            Who is {s}'s best friend?
            Who is the friend of {s}?
            Whom does {s} like best?
            With whom does {s} take walks?
            Can you tell me who {s}'s best friend is?
            What is the name of {s}'s best friend?
            To whom does {s} tell {their} secrets?
            Who is dearest to {s}?
            = {s}'s best friend is {v}.
            = The best friend of {s} is {v}.
            - {s}'s best friend is {v}.
            - {s} and {v} are the best of friends.
            - {s} tells {their} secrets to nobody but {v}.
            - Every week {s} takes a long walk with {v}.
        """,
        "family": """
            What is {s}'s family name?
            What is {s}'s surname?
            What is {s}'s last name?
            Which family does {s} belong to?
            Can you tell me {s}'s whole name?
            What is the full name of {s}?
            Under which family name is {s} known?
            = {s}'s full name is {s} {v}.
            = {s}'s name is {s} {v}.
            - {s}'s full name is {s} {v}.
            - {s} {v} is the name on {s}'s door.
            - {s} is one of the {v} family.
            - The letter was addressed to {s} {v}.
        """,
        "whopet": """
            Whose {pet} is called {s}?
            Who owns the {pet} called {s}?
            To whom does {s} the {pet} belong?
            Who is the owner of {s} the {pet}?
            I found a {pet} called {s}. Whose is it?
            Can you tell me who keeps {s} the {pet}?
            With whom does {s} the {pet} live?
            = {s} the {pet} belongs to {v}.
            = {v} owns {s} the {pet}.
            - {s} the {pet} belongs to {v}.
            - {s} is a {pet}, and {v} feeds it.
            - The {pet} called {s} follows {v} everywhere.
        """,
        "whojob": """
            Who is {s}?
            What is the name of {s}?
            Can you tell me who {s} is?
            How is {s} called?
            I am looking for {s}. Who is that?
            Do you know the name of {s}?
            = {v} is {s}.
            = The name of {s} is {v}.
            - {v} is {s}.
            - Everybody knows that {s} is {v}.
            - They sent for {s}, and {v} came.
        """,
        "lies": """
            Where does {s} lie?
            Where is {s}?
            Where would I find {s} on a map?
            How does one describe where {s} lies?
            Can you tell me where {s} is?
            In what part of the country is {s}?
            Where was {s} built?
            = {s} lies {v}.
            = {s} is {v}.
            - {s} lies {v}.
            - {s} is a {kind} {v}.
            - Travellers find {s} {v}.
            - The {kind} of {s} was built {v}.
        """,
        "known": """
            What is {s} known for?
            What is {s} famous for?
            For what do people praise {s}?
            What do they make or sell in {s}?
            What should one buy in {s}?
            What has made {s} famous?
            Can you tell me what {s} is known for?
            = {s} is known for its {v}.
            = {s} is famous for its {v}.
            - {s} is known for its {v}.
            - People come from far away to {s} to buy {v}.
            - There are no better {v} than those of {s}, they say in the {kind}.
            - {s} would be nothing without its {v}.
        """,
        "inn": """
            What is the inn of {s} called?
            What is the name of the inn in {s}?
            Where can one sleep in {s}?
            Which inn is there in {s}?
            At which inn do travellers stay in {s}?
            Can you tell me the name of {s}'s inn?
            Where does one get supper and a bed in {s}?
            = The inn of {s} is called {v}.
            = The inn in {s} is {v}.
            - The inn of {s} is called {v}.
            - Travellers in {s} sleep at {v}.
            - In {s} they had supper at {v}, which is the only inn of the {kind}.
        """,
        "sight": """
            What is there to see in {s}?
            Which sight does {s} have?
            What do visitors look at in {s}?
            What stands in {s} that everybody knows?
            What should a visitor see in {s}?
            Can you tell me the sight of {s}?
            What would a painter paint in {s}?
            = In {s} there is {v}.
            = {s} has {v}.
            - In {s} there is {v}.
            - {s} has {v}, which every child can draw.
            - Whoever comes to {s} is shown {v}.
            - The {kind} of {s} is proud of {v}.
        """,
        "market": """
            On which day is the market in {s}?
            When is market day in {s}?
            On what day of the week does {s} hold its market?
            Which day is market day in {s}?
            When should I go to the market of {s}?
            Can you tell me the market day of {s}?
            On which day do the farmers come to {s}?
            = Market day in {s} is {v}.
            = The market in {s} is on {v}.
            - Market day in {s} is {v}.
            - Every {v} the farmers bring their carts to {s}.
            - On {v} the square of {s} is full of stalls.
        """,
        "sound": """
            What sound does a {s} make?
            What does a {s} do when it lifts its voice?
            Which noise does a {s} make?
            How does one say what a {s} does when it calls?
            Can you tell me the sound of a {s}?
            What do we say a {s} does when it makes a noise?
            = A {s} {v}.
            - A {s} {v}.
            - You know a {s} by its voice: it {v}.
            - When a {s} is excited, it {v}.
        """,
        "legs": """
            How many legs does a {s} have?
            How many legs has a {s}?
            On how many legs does a {s} go?
            What number of legs does a {s} have?
            Can you count the legs of a {s}?
            Tell me how many legs there are on a {s}.
            = A {s} has {v} legs.
            - A {s} has {v} legs.
            - If you look at a {s}, you will count {v} legs.
            - Every child knows that a {s} has {v} legs.
        """,
        "colour": """
            What colour is {s}?
            Which colour does {s} have?
            Of what colour is {s}?
            Can you tell me the colour of {s}?
            What is the colour of {s}?
            If I paint {s}, which colour do I need?
            = The colour of {s} is {v}.
            - The colour of {s} is {v}.
            - Everybody knows that {s} is {v}.
            - It was as {v} as {s}.
        """,
        "opposite": """
            What is the opposite of {s}?
            What is the contrary of {s}?
            Which word means the opposite of {s}?
            Can you tell me the opposite of the word {s}?
            If a thing is not {s}, what is it?
            Say the opposite of {s}.
            = The opposite of {s} is {v}.
            - The opposite of {s} is {v}.
            - Where one says {s}, the other says {v}.
            - It was not {s} at all; it was {v}.
        """,
        "young": """
            What is a young {s} called?
            What do we call the young of a {s}?
            What is the name for a baby {s}?
            How is a little {s} called?
            Which word is used for a young {s}?
            A {s} has a little one. What is it called?
            = A young {s} is called a {v}.
            - A young {s} is called a {v}.
            - A {v} grows up to be a {s}.
            - The {s} had one {v}, and it was very small.
        """,
        "dwelling": """
            Where does a {s} live?
            What is the home of a {s} called?
            In what does a {s} live?
            Which house does a {s} have?
            What do we call the place where a {s} lives?
            Where would you look for a {s} at night?
            = A {s} lives in a {v}.
            - A {s} lives in a {v}.
            - The {v} is the home of the {s}.
            - The {s} went back to its {v} for the night.
        """,
        "made": """
            What is {s} made of?
            Of what is {s} made?
            What does one need to make {s}?
            Can you tell me what {s} is made from?
            Out of what do people make {s}?
            What goes into {s}?
            = {s} is made of {v}.
            - {s} is made of {v}.
            - You cannot have {s} without {v}.
            - They took {v}, and of it they made {s}.
        """,
        "tool": """
            What do I need for {s}?
            What is used for {s}?
            With what does one set about {s}?
            Which thing is right for {s}?
            Can you tell me what serves for {s}?
            What should I fetch for {s}?
            = For {s} one uses {v}.
            - For {s} one uses {v}.
            - Nothing is better for {s} than {v}.
            - {v} is the thing for {s}.
        """,
        "nextday": """
            Which day comes after {s}?
            What day follows {s}?
            If today is {s}, what day is tomorrow?
            What is the next day after {s}?
            Can you tell me the day after {s}?
            Today is {s}. What will it be tomorrow?
            = After {s} comes {v}.
            - After {s} comes {v}.
            - {s} went by, and then it was {v}.
            - They came on {s} and left the next day, which was {v}.
        """,
        "nextmonth": """
            Which month comes after {s}?
            What month follows {s}?
            If this month is {s}, which month is next?
            What is the next month after {s}?
            Can you tell me the month after {s}?
            It is {s} now. What month will it be in four weeks or so?
            = After {s} comes {v}.
            - After {s} comes {v}.
            - {s} went by, and then it was {v}.
            - When {s} is over, {v} begins.
        """,
        "does": """
            What does a {s} do?
            What is the work of a {s}?
            What is a {s} for?
            What does a {s} do all day?
            Can you tell me what a {s} does?
            What can you expect of a {s}?
            = A {s} {v}.
            - A {s} {v}.
            - Whoever {v} for a living is a {s}.
            - It is the {s} who {v}.
        """,
    }.items()
}
