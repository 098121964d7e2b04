"""The experiments on the embedded base: their cases, what is told of their figures, and one short run."""

from __future__ import annotations

import json

import pytest

from benchmarks.embedded import page
from benchmarks.embedded.__main__ import main
from benchmarks.embedded.cases import EXPERIMENTS, ORDER, run, same
from benchmarks.embedded.measured import measure
from benchmarks.embedded.scratch import FRESH, PRETRAINED, RATES, SETS, WORDS, chosen, fresh, rates, words
from lab import methods
from lab.data.tasks import prepare
from lab.errors import LabError
from lab.plan import Data


def line(figures, **case):
    return {"case": case, "figures": figures}


def scratch_lines(gap, size=100):
    """Three seeds of each arm on every set, LoRA `gap` ahead of scratch with an honest spread."""
    return [
        line(
            {"score": 0.4 + seed / 100 + lead}, experiment="scratch", set=name, rows=size, arm=arm, steps=1, seed=seed
        )
        for name in SETS
        for arm, lead in ((PRETRAINED, gap), (FRESH, 0.0), (WORDS, 0.3))
        for seed in range(3)
    ]


def search(best=0.9):
    """The lines of a search in which the middle rate of each network was best."""
    return [{"case": case, "figures": {"score": best if case["rate"] == RATES[case["arm"]][1] else 0.1}}
            for case in rates([0], [])]  # fmt: skip


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_no_two_cases_have_one_name(name):
    made = [same(case) for case in EXPERIMENTS[name]([0, 1, 2], search())]
    assert len(set(made)) == len(made) > 0


def test_a_network_takes_the_rate_that_the_validation_rows_chose():
    with pytest.raises(LabError, match="No rate was searched"):
        chosen([], "snips7", 100, FRESH)
    cases = EXPERIMENTS["scratch"]([0], search())
    assert {case["rate"] for case in cases if case["arm"] == FRESH} == {RATES[FRESH][1]}
    assert not any("rate" in case for case in cases if case["arm"] == WORDS)


def test_a_spread_is_mean_and_sample_deviation():
    assert page.spread([0.1, 0.2, 0.3]) == "20.0 ± 10.0"
    assert page.spread([0.1, 0.1]) == "10.0 ± 0.0 (2 seeds)"
    assert page.spread([0.25]) == "25.0 (one seed)"
    assert page.spread([]) == "–"


@pytest.mark.parametrize(("gap", "sets", "verdict"), [(0.12, len(SETS), "Holds"), (0.08, 0, "Does not hold")])
def test_ten_points_are_claimed_only_where_they_are(gap, sets, verdict):
    told = "\n".join(page.scratch(scratch_lines(gap)))
    assert f"**{verdict}.** With 100 rows LoRA is 10 points or more ahead of scratch on {sets} of {len(SETS)}" in told
    assert "With all rows nothing was measured yet" in told


@pytest.mark.parametrize(("style", "verdict"), [(0.97, "Holds"), (0.9, "Does not hold")])
def test_the_persona_is_held_to_its_share(style, verdict):
    curve = [
        {"step": step, "style": style if step else 0.0, "correct": 0.9, "bits": 1.0, "general": 1.2}
        for step in (0, 9)
    ]
    figures = {"curve": curve, "seconds": 50.0, "replies": [["a | b", "Aye"]]}
    told = "\n".join(page.persona([line(figures, experiment="persona", precision="fp32", seed=0)]))
    assert f"**{verdict} so far.** 95% in style" in told
    assert "| a \\| b | Aye |" in told


@pytest.mark.parametrize(("lora", "verdict"), [(1.22, "Holds"), (1.30, "Does not hold")])
def test_the_order_is_by_score_and_forgetting_is_paired(lora, verdict):
    lines = [
        line(
            {"score": score, "loss": 1.0, "general": general + seed / 1000, "trainable": 5, "rate": 0.1}
            | ({"base_general": 1.2} if key == "full" else {}),
            experiment="order", method=key, steps=1, seed=seed,
        )
        for key, score, general in (("head", 0.4, 1.2), ("lora", 0.7, lora), ("full", 0.6, 1.25))
        for seed in range(3)
    ]  # fmt: skip
    told = "\n".join(page.order(lines))
    assert "In order of the mean: LoRA, Full fine-tuning, Head only." in told
    assert f"**{verdict}.** LoRA forgets less" in told
    assert "| LoRA | 70.0 ± 0.0 |" in told


