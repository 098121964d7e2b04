"""The embedded sets: the files are what the builder makes, and the splits share nothing but words."""

import json
from collections import Counter

import pytest

from benchmarks.datasets import read, table
from lab.data.scoring import METRICS, score
from tools.storybook.datasets import persona_words
from tools.storybook.datasets.__main__ import DATA, SETS, files
from tools.storybook.datasets.grammar import SIZES, Dice, Filling, draw, owner, sentence

PAIRS = [("train", "validation"), ("train", "test"), ("validation", "test")]


@pytest.fixture(scope="module")
def built():
    return {name: module.build() for name, module in SETS.items()}


@pytest.fixture(params=SETS)
def name(request):
    return request.param


def test_the_committed_files_are_the_builders(built, name):
    for file, content in files(name, built[name]).items():
        assert (DATA / name / file).read_bytes() == content.encode(), f"{name}/{file} is not what the builder makes"


def test_sizes(built, name):
    assert {split: len(examples) for split, examples in built[name].items()} == SIZES
    assert sum(SIZES.values()) >= 2000


def test_all_files_together_are_small():
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 5_000_000


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_splits_share_no_template(built, name, one, other):
    assert not {e.template for e in built[name][one]} & {e.template for e in built[name][other]}


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_splits_share_no_combination_of_slot_values(built, name, one, other):
    def combinations(split):
        return {e.combination for e in built[name][split] if e.values}

    assert combinations(one)
    assert not combinations(one) & combinations(other)


def test_no_input_comes_twice(built, name):
    texts = [next(iter(e.row.values())) for examples in built[name].values() for e in examples]
    assert len(set(texts)) == len(texts)


def test_many_templates(built, name):
    assert len({e.template for e in built[name]["train"]}) > 200
    assert len({e.template for e in built[name]["test"]}) > 40


def test_the_keeper_is_asked_differently_in_each_split():
    for kind, phrases in persona_words.FACTS.items():
        asked = [q for split in SIZES for q in phrases[split]]
        assert len(set(asked)) == len(asked), kind


@pytest.mark.parametrize("name", ["sentiment", "intent"], indirect=True)
def test_labels_are_in_equal_shares(built, name):
    for split, examples in built[name].items():
        counts = Counter(e.row["label"] for e in examples)
        assert set(counts) == set(SETS[name].CARD["labels"]), split
        assert max(counts.values()) - min(counts.values()) <= 1, split


def test_the_gold_replies_get_full_marks(name):
    for split in SIZES:
        rows = read(name, split)
        figures = score(SETS[name].CARD["metric"], rows, [row["target"] for row in rows])
        assert all(value == pytest.approx(1) for value in figures.values()), (split, figures)


def test_texts_are_whole_and_short(built, name):
    for examples in built[name].values():
        for e in examples:
            columns = SETS[name].CARD["columns"].values()
            text = " ".join(e.row[c] for c in columns)
            assert not set("{}()") & set(text), text
            assert "  " not in text, text
            assert len(text) < 360, text


def test_cards_describe_the_columns(name):
    card = json.loads((DATA / name / "data.json").read_text(encoding="utf-8"))
    assert card["metric"] in METRICS
    assert 3 <= len(card["example_prompts"]) <= 5
    for split in SIZES:
        assert all(set(card["columns"].values()) <= set(row) for row in read(name, split))
    known = {row["input"] for split in SIZES for row in read(name, split)}
    if card["task"] == "generate":
        assert not known & set(card["example_prompts"]), "an example prompt is a row that was trained on"


def test_the_readmes_give_the_baselines_that_are_measured():
    for line in table()[2:]:
        name, rest = line.strip("| ").split(" | ", 1)
        assert f"| {rest} |" in (DATA / name / "README.md").read_text(encoding="utf-8")


def test_a_combination_belongs_to_one_split_whatever_its_order():
    assert owner(frozenset(["a", "b"])) == owner(frozenset(["b", "a"]))
    assert {owner(frozenset([str(i)])) for i in range(30)} == set(SIZES)


def test_a_set_that_cannot_be_filled_says_so():
    from tools.storybook.datasets.grammar import Example

    with pytest.raises(ValueError, match="tiny/train: only 1 different"):
        draw("tiny", lambda dice, split, label: Example({"text": "always this"}, "always this", ()))


def test_slots_with_numbers_are_different_draws():
    for seed in range(20):
        text = Filling(Dice(str(seed)), {"town": ["Hull", "York"]}).fill("{town} {town2} {town}")
        assert text in ("Hull York Hull", "York Hull York")


def test_sentences():
    assert sentence("a(n) owl  sat. so did a(n) cat") == "An owl sat. So did a cat"
