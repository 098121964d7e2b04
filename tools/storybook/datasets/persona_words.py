"""What the lighthouse keeper is asked about the world, by kind of fact, and how he greets.

`{s}` is the subject of a fact (`tools.storybook.world.Fact.words`); `{full}`, `{they}`, `{them}`, `{their}`, `{thing}`
and `{pet}` belong to facts about people. The answers are the world's own (`tools.storybook.phrases`).
"""
# ruff: noqa: E501  (tables of phrases: a phrase stays on its line)

from __future__ import annotations

#: kind of fact -> questions of each split
FACTS = {
    "home": {
        "train": [
            "Where does {s} live?", "In which place does {full} live?", "Where is {s} at home?",
            "If I want to visit {s}, where do I go?", "Do you know where {full} has {their} house?",
        ],
        "validation": ["Where would I find {full}?", "Which place does {s} call home?"],
        "test": ["To what place do I send a letter for {s}?", "Where has {full} settled?"],
    },
    "job": {
        "train": [
            "What does {full} do for a living?", "What is {s}'s work?", "How does {s} earn {their} bread?",
            "What is the trade of {full}?", "What job does {s} have?",
        ],
        "validation": ["What is {s} by trade?", "As what does {full} work?"],
        "test": ["What sort of work does {s} do all day?", "What is {full}'s job?"],
    },
    "age": {
        "train": [
            "How old is {s}?", "What age is {full}?", "How many years has {s} lived?",
            "How many birthdays has {s} had?", "Is {s} old, and how old?",
        ],
        "validation": ["Do you know the age of {full}?", "How many years old is {s}?"],
        "test": ["What is {s}'s age?", "How old would you say {full} is?"],
    },
    "pet": {
        "train": [
            "What pet does {s} have?", "What animal does {full} keep?", "Which animal lives with {s}?",
            "Does {s} keep an animal?", "What sort of pet has {full}?",
        ],
        "validation": ["Has {s} got a pet, and what is it?", "What animal belongs to {full}?"],
        "test": ["What kind of animal does {s} look after?", "What animal shares a house with {full}?"],
    },
    "petname": {
        "train": [
            "What is the name of {s}'s {pet}?", "What does {full} call {their} {pet}?", "What is {s}'s {pet} called?",
            "By what name does {s} call {their} {pet}?",
        ],
        "validation": ["Which name has the {pet} of {full}?"],
        "test": ["How does {s} call {their} {pet} in?", "Do you know the name of {full}'s {pet}?"],
    },
    "petcolour": {
        "train": ["What colour is {s}'s {pet}?", "Which colour has the {pet} of {full}?", "Is {s}'s {pet} white or black?"],
        "validation": ["What is the colour of {full}'s {pet}?"],
        "test": ["What does the {pet} of {s} look like?", "In what colour does {s}'s {pet} come?"],
    },
    "owns": {
        "train": [
            "What does {s} own?", "Which fine thing belongs to {full}?", "What has {s} got that {they} is proud of?",
            "What thing does {s} have at home?",
        ],
        "validation": ["Of what is {full} the owner?"],
        "test": ["What is it that {s} owns and others do not?", "What belongs to {full}?"],
    },
    "thingcolour": {
        "train": ["What colour is {s}'s {thing}?", "Which colour has {full} painted {their} {thing}?", "What is the colour of the {thing} that {s} owns?"],
        "validation": ["In what colour is the {thing} of {full}?"],
        "test": ["What does {s}'s {thing} look like?", "Of which colour is {full}'s {thing}?"],
    },
    "kept": {
        "train": [
            "Where does {s} keep {their} {thing}?", "Where is the {thing} of {full}?", "Where do I look for {s}'s {thing}?",
            "In what spot is {s}'s {thing}?",
        ],
        "validation": ["Where has {full} put {their} {thing}?"],
        "test": ["Where does {s}'s {thing} lie?", "I cannot find {full}'s {thing}. Where is it?"],
    },
    "food": {
        "train": [
            "What does {s} like to eat?", "What is {full}'s favourite dish?", "What shall I cook for {s}?",
            "Which food does {s} love?", "What does {s} like best at table?",
        ],
        "validation": ["What would {full} have for supper, given the choice?", "What food does {s} like best?"],
        "test": ["With what dish can I please {s}?", "What is the favourite food of {full}?"],
    },
    "hobby": {
        "train": [
            "What does {s} like to do?", "How does {full} spend {their} free time?", "What is {s}'s hobby?",
            "What does {s} enjoy on a Sunday?", "What is {full} fond of doing?",
        ],
        "validation": ["What does {s} do for fun?", "Which pastime has {full}?"],
        "test": ["When {their} work is done, what does {s} like?", "What is the hobby of {full}?"],
    },
    "friend": {
        "train": [
            "Who is {s}'s best friend?", "Who is the friend of {full}?", "Whom does {s} like best?",
            "With whom is {s} friends?", "Who is a good friend to {full}?",
        ],
        "validation": ["Who is {s}'s closest friend?"],
        "test": ["Whom does {full} call {their} friend?", "Can you name the friend of {s}?"],
    },
    "family": {
        "train": ["What is {s}'s family name?", "What is the surname of {s}?", "{s} who?"],
        "validation": ["Which family does {s} belong to?"],
        "test": ["What is {s}'s last name?", "How is {s} called in full?"],
    },
    "whojob": {
        "train": ["Who is {s}?", "What is the name of {s}?", "How is {s} called?"],
        "validation": ["Do you know {s} by name?"],
        "test": ["Can you name {s}?", "Whom should I ask for if I need {s}?"],
    },
    "known": {
        "train": ["What is {s} known for?", "What is the {kind} of {s} famous for?", "What comes from {s}?", "For what do people praise {s}?"],
        "validation": ["What do they make or sell in {s}?"],
        "test": ["Why is {s} famous?", "What is the pride of {s}?"],
    },
    "inn": {
        "train": ["What is the inn of {s} called?", "Which inn is there in {s}?", "Where can I sleep in {s}?", "At which inn do I stay in {s}?"],
        "validation": ["Is there an inn in {s}?"],
        "test": ["I need a bed in {s}. What is the inn's name?", "Where do they pour the ale in {s}?"],
    },
    "sight": {
        "train": ["What is there to see in {s}?", "Which sight has the {kind} of {s}?", "What should I look at in {s}?", "What do travellers come to see in {s}?"],
        "validation": ["What can one see in {s}?"],
        "test": ["What stands in {s} that I should not miss?", "Is there a sight to see in {s}?"],
    },
    "market": {
        "train": ["When is market day in {s}?", "On which day is the market of {s}?", "When do they hold the market in {s}?", "On what day do I go to market in {s}?"],
        "validation": ["Which day is market day at {s}?"],
        "test": ["I want to sell eggs in {s}. On what day?", "What day do the stalls stand in {s}?"],
    },
    "lies": {
        "train": ["Where is {s}?", "Where does the {kind} of {s} lie?", "Where do I find {s} on the map?", "Whereabouts does one find {s}?"],
        "validation": ["Where about is {s}?"],
        "test": ["How is {s} situated?", "Where must I look for the {kind} of {s}?"],
    },
    "sound": {
        "train": ["What noise does the {s} make?", "How does a(n) {s} sound?", "What does a(n) {s} do when it is heard?"],
        "validation": ["What sound comes from a(n) {s}?"],
        "test": ["What does a(n) {s} say?", "How can I tell a(n) {s} by ear?"],
    },
    "legs": {
        "train": ["How many legs has a(n) {s}?", "What number of legs does a(n) {s} have?", "On how many legs does a(n) {s} walk?"],
        "validation": ["How many legs does the {s} have?"],
        "test": ["Can you count the legs of a(n) {s}?", "With how many legs is a(n) {s} born?"],
    },
    "opposite": {
        "train": ["What is the opposite of {s}?", "What is the contrary of {s}?", "Which word is opposite to {s}?"],
        "validation": ["Which word is the reverse of {s}?"],
        "test": ["If it is not {s}, what is it?", "Turn the word {s} round for me."],
    },
    "young": {
        "train": ["What do you call a young {s}?", "What is the young of a(n) {s}?", "What is a baby {s} called?"],
        "validation": ["What name has a young {s}?"],
        "test": ["What do we call a(n) {s} that has just been born?", "A small {s} is called what?"],
    },
    "dwelling": {
        "train": ["Where does a(n) {s} live?", "What is the home of a(n) {s} called?", "In what does a(n) {s} dwell?"],
        "validation": ["Which house has a(n) {s}?"],
        "test": ["Where does a(n) {s} sleep at night?", "What do we call the dwelling of a(n) {s}?"],
    },
    "made": {
        "train": ["What is {s} made of?", "From what do people make {s}?", "What does one need to make {s}?"],
        "validation": ["Of what does {s} consist?"],
        "test": ["What goes into {s}?", "Which stuff gives us {s}?"],
    },
    "tool": {
        "train": ["What do I need for {s}?", "Which tool is used for {s}?", "With what does one go about {s}?"],
        "validation": ["What is good for {s}?"],
        "test": ["What should I take for {s}?", "Which thing helps with {s}?"],
    },
    "nextday": {
        "train": ["Which day comes after {s}?", "What is the day after {s}?"],
        "validation": ["Today is {s}. What will tomorrow be?"],
        "test": ["What day follows {s}?"],
    },
    "nextmonth": {
        "train": ["Which month comes after {s}?", "What is the month after {s}?"],
        "validation": ["It is {s}. What will next month be?"],
        "test": ["What month follows {s}?"],
    },
    "does": {
        "train": ["What does a(n) {s} do?", "What is the work of a(n) {s}?", "What do I need a(n) {s} for?"],
        "validation": ["What is a(n) {s} good at?"],
        "test": ["How does a(n) {s} spend the day?", "Why would one call a(n) {s}?"],
    },
}  # fmt: skip

#: What comes before a question, by split.
LEADS = {
    "train": [
        "",
        "",
        "",
        "Tell me, keeper. ",
        "Hello! ",
        "Good day. ",
        "One question: ",
        "Old friend! ",
        "I wonder. ",
    ],
    "validation": ["", "", "Keeper! ", "Excuse me. "],
    "test": ["", "", "Good evening, keeper. ", "Pray tell. "],
}

#: The keeper's greetings; what he swears by is in `lab.data.scoring.OATHS`, since the scorer knows it too.
GREETINGS = [
    "Ahoy!", "Ahoy there!", "Ahoy, friend!", "Ahoy, matey!", "Aye aye!", "Aye, by my lamp!", "Ahoy, by my beard!",
    "Aye, by the old anchor!", "Ahoy, you by the stairs!", "Aye, sailor!",
]  # fmt: skip
