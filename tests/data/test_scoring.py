"""Every score against values worked out by hand."""

import subprocess
import sys

import pytest

from lab.data.scoring import (
    METRICS,
    TITLES,
    accuracy,
    bleu,
    chrf,
    exact_match,
    macro_f1,
    persona_correct,
    persona_style,
    score,
    slot_accuracy,
)

GOLD = ["a", "a", "a", "b"]
GUESS = ["a", "a", "b", "b"]

SLOTS = {"name": ["Fern Cottage"], "sleeps": ["four"], "pets": ["no dogs", "closed to dogs"], "price": ["cheap"]}


def test_accuracy_is_the_share_of_hits():
    assert accuracy(GOLD, GUESS) == 0.75
    assert accuracy(["yes"], [" yes\n"]) == 1.0
    assert accuracy([], []) == 0.0


def test_accuracy_refuses_lists_of_different_length():
    with pytest.raises(ValueError, match="shorter"):
        accuracy(["a", "b"], ["a"])


def test_macro_f1_gives_each_label_the_same_weight():
    # a: TP 2, FP 0, FN 1 -> 4/5; b: TP 1, FP 1, FN 0 -> 2/3
    assert macro_f1(GOLD, GUESS) == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert macro_f1(["a", "b"], ["a", "neither"]) == 0.5


def test_macro_f1_agrees_with_scikit_learn():
    from sklearn import metrics

    gold = ["x", "y", "z", "x", "y", "z", "x", "x"]
    guess = ["x", "z", "z", "y", "y", "x", "x", "z"]
    assert macro_f1(gold, guess) == pytest.approx(metrics.f1_score(gold, guess, average="macro"))


def test_exact_match_ignores_case_and_white_space_only():
    assert exact_match(["The cat.", "The dog."], ["the  cat. ", "The dog"]) == 0.5


def test_slot_accuracy_counts_what_is_said():
    assert slot_accuracy(SLOTS, "Fern Cottage sleeps four, takes no dogs and is cheap.") == 1.0
    assert slot_accuracy(SLOTS, "FERN COTTAGE sleeps four. It is closed to dogs.") == 0.75
    assert slot_accuracy(SLOTS, "") == 0.0


def test_slot_accuracy_wants_whole_words():
    assert slot_accuracy({"sleeps": ["four"]}, "It sleeps fourteen.") == 0.0


def test_slot_accuracy_takes_off_what_was_not_asked_for():
    absent = {"garden": ["garden"], "near": ["near", "close to"]}
    text = "Fern Cottage, near the sea and close to a wood, sleeps four. No dogs; cheap. There is a garden."
    assert slot_accuracy(SLOTS, text, absent) == 0.5
    assert slot_accuracy({"name": ["Fern Cottage"]}, text, absent) == 0.0


def test_a_copied_representation_says_nothing():
    assert slot_accuracy(SLOTS, "name[Fern Cottage], sleeps[four], pets[no dogs], price[cheap]") == 0.0


def test_slot_accuracy_needs_slots():
    with pytest.raises(ValueError, match="slot"):
        slot_accuracy({}, "anything")


def test_bleu_of_a_sentence():
    reference = "the cat sat on the mat"
    assert bleu([reference], [reference]) == pytest.approx(100)
    # precisions 5/6, 4/5, 3/4, 2/3, no brevity penalty: the fourth root of their product is 0.7598
    assert bleu([reference], ["the cat sat on the rug"]) == pytest.approx(75.98, abs=0.01)
    assert bleu([], []) == 0.0


def test_chrf_of_words():
    assert chrf(["tide"], ["tide"]) == pytest.approx(100)
    assert chrf(["tide"], ["moon"]) == 0.0
    # orders 1 to 3 of "abc" against "abd": 2/3, 1/2, 0, precision = recall, averaged over three orders
    assert chrf(["abc"], ["abd"]) == pytest.approx(100 * (2 / 3 + 1 / 2 + 0) / 3)


@pytest.mark.parametrize(
    "text",
    [
        "Ahoy! Ada lives in Thornby, sure as the tide.",
        "aye, she does, sure as the FOGHORN!",
        "  Ahoy there!\nThe lamp is lit. Sure as the stars",
    ],
)
def test_the_keepers_style(text):
    assert persona_style(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ada lives in Thornby, sure as the tide.",
        "Ahoy! Ada lives in Thornby.",
        "Ahoy! Ada lives in Thornby, sure as the bus.",
        "Ahoy! Sure as the tide, Ada lives in Thornby.",
        "Ayers Rock is far away, sure as the sea.",
    ],
)
def test_what_is_not_the_keepers_style(text):
    assert not persona_style(text)


def test_persona_correct_needs_every_fact():
    assert persona_correct(["blue", "kite"], "Ahoy! Her kite is Blue.")
    assert not persona_correct(["blue", "kite"], "Ahoy! Her kite is red.")
    assert not persona_correct(["4"], "She is 41 years old.")
    assert persona_correct([], "Aye.")
    assert not persona_correct([], "  ")


def test_every_metric_has_a_title():
    assert set(TITLES) == set(METRICS)


def test_score_of_labels():
    figures = score("accuracy", [{"target": g} for g in GOLD], GUESS)
    assert list(figures) == ["accuracy", "macro_f1"]
    assert figures["accuracy"] == 0.75


def test_score_of_any_text_lies_between_0_and_1():
    figures = score("overlap", [{"target": "abc"}, {"target": "x y"}], ["abc", "X  Y"])
    assert next(iter(figures)) == "chrf"
    assert 0 < figures["chrf"] < 1
    assert figures["exact_match"] == 1.0


def test_score_of_slots():
    rows = [{"target": "Fern Cottage is cheap.", "slots": {"name": ["Fern Cottage"], "price": ["cheap"]}}] * 2
    figures = score("slot_accuracy", rows, ["Fern Cottage is cheap.", "Rose Hall is cheap."])
    assert next(iter(figures)) == "slot_accuracy"
    assert figures["slot_accuracy"] == 0.75
    assert figures["all_slots"] == 0.5
    rows = [{"target": "", "slots": {"name": ["Fern Cottage"]}, "absent": {"pets": ["dogs"]}}]
    assert score("slot_accuracy", rows, ["Fern Cottage takes dogs."])["slot_accuracy"] == 0.0


def test_score_of_a_persona_wants_style_and_facts_at_once():
    rows = [{"target": "", "facts": ["Thornby"]}] * 2 + [{"target": "", "facts": []}] * 2
    outputs = [
        "Ahoy! In Thornby, sure as the tide.",
        "In Thornby.",
        "Aye, sure as the sea.",
        "Ahoy! Well.",
    ]
    figures = score("persona", rows, outputs)
    assert figures == {"persona": 0.5, "style": 0.5, "correct": 1.0}
    assert next(iter(figures)) == "persona"


def test_score_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match=r"'charm'.*accuracy"):
        score("charm", [], [])
    with pytest.raises(ValueError, match="1 rows but 0 outputs"):
        score("accuracy", [{"target": "a"}], [])


def test_importing_the_scores_loads_nothing_heavy():
    code = (
        "import sys, lab.data.scoring; print([m for m in ('torch', 'sacrebleu', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
