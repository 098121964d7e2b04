import random

import pytest

from lab.compare.results import MISSING, PUBLISHED, Outcome, arms, marked, table
from lab.compare.verdict import apart, verdict
from lab.events import DONE, FAILED


def outcome(arm: str, seed: int, score: float, trainable: int = 100, **more) -> Outcome:
    given = {
        "method": "lora", "status": DONE, "model": "m", "data": "d", "rows": 200, "steps": 60, "tokens": 600,
        "total": 1000, "memory": 10 * trainable, "score_base": 0.5,
    }  # fmt: skip
    return Outcome(f"{arm}{seed}", arm, seed=seed, score=score, trainable=trainable, **given | more)


def texts(outcomes) -> str:
    return " ".join(sentence.text for sentence in verdict(outcomes))


def test_a_clear_winner_is_named():
    outcomes = [outcome("A", s, 0.9 + 0.001 * s) for s in range(4)]
    outcomes += [outcome("B", s, 0.6 + 0.002 * s) for s in range(4)]
    said = verdict(outcomes)
    assert said[0].kind == "best"
    assert said[0].text.startswith("A is ahead of the rest with 90.1% ± 0.1 points over 4 seeds")
    assert "paired t-test over 4 seeds" in said[0].text


def test_no_winner_is_named_within_the_spread_and_the_leaner_is_told():
    dice = random.Random(1)
    outcomes = [outcome("A", s, 0.8 + dice.gauss(0, 0.02), 500) for s in range(5)]
    outcomes += [outcome("B", s, 0.8 + dice.gauss(0, 0.02), 20) for s in range(5)]
    said = verdict(outcomes)
    assert said[0].kind == "tie"
    assert "No winner" in said[0].text
    assert not any("ahead" in item.text for item in said)
    if arms(outcomes)[1].of("score").mean < arms(outcomes)[0].of("score").mean:
        assert "B trains the fewest parameters: 20 (2.0% of the model's)" in texts(outcomes)


def test_one_seed_is_judged_by_the_rows_and_says_so():
    close = [outcome("A", 0, 0.80), outcome("B", 0, 0.78)]
    assert verdict(close)[0].kind == "tie"
    assert "One seed each" in texts(close)
    far = [outcome("A", 0, 0.95), outcome("B", 0, 0.55)]
    assert verdict(far)[0].kind == "best"
    assert "sampling error" in verdict(far)[0].text


def test_the_sentence_about_full_fine_tuning():
    outcomes = [outcome("Full fine-tuning", s, 0.80 + 0.01 * s, 1000, method="full", total=1000) for s in range(3)]
    outcomes += [outcome("LoRA rank=8", s, 0.805 + 0.01 * (2 - s), 11, total=1011) for s in range(3)]
    assert "LoRA rank=8 is within the spread of full fine-tuning at 1.1% of its trained parameters" in texts(outcomes)


def test_many_arms_without_a_difference_rarely_give_a_winner():
    dice = random.Random(3)
    named = 0
    for _ in range(100):
        outcomes = [outcome(f"arm {a}", s, 0.7 + dice.gauss(0, 0.02)) for a in range(8) for s in range(5)]
        named += verdict(outcomes)[0].kind == "best"
    assert named <= 5


def test_failures_are_results_and_marked_members_are_not_ranked():
    outcomes = [outcome("A", 0, 0.8), outcome("B", 0, 0.7)]
    outcomes += [outcome("C", 0, None, status=FAILED, reason="The device ran out of memory.", steps=0)]
    outcomes += [outcome("D", 0, None, status=MISSING)]
    outcomes += [outcome("E", 0, 0.99, data="other")]
    found = marked(outcomes, "steps", 60)
    said = texts(found)
    assert "C failed: The device ran out of memory." in said
    assert "D lost its run" in said
    assert "1 run is not comparable (other data: other)" in said
    assert "E has" not in said
    assert "E is ahead" not in said


def test_published_figures_stand_beside_and_are_not_ranked():
    outcomes = [outcome("A", 0, 0.5), outcome("P", 0, 0.99, status=PUBLISHED)]
    found = marked(outcomes, "steps", 60)
    assert "published" in found[1].marks[0]
    assert "P" not in [word.strip(",.") for word in texts(found).split()]


@pytest.mark.parametrize(
    ("budget", "amount", "more", "said"),
    [
        ("steps", 60, {"steps": 40}, "made 40 steps"),
        ("tokens", 5000, {"tokens": 600}, "read 600 tokens"),
        ("seconds", 10, {"seconds": 20.0}, "took 20 s"),
    ],
)
def test_a_member_outside_the_budget_is_marked(budget, amount, more, said):
    found = marked([outcome("A", 0, 0.8, **more)], budget, amount)
    assert said in found[0].marks[0]


def test_a_member_within_the_budget_is_not_marked():
    assert marked([outcome("A", 0, 0.8, tokens=605, steps=60)], "tokens", 600)[0].marks == ()
    assert marked([outcome("A", 0, 0.8, seconds=11.0)], "seconds", 10)[0].marks == ()


def test_the_order_of_the_runs_changes_nothing():
    dice = random.Random(2)
    outcomes = [outcome(f"arm {a}", s, 0.7 + dice.random() / 10) for a in range(3) for s in range(3)]
    groups = [arm.members for arm in arms(outcomes)]
    mixed = list(outcomes)
    dice.shuffle(mixed)
    again = {arm.name: arm.members for arm in arms(mixed)}
    assert all(again[members[0].arm] == members for members in groups)
    assert sorted(item.text for item in verdict(mixed)) == sorted(item.text for item in verdict(outcomes))


def test_the_table_has_the_spread_and_the_best_of_each_column():
    outcomes = [outcome("A", s, 0.8 + 0.1 * s, 50) for s in range(2)] + [outcome("B", s, 0.7, 20) for s in range(2)]
    rows = {row["arm"]: row for row in table(arms(outcomes))}
    assert rows["A"]["cells"]["score"]["mean"] == pytest.approx(0.85)
    assert rows["A"]["cells"]["score"]["best"]
    assert not rows["A"]["cells"]["trainable"]["best"]
    assert rows["B"]["cells"]["trainable"]["best"]
    assert rows["B"]["cells"]["score"]["deviation"] == 0


def test_apart_uses_holm_over_all_pairs():
    first = arms([outcome("A", s, 0.80 + 0.001 * s) for s in range(3)])[0]
    others = [
        arms([outcome(f"B{n}", s, 0.7975 + 0.0012 * s + 0.0009 * (s == n % 3)) for s in range(3)])[0]
        for n in range(9)
    ]
    alone = apart(first, others[:1])[0].told
    together = [item.told for item in apart(first, others)]
    assert alone
    assert not all(together)
