"""A plan means the same to everybody who asks: form, rules, comparison, script, loop and command line."""

from __future__ import annotations

import re
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab import methods
from lab.artifacts.script import script
from lab.compare.budget import steps_for_tokens
from lab.compare.grid import Member, foresee
from lab.errors import LabError
from lab.events import Started
from lab.hosting.limits import Limits
from lab.hosting.rules import permit
from lab.plan import Data, Plan
from lab.training.job import resolve
from lab.training.loop import train
from lab.ui.bench import form, panel
from tests.plans import quick

PLANS = st.fixed_dictionaries(
    {
        "steps": st.one_of(st.just(0), st.integers(1, 400)),
        "epochs": st.floats(0.01, 20),
        "batch_size": st.integers(1, 64),
        "accumulation": st.integers(1, 8),
        "max_length": st.integers(4, 300),
        "eval_every": st.integers(0, 50),
        "save_every": st.integers(0, 50),
        "rows": st.one_of(st.just(0), st.integers(20, 120)),
        "seed": st.integers(0, 5),
    }
)
MANY = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def steps_that_rules_count(plan: Plan) -> int:
    """The number of steps for which the rules of a shared lab refuse a plan when they allow none."""
    with pytest.raises(LabError) as error:
        permit(plan, Limits(steps=0), 10**12)
    return int(re.search(r"has ([\d,]+) steps", error.value.message)[1].replace(",", ""))


@MANY
@given(values=PLANS, method=st.sampled_from(["lora", "adalora", "ia3", "prompt", "full"]))
def test_everybody_counts_the_same(llama, reviews, values, method):
    plan = methods.with_values(methods.default_plan(method, model=llama, data=Data(source=reviews)), values)
    job = resolve(plan)
    seen = panel.see(form.form(plan))
    assert seen["data"]["steps"] == job.steps == steps_that_rules_count(plan)
    assert (seen["reason"] or {}).get("message") == (job.refusal.message if job.refusal else None)
    foresight = foresee([Member(plan, "arm")])[0]
    assert (foresight.reason is None) == (job.refusal is None)
    if job.refusal:
        return
    assert foresight.trainable == seen["totals"]["trainable"] == job.trainable
    assert foresight.memory == job.estimate
    assert seen["costs"]["own"]["at_once"] == job.estimate.at_once
    source = script(plan)
    assert f"for step in range({job.steps}):" in source
    assert f"max_length={job.max_length}" in source
    assert job.max_length <= min(plan.training.max_length, job.shape.max_length)


@pytest.mark.parametrize(
    ("rows", "epochs", "batch_size", "accumulation", "steps"),
    [(65, 1.0, 16, 4, 2), (64, 1.0, 16, 4, 1), (90, 2.0, 7, 3, 9), (30, 0.01, 16, 4, 1)],
)
def test_epochs_are_the_steps_that_the_loop_makes(
    llama, reviews, tmp_path, rows, epochs, batch_size, accumulation, steps
):
    plan = quick(
        llama,
        reviews,
        steps=0,
        epochs=epochs,
        batch_size=batch_size,
        accumulation=accumulation,
        rows=rows,
        eval_every=0,
    )
    assert resolve(plan).steps == steps
    events = list(train(plan, threading.Event(), tmp_path))
    started = next(event for event in events if isinstance(event, Started))
    assert (started.steps, events[-1].step) == (steps, steps), events[-1]


def test_a_job_is_kept_until_its_data_change(llama, tmp_path):
    file = tmp_path / "rows.jsonl"
    row = '{{"text": "{0} and {0}", "label": "{1}"}}\n'
    file.write_text("".join(row.format(number, number % 2) for number in range(80)), encoding="utf-8")
    plan = quick(llama, str(file))
    job = resolve(plan)
    assert resolve(plan) is job
    assert resolve(quick(llama, str(file), seed=1)) is not job
    file.write_text("".join(row.format(number, number % 2) for number in range(400)), encoding="utf-8")
    assert len(resolve(plan).data.train) > len(job.data.train)


def test_a_plan_that_cannot_be_trained_says_why(llama, reviews):
    job = resolve(quick(llama, reviews, target_modules="nowhere"))
    assert "nowhere" in job.refusal.message
    assert job.warnings == ()
    with pytest.raises(LabError, match="nowhere"):
        job.check()


def test_a_sequence_beyond_the_positions_is_cut_and_said(llama, reviews):
    job = resolve(quick(llama, reviews, max_length=5000))
    assert job.max_length == job.shape.max_length < 5000
    assert str(job.max_length) in job.warnings[-1].message
    assert steps_for_tokens(job.plan, 10) == 1