def test_ranks_saturate_unless_the_highest_is_best():
    def told(scores):
        lines = [
            line({"score": s, "loss": 1, "general": 1, "trainable": r}, experiment="ranks", rank=r, steps=1, seed=0)
            for r, s in scores.items()
        ]
        return page.ranks(lines)[-1]

    assert "**Holds so far.** The accuracy saturates: from rank 8 on" in told({1: 0.5, 8: 0.69, 64: 0.7})
    assert "**Does not hold so far.**" in told({1: 0.5, 8: 0.6, 64: 0.7})


def test_what_quantization_costs_is_told_from_the_bases():
    def case(precision, before, after):
        curve = [{"step": s, "bits": b, "general": b} for s, b in ((0, before), (9, after))]
        return line({"curve": curve, "seconds": 1}, experiment="persona", precision=precision, seed=0)

    told = "\n".join(page.nf4([case("fp32", 1.2, 0.5), case("nf4", 1.25, 0.53)]))
    assert "costs +0.050 bits per byte" in told
    assert "stands +0.030 bits per byte" in told
    assert page.nf4([case("fp32", 1.2, 0.5)]) == [page.NOTHING]


def test_a_section_is_put_between_its_markers_alone():
    text = "a\n<!-- x -->\nold\n<!-- /x -->\nb"
    assert page.put(text, "x", [r"\1 new"]) == "a\n<!-- x -->\n\\1 new\n<!-- /x -->\nb"
    with pytest.raises(ValueError, match="no markers"):
        page.put(text, "y", [])


def test_the_page_is_what_the_log_says(tmp_path):
    copy = tmp_path / "embedded.md"
    copy.write_text(page.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    page.write(copy, page.logged(page.LOG))
    assert copy.read_text(encoding="utf-8") == page.PAGE.read_text(encoding="utf-8")


def test_a_folder_without_the_sets_is_named(tmp_path, capsys):
    case = EXPERIMENTS["rates"]([0], [])[0]
    with pytest.raises(LabError, match=r"has no snips7/train\.csv"):
        run(case, tmp_path)
    assert main(["rates", "--data", str(tmp_path), "--log", str(tmp_path / "log.jsonl")]) == 1
    assert "snips7/train.csv" in capsys.readouterr().err


def test_scratch_is_a_network_that_has_read_nothing(tmp_path):
    """The bag of words and the fresh network run on files alone; a label that no training row has is a miss."""
    from lab.models import loading

    file = tmp_path / "rows.csv"
    rows = [f"{word} number {i},{word}" for i in range(40) for word in ("red", "blue")]
    file.write_text("text,label\n" + "\n".join(rows), encoding="utf-8")
    data = Data(source=str(file), task="classify", input="text", target="label")
    test = prepare(data).test
    assert words(data, test) == 1.0
    place = str(fresh(tmp_path, 3))
    plan = methods.default_plan("full", model=place, data=data)
    strange = type(test[0])("green number 1", "green", {})
    loose = {"steps": 1, "eval_every": 0, "eval_rows": 4, "batch_size": 2}
    session, history = measure(methods.with_values(plan, loose), (*test[:3], strange))
    assert session.known == 0.75
    assert history.last
    assert history.last.general > 3  # the base itself is below 1.3
    assert loading.shape(place, "classify", 2).total == loading.shape("storybook", "classify", 2).total


def test_a_training_is_scored_on_test_rows():
    plan = methods.default_plan("head", data=Data(source="sentiment"))
    loose = {"steps": 1, "eval_every": 0, "eval_rows": 8, "batch_size": 2}
    session, history = measure(methods.with_values(plan, loose))
    assert history.base is None
    assert history.last
    assert history.started
    assert history.started.eval_rows == 8
    assert session.known == 1
    assert history.last.score * 8 == int(history.last.score * 8)


def test_the_log_holds_every_case_once():
    names = [same(item["case"]) for item in page.logged(page.LOG)]
    assert len(set(names)) == len(names)
    known = {json.loads(name)["experiment"] for name in names}
    assert known <= {*EXPERIMENTS} | {"persona"}
    assert {*ORDER} <= {*methods.METHODS}
