"""What a run began on: what counts as a change, and what becomes of a run that goes on after one."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from lab.events import DONE, FAILED, STOPPED, Step
from lab.models import loading
from lab.plan import Data, Plan
from lab.runs import INTERRUPTED, Run
from lab.training.fingerprint import UNKNOWN, ChangedError, Fingerprint, base, confirm
from lab.training.jobs import Jobs
from lab.training.loop import train
from tests.plans import quick

ROWS = [
    {"prompt": f"say {word} {number}", "reply": f"{word} {number}!"} for number in range(40) for word in ("a", "b")
]


def write(file: Path, rows: list[dict[str, str]]) -> str:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


@pytest.fixture
def data(tmp_path: Path) -> str:
    return write(tmp_path / "rows.jsonl", ROWS)


@pytest.fixture
def folder(llama: str, tmp_path: Path) -> str:
    return str(shutil.copytree(llama, tmp_path / "base"))


# -- what counts as a change --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows + ROWS[:15], "80 rows then, 95 now"),
        (lambda rows: [*rows[:-1], {"prompt": "say c", "reply": "c!"}], "80 rows as before, but not the same ones"),
        (
            lambda rows: [{"text": row["prompt"], "reply": row["reply"]} for row in rows],
            "'prompt' and 'reply' then, 'text'",
        ),
        (
            lambda rows: [{"prompt": row["prompt"], "label": row["prompt"][4]} for row in rows],
            "'prompt' and 'label' now",
        ),
        (lambda rows: rows, ""),
    ],
)
def test_changed_data_are_told_in_a_sentence(llama, data, change, words):
    plan = Plan(model=llama, data=Data(source=data))
    began = Fingerprint.of(plan)
    write(Path(data), change(ROWS))
    told = began.changes(Fingerprint.of(plan))
    assert words in told
    assert bool(told) == bool(words)


def test_a_column_that_only_the_scorer_reads_counts_too(llama, data):
    plan = Plan(model=llama, data=Data(source=data))
    began = Fingerprint.of(plan)
    write(Path(data), [row | {"note": "new"} for row in ROWS])
    assert "not the same ones" in began.changes(Fingerprint.of(plan))


@pytest.mark.parametrize(
    ("name", "changed"),
    [("config.json", True), ("tokenizer.json", True), ("model.safetensors", True), ("README.md", False)],
)
def test_a_base_is_its_configuration_tokenizer_and_weights(folder, name, changed):
    began = base(folder)
    file = Path(folder) / name
    content = file.read_bytes() if file.exists() else b"words"
    file.write_bytes(content[:-1] + b" ")  # of the same size
    assert (base(folder) != began) == changed


def test_weights_of_another_training_are_seen_though_they_are_as_large(folder):
    import torch
    from safetensors.torch import load_file, save_file

    file = Path(folder) / "model.safetensors"
    tensors = load_file(file)
    large = {name: torch.cat([item] * 40) for name, item in tensors.items()}
    save_file(large, file)
    assert file.stat().st_size > 2**20, "only a sample of it is read"
    began, size = base(folder), file.stat().st_size
    save_file({name: item + 1e-3 for name, item in large.items()}, file)
    assert file.stat().st_size == size
    assert base(folder) != began


def test_a_base_of_the_hub_is_its_commit(monkeypatch, tmp_path):
    folders = iter([tmp_path / "snapshots" / "0123456789ab", tmp_path / "snapshots" / "abcdef012345"])
    monkeypatch.setattr(loading, "folder", lambda model, weights: next(folders))
    began = Fingerprint(1, "generate", "a", "b", "", base("org/name"))
    assert "commit 0123456 then, abcdef0 now" in began.changes(replace(began, base=base("org/name")))


def test_another_task_on_the_same_columns_is_a_change(llama, reviews):
    began = Fingerprint.of(Plan(model=llama, data=Data(source=reviews)))
    now = Fingerprint.of(Plan(model=llama, data=Data(source=reviews, task="generate")))
    assert "the task was 'classify' then and is 'generate' now" in began.changes(now)


def test_rows_that_are_not_used_do_not_count(llama, data):
    plan = Plan(model=llama, data=Data(source=data, rows=10))
    began = Fingerprint.of(plan)
    write(Path(data), [*ROWS, {"prompt": "say nothing", "reply": ""}])
    assert began.changes(Fingerprint.of(plan)) == ""


def test_what_comes_with_the_lab_has_a_fingerprint():
    assert Fingerprint.of(Plan()) == Fingerprint.of(Plan())
    assert Fingerprint.of(Plan()) != Fingerprint.of(Plan(data=Data(rows=100)))


# -- a run that goes on ---------------------------------------------------------------------------


def stopped(store, plan: Plan, step: int = 2) -> Run:
    """A run that was stopped after a step."""
    run, stop = store.create(plan), threading.Event()
    for event in run.record(train(plan, stop, run.folder)):
        if isinstance(event, Step) and event.step == step:
            stop.set()
    assert run.status == STOPPED
    return run


def resumed(run: Run) -> list:
    return list(run.record(train(run.plan, threading.Event(), run.folder, resume=True)))


@pytest.fixture
def changed(store, llama, data) -> Run:
    """A stopped run whose data have changed."""
    run = stopped(store, quick(llama, data, steps=4, eval_every=0))
    write(Path(data), ROWS + ROWS[:15])
    return run


def test_a_run_whose_data_changed_does_not_go_on_by_itself(changed):
    last = resumed(changed)[-1]
    assert last.status == FAILED
    assert last.error == "The data changed since this run began: 80 rows then, 95 now."
    assert changed.history().step == 2


def test_a_changed_run_is_refused_by_the_queue_and_free_again(changed, store):
    jobs = Jobs(store)
    with pytest.raises(ChangedError, match="80 rows then, 95 now"):
        jobs.continue_(changed.id)
    assert not changed.busy
    assert changed.status == STOPPED
    jobs.close()


def test_an_accepted_change_goes_on_with_a_warning_until_the_next_change(changed, store, data):
    jobs = Jobs(store)
    jobs.continue_(changed.id, accept_changes=True)
    assert jobs.wait(changed.id, 60)
    jobs.close()
    assert changed.status == DONE
    assert [item.message for item in changed.history().warnings] == [
        "The data changed since this run began: 80 rows then, 95 now."
    ]
    confirm(changed)  # accepted once is accepted
    write(Path(data), ROWS[:70])
    with pytest.raises(ChangedError, match="80 rows then, 70 now"):
        confirm(changed)


def test_a_changed_base_is_not_trained_on(store, folder, data):
    run = stopped(store, quick(folder, data, steps=4, eval_every=0))
    file = Path(folder) / "generation_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"temperature": 0.5}), encoding="utf-8")
    assert "The base changed since this run began" in resumed(run)[-1].error


def test_a_run_that_starts_anew_begins_on_what_there_is(changed):
    shutil.rmtree(changed.folder / "checkpoint")
    for _ in changed.record(train(changed.plan, threading.Event(), changed.folder)):
        pass
    assert (changed.status, changed.history().warnings) == (DONE, [])
    assert changed.about["fingerprint"]["rows"] == 95


def test_an_older_labs_run_goes_on_with_a_note(changed, store):
    about = json.loads((changed.folder / "run.json").read_text())
    del about["fingerprint"]
    (changed.folder / "run.json").write_text(json.dumps(about), encoding="utf-8")
    assert resumed(changed)[-1].status == DONE
    assert [item.message for item in changed.history().warnings] == [UNKNOWN]
    assert changed.about["fingerprint"]["rows"] == 95


def test_data_that_are_gone_are_the_trainings_own_failure(changed, store, data):
    Path(data).unlink()
    jobs = Jobs(store)
    jobs.continue_(changed.id)
    assert jobs.wait(changed.id, 60)
    jobs.close()
    assert "does not exist" in changed.history().finished.error


def test_a_run_that_never_began_has_nothing_that_could_have_changed(store, llama, data):
    run = store.create(quick(llama, data, steps=1, eval_every=0))
    assert run.status == INTERRUPTED
    write(Path(data), ROWS + ROWS[:15])
    jobs = Jobs(store)
    jobs.continue_(run.id)
    assert jobs.wait(run.id, 60)
    jobs.close()
    assert run.status == DONE


def test_a_rename_while_a_run_begins_is_not_lost(store, monkeypatch):
    """Both write run.json: each waits for the other."""
    run, other = store.create(Plan()), store.create(Plan())
    renamed = threading.Thread(target=Run(run.folder).rename, args=("new",))
    about = Run.about.fget

    def slow(self):
        facts = about(self)
        if self is run and not renamed.is_alive() and renamed.ident is None:
            renamed.start()
            renamed.join(0.2)
        return facts

    monkeypatch.setattr(Run, "about", property(slow))
    run.note(fingerprint={})
    renamed.join()
    assert (run.name, run.about["fingerprint"]) == ("new", {})
    assert other.name != "new"
