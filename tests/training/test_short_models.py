"""Models of few positions: long prompts, the general prose and the chat fit them."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from lab.chat.engine import Engine, Options
from lab.data.encoding import Encoder
from lab.errors import LabError
from lab.events import DONE
from lab.history import fold
from lab.insight.switching import Bank
from lab.plan import CLASSIFY, GENERATE
from lab.runs import Runs
from lab.training.loop import train
from tests import tiny
from tests.plans import quick

SENTENCE = "a sentence that is much longer than the model can read at once, number"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, str]:
    """Files of long texts by task."""
    folder = tmp_path_factory.mktemp("long")
    rows = {
        CLASSIFY: [{"text": f"{SENTENCE} {n}", "label": "ab"[n % 2]} for n in range(60)],
        GENERATE: [{"prompt": f"{SENTENCE} {n}", "reply": f"yes {n}"} for n in range(60)],
    }
    for task, items in rows.items():
        (folder / f"{task}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in items), encoding="utf-8")
    return {task: str(folder / f"{task}.jsonl") for task in rows}


def short_model(folder: Path, family: str, task: str, positions: int) -> str:
    """The folder of a tiny model that knows only so many positions."""
    from lab.models.shape import auto_class

    config = tiny.config(family)
    name = {"gpt2": "n_positions"}.get(family, "max_position_embeddings")
    if family != "t5":  # its positions are relative: it reads any length
        setattr(config, name, positions)
    auto_class(config, task).from_config(config).save_pretrained(str(folder))
    tiny.tokenizer().save_pretrained(str(folder))
    return str(folder)


def trained(folder: Path, *arguments, **settings):
    """A finished run, recorded in a store of its own."""
    store = Runs(folder / "runs")
    run = store.create(quick(*arguments, **{"steps": 2, "eval_every": 0, **settings}))
    for _ in run.record(train(run.plan, threading.Event(), run.folder)):
        pass
    return store, run


@pytest.mark.parametrize(
    ("family", "task", "positions"),
    [("llama", GENERATE, 16), ("llama", GENERATE, 64), ("gpt2", GENERATE, 16), ("gpt2", GENERATE, 64),
     ("t5", GENERATE, 64), ("llama", CLASSIFY, 16), ("gpt2", CLASSIFY, 16),
     ("gpt2", CLASSIFY, 64), ("bert", CLASSIFY, 16), ("bert", CLASSIFY, 64)],
)  # fmt: skip
def test_a_short_model_trains_is_evaluated_and_answers(tmp_path, files, family, task, positions):
    model = short_model(tmp_path / "model", family, task, positions)
    store, run = trained(tmp_path, model, files[task], max_length=256)
    history = fold(run.events())
    assert history.finished.status == DONE, history.finished
    if task == GENERATE:
        assert (history.last.general is not None) == (family != "t5")
        question = [{"role": "user", "content": "x" * (positions - 3)}]
        assert list(Engine(store).stream(run.id, question, Options(max_tokens=64)))
    else:
        chances = Engine(store).classify(run.id, SENTENCE * 4, Options(strength=0.5))
        assert sum(chances.values()) == pytest.approx(1)


@pytest.mark.parametrize("method", ["prompt", "prefix"])
def test_virtual_tokens_take_positions_too(tmp_path, files, method):
    model = short_model(tmp_path / "model", "gpt2", GENERATE, 64)
    store, run = trained(tmp_path, model, files[GENERATE], method, max_length=44, virtual_tokens=20)
    history = fold(run.events())
    assert history.finished.status == DONE, history.finished
    assert history.last.general > 0
    engine, half = Engine(store), Options(strength=0.5)
    assert list(engine.stream(run.id, [{"role": "user", "content": "x" * 40}], half))  # and a line's end: 41 tokens
    with pytest.raises(LabError, match="the model reads 44"):
        list(engine.stream(run.id, [{"role": "user", "content": "x" * 43}], half))


def test_a_prompt_gives_way_at_its_beginning_to_a_reply_of_half_the_positions():
    encoder = Encoder(tiny.tokenizer(), GENERATE, (), max_length=100, positions=64)
    assert encoder.reply_length(64) == 32
    assert encoder.fit(list(range(90)), 32) == list(range(58, 90))
    assert encoder.fit(list(range(20)), 32) == list(range(20))
    assert Encoder(tiny.tokenizer(), GENERATE, (), max_length=100).fit(list(range(150)), 64) == list(range(51, 150))


def test_a_history_that_fills_the_model_is_a_sentence(tmp_path, files):
    model = short_model(tmp_path / "model", "gpt2", GENERATE, 64)
    store, run = trained(tmp_path, model, files[GENERATE])
    turns = [{"role": role, "content": "a long turn"} for role in ("user", "assistant") * 10]
    with pytest.raises(LabError, match="the model reads 64"):
        list(Engine(store).stream(run.id, [*turns, {"role": "user", "content": "and?"}], Options()))


def test_two_adapters_on_a_short_base_answer_a_long_text(tmp_path, files):
    model = short_model(tmp_path / "model", "gpt2", GENERATE, 64)
    runs = [trained(tmp_path / str(n), model, files[GENERATE])[1] for n in range(2)]
    assert set(Bank(runs).measure(SENTENCE * 3, repeats=2).replies) == {run.id for run in runs}
