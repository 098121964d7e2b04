"""The chat on real (tiny) models: base and adapter, strength, drawing, stopping, classifying."""

from __future__ import annotations

import itertools
import threading

import pytest
import torch

from lab.chat.engine import Engine, Options
from lab.errors import LabError
from lab.models import room
from lab.runs import Runs
from lab.training.loop import train
from tests.plans import quick


def trained(store: Runs, plan):
    run = store.create(plan)
    for _ in run.record(train(plan, threading.Event(), run.folder)):
        pass
    assert run.status == "done", run.history().finished
    return run


@pytest.fixture(scope="module")
def shared(tmp_path_factory, llama, replies, reviews):
    store = Runs(tmp_path_factory.mktemp("runs"))
    strong = {"steps": 12, "learning_rate": 0.03}
    return Engine(store), {
        "lora": trained(store, quick(llama, replies, **strong)).id,
        "prefix": trained(store, quick(llama, replies, "prefix", **strong)).id,
        "full": trained(store, quick(llama, replies, "full", **strong)).id,
        "labels": trained(store, quick(llama, reviews, steps=40, batch_size=16, learning_rate=0.01)).id,
    }


def reply(engine, run, text="say aa 3", **options) -> str:
    base = options.pop("base", False)
    texts = list(engine.stream(run, [{"role": "user", "content": text}], Options(max_tokens=12, **options), base))
    assert all(later.startswith(earlier[:1]) for earlier, later in itertools.pairwise(texts))
    return texts[-1]


@pytest.mark.parametrize("method", ["lora", "prefix", "full"])
def test_strength_goes_from_the_base_to_the_adapter(shared, method):
    engine, runs = shared
    base, adapted = reply(engine, runs[method], base=True), reply(engine, runs[method])
    assert base != adapted
    assert reply(engine, runs[method], strength=0.0) == base
    assert reply(engine, runs[method], strength=0.999999) == adapted


def test_a_seed_draws_the_same_reply_and_leaves_torch_alone(shared):
    engine, runs = shared
    before = torch.get_rng_state()
    drawn = [reply(engine, runs["lora"], temperature=1.5, seed=seed) for seed in (1, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1
    assert torch.equal(torch.get_rng_state(), before)
    assert reply(engine, runs["lora"], temperature=1.0, top_p=1e-6) == reply(engine, runs["lora"])


def test_closing_the_reply_stops_the_writing(shared):
    engine, runs = shared
    stream = engine.stream(runs["lora"], [{"role": "user", "content": "say"}], Options(max_tokens=150))
    next(stream)
    stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "reply"]


def test_a_classifier_gives_the_probability_of_each_label(shared):
    engine, runs = shared
    chances = engine.classify(runs["labels"], "good thing number 7", Options())
    assert set(chances) == {"no", "yes"}
    assert sum(chances.values()) == pytest.approx(1)
    assert chances["yes"] > 0.5 > engine.classify(runs["labels"], "bad thing number 7", Options())["yes"]
    base = engine.classify(runs["labels"], "good thing number 7", Options(), base=True)
    assert engine.classify(runs["labels"], "good thing number 7", Options(strength=0.0)) == base != chances


@pytest.mark.parametrize(
    ("run", "text", "words"),
    [("lora", "  ", "nothing to answer"), ("lora", "x" * 10_000, "tokens"), ("labels", "hello", "writes no text")],
)
def test_what_cannot_be_answered_is_told(shared, run, text, words):
    engine, runs = shared
    with pytest.raises(LabError, match=words):
        reply(engine, runs[run], text)


def test_a_run_that_has_saved_nothing_is_told(shared, llama, replies):
    engine, _ = shared
    run = engine.runs.create(quick(llama, replies))
    with pytest.raises(LabError, match="not started"):
        reply(engine, run.id)


def test_chat_and_training_at_the_same_time_leave_each_other_alone(shared, llama, replies, tmp_path):
    engine, runs = shared
    plan = quick(llama, replies, steps=10, dropout=0.3)
    alone = [e.loss for e in train(plan, threading.Event(), tmp_path / "a") if hasattr(e, "grad_norm")]
    quiet = reply(engine, runs["lora"])
    beside, said = [], []
    for event in train(plan, threading.Event(), tmp_path / "b"):
        if hasattr(event, "grad_norm"):
            beside.append(event.loss)
            said.append(reply(engine, runs["lora"]))
    assert beside == alone
    assert set(said) == {quiet}


def test_models_that_write_nothing_are_let_go_when_room_is_short(shared):
    engine, runs = shared
    said = reply(engine, runs["lora"])
    writing = engine.stream(runs["prefix"], [{"role": "user", "content": "say aa 3"}], Options(max_tokens=12))
    first = next(writing)
    room.make()
    assert [key.run.split("@")[0] for key in engine._models] == [runs["prefix"]]
    *_, last = writing
    assert last.startswith(first[:1])
    assert reply(engine, runs["lora"]) == said


def test_who_makes_room_does_not_wait_for_who_loads(shared):
    engine, runs = shared
    reply(engine, runs["lora"])
    with engine._loading:  # another thread loads, and may itself wait for the one that makes room
        asked = threading.Thread(target=room.make)
        asked.start()
        asked.join(10)
        assert not asked.is_alive()
    assert engine._models


def test_an_adapter_of_another_base_is_told(shared, tmp_path):
    from dataclasses import replace

    from lab.runs import write_json
    from tests import tiny

    engine, runs = shared
    other = str(tiny.save(tmp_path / "gpt2", "gpt2", "generate"))
    run = engine.runs.get(runs["lora"])
    about = run.about
    write_json(run.folder / "run.json", about | {"plan": replace(run.plan, model=other).to_dict()})
    with pytest.raises(LabError):
        reply(engine, run.id)
    write_json(run.folder / "run.json", about)
