"""Runs of several sessions: what a stop leaves, what the next session makes of it, and how seconds add up."""

from __future__ import annotations

import threading

import pytest

from lab.events import DONE, STOPPED, Step
from lab.history import fold
from lab.training.loop import train
from tests.plans import quick


class StopAfter(threading.Event):
    """A stop that comes at the question number `asked`, wherever the training asks it."""

    def __init__(self, asked: int) -> None:
        super().__init__()
        self.left = asked

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def sessions(store, plan, *stops):
    """A run in a store, one session a stop; the session's events are in its log."""
    made = store.create(plan)
    for stop in stops:
        for _ in made.record(train(plan, stop, made.folder, resume=made.resumable)):
            pass
    return made.history()


def evaluations(history):
    return [(item.step, item.base, item.loss, item.score, item.general or 0.0) for item in history.evaluations]


@pytest.fixture(scope="module")
def unbroken(llama, reviews, replies, tmp_path_factory):
    """For each task a plan with several passes an evaluation, and the history of its whole run."""
    plans = {
        name: quick(llama, data, steps=2, eval_every=1)
        for name, data in (("classify", reviews), ("generate", replies))
    }
    return {
        name: (plan, fold(train(plan, threading.Event(), tmp_path_factory.mktemp(name))))
        for name, plan in plans.items()
    }


@pytest.fixture
def small_passes(monkeypatch):
    from lab.training import evaluation

    monkeypatch.setattr(evaluation, "BATCH", 4)


@pytest.mark.parametrize(
    ("task", "asked"),
    [  # in the evaluation of the base, after the first step and after the last
        *(("classify", asked) for asked in (0, 1, 5, 9)),
        *(("generate", asked) for asked in (2, 5, 10, 19)),
    ],
)
def test_an_evaluation_that_is_stopped_is_made_again_and_never_kept_in_part(
    unbroken, small_passes, store, task, asked
):
    plan, whole = unbroken[task]
    first = sessions(store, plan, StopAfter(asked))
    assert first.finished.status == STOPPED
    for item in evaluations(first):
        assert any(item == pytest.approx(other, rel=1e-4) for other in evaluations(whole))
    history = sessions(store, plan, StopAfter(asked), StopAfter(0), threading.Event())
    assert history.finished.status == DONE
    assert [step.loss for step in history.steps] == [step.loss for step in whole.steps]
    for item, other in zip(evaluations(history), evaluations(whole), strict=True):
        assert item == pytest.approx(other, rel=1e-4)
    assert [(item.step, item.base, item.reply) for item in history.samples] == [
        (item.step, item.base, item.reply) for item in whole.samples
    ]


def test_the_base_is_evaluated_as_it_was_when_the_run_goes_on(llama, replies, store, small_passes):
    """A trained base hides the one that it was, so a missing evaluation comes before the checkpoint is read."""
    plan = quick(llama, replies, "full", steps=2, eval_every=0, learning_rate=0.01)
    whole = sessions(store, plan, threading.Event())
    made = store.create(plan)
    stop = threading.Event()
    for event in made.record(train(plan, stop, made.folder)):
        if isinstance(event, Step):
            stop.set()
    log = made.folder / "events.jsonl"
    log.write_text("".join(line + "\n" for line in log.read_text().splitlines() if '"base": true' not in line))
    for _ in made.record(train(plan, threading.Event(), made.folder, resume=True)):
        pass
    assert made.history().base.loss == pytest.approx(whole.base.loss, rel=1e-4)
    assert made.history().last.loss == pytest.approx(whole.last.loss, rel=1e-4)


def test_a_resumed_run_says_the_seconds_of_all_its_sessions(llama, replies, store):
    stop = threading.Event()
    made = store.create(quick(llama, replies, eval_every=0))
    for event in made.record(train(made.plan, stop, made.folder)):
        if isinstance(event, Step) and event.step == 2:
            stop.set()
    first = made.history().finished
    assert (first.status, first.earlier) == (STOPPED, 0.0)
    last = list(made.record(train(made.plan, threading.Event(), made.folder, resume=True)))[-1]
    assert last.earlier == first.seconds
    assert last.seconds - last.earlier > made.history().steps[-1].seconds - made.history().steps[1].seconds
    assert made.history().seconds == last.seconds
