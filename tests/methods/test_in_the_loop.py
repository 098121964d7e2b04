"""Every method in the lab's own loop: it learns, it is saved, and a broken-off run goes on exactly."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import pytest

from lab.events import DONE, Saved, Step
from lab.history import fold
from lab.methods import METHODS
from lab.training.loop import train
from tests import tiny
from tests.methods.cases import SMALL
from tests.plans import quick

#: A base on which each method works: BitFit needs biases.
BASES = {"bitfit": "qwen2"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made: dict[tuple[str, str], str] = {}

    def folder(family: str, task: str) -> str:
        if (family, task) not in made:
            made[family, task] = str(tiny.save(tmp_path_factory.mktemp(family), family, task))
        return made[family, task]

    return folder


def run(plan, folder: Path, **options):
    return list(train(plan, threading.Event(), folder, **options))


@pytest.fixture(scope="module", params=METHODS)
def whole(request, folders, replies, tmp_path_factory):
    """A method, a plan of it, the folder and the history of its uninterrupted run."""
    key = request.param
    base = folders(BASES.get(key, "llama"), "generate")
    plan = quick(base, replies, key, **SMALL.get(key, {}), steps=8, eval_every=4)
    folder = tmp_path_factory.mktemp(key)
    return key, plan, folder, fold(run(plan, folder))


def test_a_run_and_the_same_run_broken_off(whole, tmp_path):
    key, plan, folder, history = whole
    assert history.finished.status == DONE, history.finished
    assert history.last.loss < (history.evaluations[1] if METHODS[key].not_identity else history.base).loss
    assert (folder / "adapter").is_dir()
    broken = train(plan, threading.Event(), tmp_path / "broken")
    first = list(
        itertools.takewhile(lambda event: not (isinstance(event, Saved) and event.what == "checkpoint"), broken)
    )
    broken.close()
    second = run(plan, tmp_path / "broken", resume=True)
    losses = [event.loss for event in (*first, *second) if isinstance(event, Step)]
    assert losses == [step.loss for step in history.steps]
    assert fold(second).last.loss == history.last.loss


@pytest.mark.parametrize("key", METHODS)
def test_a_classifier(key, folders, reviews, tmp_path):
    base = folders(BASES.get(key, "llama"), "generate")
    plan = quick(base, reviews, key, **SMALL.get(key, {}), steps=4, eval_every=0)
    history = fold(run(plan, tmp_path))
    assert history.finished.status == DONE, history.finished
    assert 0 <= history.last.score <= 1


def test_the_ledger_is_a_hand_count(whole):
    """Bytes of the 32-bit weights, of what is trained, of its gradients and of Adam's two moments and step counts."""
    key, _, _, history = whole
    family = BASES.get(key, "llama")
    memory = history.steps[-1].memory
    shape = tiny.shape(family, "generate")
    terms = METHODS[key].terms(METHODS[key].Settings(**SMALL.get(key, {})), shape)
    trained = sum(term.count for term in terms)
    buffers = 4 * sum(item.numel() for name, item in tiny.model(family, "generate").named_buffers())
    assert memory.weights == 4 * shape.total + buffers
    assert memory.optimizer == 8 * trained + 4 * len(terms)
    assert memory.gradients <= 4 * trained
    if METHODS[key].changes_base:
        assert memory.adapter == 0
    elif key not in ("vera", "oft", "boft", "adalora"):  # they hold fixed tensors besides
        assert memory.adapter == 4 * trained
    else:
        assert memory.adapter > 4 * trained
