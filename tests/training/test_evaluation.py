"""What is scored, and how a run says so."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import replace

import pytest

from lab.compare.results import marked, measured
from lab.events import DONE, Evaluated, Finished, Started
from lab.history import OTHER_ROWS, fold
from lab.plan import CLASSIFY, GENERATE, Data, Training
from lab.training.evaluation import Evaluator
from lab.training.job import resolve
from lab.training.loop import train
from tests.plans import quick


@pytest.fixture(scope="module")
def by_label(tmp_path_factory) -> str:
    """A file of 600 rows that is sorted by its labels."""
    file = tmp_path_factory.mktemp("data") / "sorted.jsonl"
    rows = [{"text": f"thing number {n}", "label": ("no", "yes")[n // 300]} for n in range(600)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("task", [CLASSIFY, GENERATE])
def test_the_rows_that_are_scored_have_the_labels_of_the_file(llama, by_label, task):
    plan = quick(llama, by_label)
    job = resolve(replace(plan, data=Data(by_label, task=task)))
    evaluator = Evaluator(job.data, job.encoder, "cpu", 20, 8, lambda: False)
    sizes = Counter(item.target for item in job.data.validation)
    for rows in (evaluator.examples, evaluator.replies):
        for label, count in Counter(item.target for item in rows).items():
            assert count == pytest.approx(len(rows) * sizes[label] / sizes.total(), abs=1)


def test_every_seed_is_scored_on_the_same_rows(llama, by_label):
    jobs = [resolve(replace(quick(llama, by_label), seed=seed)) for seed in (0, 1)]
    one, other = (Evaluator(job.data, job.encoder, "cpu", 20, 8, lambda: False).examples for job in jobs)
    assert one == other


def test_a_run_says_which_rows_it_takes(llama, by_label, replies, tmp_path):
    plan = quick(llama, by_label, steps=1, eval_rows=20)
    plan = replace(plan, data=replace(plan.data, rows=100))
    started = fold(train(plan, threading.Event(), tmp_path / "a")).started
    assert started.rows == (
        f"Learns from 100 of {started.train_total} rows; scored on 20 of {started.eval_total} validation rows "
        "(stratified by label, seed 0)."
    )
    assert started.train_total + started.eval_total < 600
    started = fold(train(quick(llama, replies, steps=1), threading.Event(), tmp_path / "b")).started
    assert f"8 of {started.eval_total} validation rows, replies to 2 of them (drawn with seed 0)." in started.rows


def begun(**more) -> Started:
    return Started(steps=4, total=10, trainable=1, task=CLASSIFY, metric="accuracy", device="CPU", train_rows=90,
                   eval_rows=8, **more)  # fmt: skip


def test_a_run_that_goes_on_with_other_rows_says_so():
    now = begun(train_total=90, eval_total=40, sampling="drawn with seed 0", first_step=2)
    assert begun().rows == "Learns from 90 rows; scored on 8 validation rows (the first ones)."
    assert now.rows == "Learns from 90 rows; scored on 8 of 40 validation rows (drawn with seed 0)."
    assert [item.message for item in fold([begun(), now]).warnings] == [OTHER_ROWS]
    assert fold([now, now]).warnings == fold([begun(), begun()]).warnings == []


def test_a_member_that_was_scored_on_other_rows_is_marked():
    def outcome(key: str, **more):
        history = fold([begun(**more), Evaluated(4, 1.0, 0.5), Finished(DONE, 4)])
        rows = Training().reply_rows
        return measured(history, DONE, 1, rows, key=key, arm=key, method="lora", seed=0)

    drawn = {"eval_total": 40, "train_total": 90, "sampling": "drawn with seed 0"}
    first, *rest = marked([outcome("a"), outcome("b", **drawn), outcome("c", **drawn)], "steps", 0)
    assert first.marks == ("held-out rows drawn otherwise: the first ones",)
    assert [item.marks for item in rest] == [(), ()]
