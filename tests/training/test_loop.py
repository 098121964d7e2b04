"""The generator: what it says, what it keeps, how it goes on and how it fails."""

from __future__ import annotations

import errno
import itertools
import json
import shutil
import sys
import threading
from pathlib import Path

import pytest
from safetensors.torch import load_file

from lab.events import DONE, FAILED, STOPPED, Evaluated, Finished, Sample, Saved, Started, Step, Warned
from lab.history import fold
from lab.training.loop import train
from tests.plans import quick


def run(plan, folder: Path, **options):
    return list(train(plan, threading.Event(), folder, **options))


def losses(events) -> list[float]:
    return [event.loss for event in events if isinstance(event, Step)]


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_run_tells_its_whole_course(llama, replies, tmp_path, method):
    events = run(quick(llama, replies, method), tmp_path)
    history = fold(events)
    assert history.finished.status == DONE, history.finished
    assert [item.step for item in history.steps] == [1, 2, 3, 4, 5, 6]
    assert [(item.step, item.base) for item in history.evaluations] == [(0, True), (3, False), (6, False)]
    assert [item.step for item in history.samples] == [0, 3, 6]
    assert history.started.trainable < history.started.total or method == "full"
    assert history.base.general > 0
    assert (tmp_path / "adapter").is_dir()
    assert not (tmp_path / "checkpoint").exists()


def test_a_classifier_learns_the_label_that_stands_in_the_text(llama, reviews, tmp_path):
    plan = quick(llama, reviews, "full", steps=60, learning_rate=3e-3, eval_every=0, batch_size=16)
    history = fold(run(plan, tmp_path))
    assert history.started.labels == ("no", "yes")
    assert history.last.score > 0.9 > history.base.score
    assert history.last.loss < history.base.loss


def test_the_same_plan_gives_the_same_losses(llama, replies, tmp_path):
    plan = quick(llama, replies, dropout=0.2)
    assert losses(run(plan, tmp_path / "a")) == losses(run(plan, tmp_path / "b"))


def test_accumulation_changes_memory_but_not_the_losses(llama, replies, tmp_path):
    whole = run(quick(llama, replies, batch_size=8), tmp_path / "a")
    parts = run(quick(llama, replies, batch_size=2, accumulation=4), tmp_path / "b")
    assert losses(parts) == pytest.approx(losses(whole), abs=2e-5)
    assert fold(parts).peak.activations < fold(whole).peak.activations


def test_stop_acts_within_a_step_and_keeps_what_was_learned(llama, replies, tmp_path):
    stop, made = threading.Event(), []
    for event in train(quick(llama, replies, steps=100, eval_every=0), stop, tmp_path):
        made.append(event)
        if isinstance(event, Step) and event.step == 4:
            stop.set()
    assert made[-1].status == STOPPED
    assert fold(made).step == 4
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()
    assert fold([*made, *run(quick(llama, replies, steps=6), tmp_path, resume=True)]).step == 6


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_broken_off_run_resumes_to_the_same_curve_and_weights(llama, replies, tmp_path, method):
    plan = quick(llama, replies, method, **({"dropout": 0.3} if method == "lora" else {}))
    whole = run(plan, tmp_path / "whole")
    broken = train(plan, threading.Event(), tmp_path / "broken")
    first = list(itertools.takewhile(lambda e: not (isinstance(e, Saved) and e.what == "checkpoint"), broken))
    broken.close()
    second = run(plan, tmp_path / "broken", resume=True)
    assert next(event for event in second if isinstance(event, Started)).first_step == 3
    assert losses(first) + losses(second) == losses(whole)
    for file in (tmp_path / "whole" / "adapter").glob("*.safetensors"):
        one, other = load_file(file), load_file(tmp_path / "broken" / "adapter" / file.name)
        assert all((one[name] == other[name]).all() for name in one)


def test_the_base_is_left_bit_identical_by_lora(llama, replies, tmp_path):
    before = {file.name: file.read_bytes() for file in Path(llama).iterdir()}
    run(quick(llama, replies), tmp_path)
    assert {file.name: file.read_bytes() for file in Path(llama).iterdir()} == before


def test_a_diverging_loss_stops_the_run_and_keeps_the_last_good_state(llama, replies, tmp_path):
    plan = quick(llama, replies, "full", learning_rate=10.0, clip=0, steps=60, optimizer="sgd", eval_every=1)
    events = run(plan, tmp_path)
    assert events[-1].status == FAILED
    assert "became" in events[-1].error
    assert "learning rate" in events[-1].hint
    kept = load_file(next((tmp_path / "adapter").glob("*.safetensors")))
    assert all(tensor.isfinite().all() for tensor in kept.values())


