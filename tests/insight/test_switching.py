from __future__ import annotations

import threading

import pytest

from lab.errors import LabError
from lab.insight.switching import Bank, check
from lab.training.loop import train
from tests.plans import quick


def trained(store, model, data, method="bottleneck", **given):
    run = store.create(quick(model, data, method, steps=2, eval_every=0, **given))
    for _ in run.record(train(run.plan, threading.Event(), run.folder)):
        pass
    return run


@pytest.fixture
def two(store, llama, replies):
    return [trained(store, llama, replies, seed=seed, learning_rate=0.3, placement="houlsby") for seed in (1, 2)]


def test_each_adapter_on_the_shared_base_says_what_it_says_alone(two, store):
    import torch

    from lab.chat.engine import Engine

    bank = Bank(two)
    ids = torch.tensor([bank.encoder.prompt("say aa 1")])
    engine = Engine(store)
    shared = []
    with torch.inference_mode():
        for number, run in enumerate(two):
            bank.use(number)
            shared.append(bank.model(input_ids=ids).logits)
            assert torch.allclose(shared[-1], engine.model(run.id).model(input_ids=ids).logits, atol=1e-5)
    assert not torch.allclose(*shared, atol=1e-3), "the two tasks must differ for the test to mean anything"


def test_the_bytes_are_the_adapters_own(two):
    from lab import methods
    from lab.models import loading

    told = Bank(two).measure("say aa 1", repeats=3)
    shape = loading.shape(two[0].plan.model, "generate")
    numbers = methods.method("bottleneck").trainable(methods.settings(two[0].plan), shape)
    assert told.adapters == (4 * numbers, 4 * numbers)
    assert 0 <= told.base - 4 * shape.total < 100, "the frequencies of the positions are no parameters"
    assert set(told.replies) == {run.id for run in two}
    assert min(told.load, told.attach, told.switch) > 0


def test_runs_that_cannot_share_are_told(two, store, llama, replies, reviews):
    other = trained(store, llama, replies, method="lora")
    classifier = trained(store, llama, reviews)
    with pytest.raises(LabError, match="two runs"):
        check(two[:1])
    with pytest.raises(LabError, match="different methods"):
        check([two[0], other])
    with pytest.raises(LabError, match="different tasks"):
        check([two[0], classifier])
    with pytest.raises(LabError, match="no text"):
        Bank(two).measure("  ")