def test_gradient_checkpointing_gives_the_same_losses_for_less_memory(llama, replies, tmp_path):
    plain = run(quick(llama, replies), tmp_path / "a")
    spare = run(quick(llama, replies, gradient_checkpointing=True), tmp_path / "b")
    assert losses(spare) == pytest.approx(losses(plain), abs=1e-5)
    assert fold(spare).peak.activations < fold(plain).peak.activations


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": "/nowhere/at/all"}, "does not exist"),
        ({"model": "storybok"}, "no embedded model"),
        ({"source": "/nowhere.csv"}, "does not exist"),
        ({"source": "sentimnt"}, "no embedded data set"),
        ({"target_modules": "nothing_like_it"}, "matches"),
        ({"weights": "nf4", "method": "full"}, "cannot be trained"),
    ],
)
def test_what_a_person_can_mend_is_the_last_event(llama, replies, tmp_path, given, words):
    given = dict(given)
    method, model = given.pop("method", "lora"), given.pop("model", llama)
    events = run(quick(model, given.pop("source", replies), method, **given), tmp_path)
    assert isinstance(events[-1], Finished)
    assert events[-1].status == FAILED
    assert words in events[-1].error
    assert events[-1].hint


def test_a_rank_above_the_smaller_side_is_allowed_with_a_warning(llama, replies, tmp_path):
    events = run(quick(llama, replies, rank=64), tmp_path)
    assert any(isinstance(event, Warned) and "no saving" in event.message for event in events)
    assert events[-1].status == DONE


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "quota"),
        (RuntimeError("I/O error: File too large (os error 27)"), "larger than the system allows"),
        (PermissionError(errno.EACCES, "Permission denied"), "cannot be written"),
    ],
)
def test_an_adapter_that_cannot_be_saved_is_one_sentence_and_leaves_nothing_half_written(
    llama, replies, tmp_path, monkeypatch, problem, words
):
    from lab.methods import METHODS

    def broken(model, folder):
        (folder / "adapter_model.safetensors").write_bytes(b"half of it")
        raise problem

    monkeypatch.setattr(METHODS["lora"], "save", broken)
    events = run(quick(llama, replies, steps=2), tmp_path)
    assert events[-1].status == FAILED
    assert words in events[-1].error
    assert events[-1].hint
    assert not list(tmp_path.glob("adapter*"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
def test_a_limit_of_a_files_size_is_one_sentence(llama, replies, tmp_path):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        last = run(quick(llama, replies, steps=2, rank=16), tmp_path)[-1]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert last.status == FAILED
    assert "larger than the system allows" in last.error
    assert not list(tmp_path.iterdir())


def test_a_run_that_is_done_is_left_as_it_is(llama, replies, store):
    done = store.create(quick(llama, replies, steps=2))
    for _ in done.record(train(done.plan, threading.Event(), done.folder)):
        pass
    before = {file: file.read_bytes() for file in done.folder.glob("**/*") if file.is_file()}
    assert done.folder / "adapter" / "adapter_model.safetensors" in before
    for resume in (False, True):
        events = list(train(done.plan, threading.Event(), done.folder, resume))
        assert "is done" in events[-1].error
        assert {file: file.read_bytes() for file in done.folder.glob("**/*") if file.is_file()} == before


@pytest.mark.parametrize("saved", ["adapter", "checkpoint"])
def test_a_folder_that_is_removed_while_it_trains_is_not_made_again(llama, replies, tmp_path, saved):
    events = []
    for event in train(
        quick(llama, replies, save_every=1 if saved == "checkpoint" else 0), threading.Event(), tmp_path / "a"
    ):
        events.append(event)
        if isinstance(event, Step) and event.step == (1 if saved == "checkpoint" else 6):
            shutil.rmtree(tmp_path / "a")
    assert events[-1].status == FAILED
    assert "folder was removed" in events[-1].error
    assert not (tmp_path / "a").exists()


def test_out_of_memory_gets_a_hint_from_the_ledger(llama, replies, tmp_path, monkeypatch):
    import torch

    def exhausted(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    made = []
    for event in train(quick(llama, replies, eval_every=0), threading.Event(), tmp_path):
        made.append(event)
        if isinstance(event, Step) and event.step == 2:
            monkeypatch.setattr(torch.optim.AdamW, "step", exhausted)
    assert made[-1].error == "The device ran out of memory."
    assert "batch size (now 4)" in made[-1].hint


def test_evaluations_and_samples_do_not_disturb_the_training(llama, replies, tmp_path):
    rare = run(quick(llama, replies, eval_every=0, dropout=0.3), tmp_path / "a")
    often = run(quick(llama, replies, eval_every=1, dropout=0.3), tmp_path / "b")
    assert losses(rare) == losses(often)
    assert sum(isinstance(event, Evaluated) for event in often) == 7
    assert sum(isinstance(event, Sample) for event in often) == 7


def test_a_damaged_checkpoint_is_told(llama, replies, tmp_path):
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "state.json").write_text(json.dumps({"step": 1}), encoding="utf-8")
    events = run(quick(llama, replies), tmp_path, resume=True)
    assert "checkpoint is damaged" in events[-1].error


def test_a_method_reports_what_it_found(llama, replies, tmp_path):
    history = fold(run(quick(llama, replies, "adalora", steps=8), tmp_path))
    assert history.finished.status == DONE, history.finished
    ranks = history.facts["ranks"]
    assert ranks
    assert all(0 <= rank <= 12 for rank in ranks.values())
