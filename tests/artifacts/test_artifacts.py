"""What a run hands out, and the proof that it is what the run learned."""

from __future__ import annotations

import json
import threading
import zipfile
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from lab import access, artifacts
from lab.artifacts.receipt import checked, receipt
from lab.cli import main
from lab.errors import LabError
from lab.hosting.limits import Limits
from lab.hosting.rules import Shared
from lab.runs import Run, Runs
from lab.training.loop import train
from tests.plans import quick


def trained(store: Runs, *arguments: str, **values: object) -> Run:
    run = store.create(quick(*arguments, **values), name="My run: nº 1")
    for _ in run.record(train(run.plan, threading.Event(), run.folder)):
        pass
    assert run.status == "done", run.history().finished
    return run


def test_every_kind_is_written_or_says_why_not(store, llama, replies, tmp_path):
    untrained = store.create(quick(llama, replies))
    assert [item.key for item in artifacts.offered(untrained)] == ["script"]
    for key in ("adapter", "card"):
        with pytest.raises(LabError, match="saved nothing"):
            artifacts.write(untrained, key, tmp_path)
    run = trained(store, llama, replies, steps=2)
    assert artifacts.offered(run) == list(artifacts.ARTIFACTS.values())
    for item in artifacts.offered(run):
        file = artifacts.write(run, item.key, tmp_path)
        assert file.parent == tmp_path
        assert file.stat().st_size > 200
    with pytest.raises(LabError, match="no artifact 'adaptor'") as error:
        artifacts.artifact("adaptor")
    assert "'adapter'" in error.value.hint


def test_a_receipt_proves_an_adapter_and_catches_a_changed_tensor(store, llama, replies, tmp_path):
    run = trained(store, llama, replies, steps=3, learning_rate=0.05)
    file = artifacts.write(run, "adapter", tmp_path)
    assert file.name == "My-run--nº-1.zip"
    proof = checked(run, "adapter", file)
    assert proof.largest_difference <= 1e-5
    assert (proof.equal_replies, proof.prompts) == (10, 10)

    folder = tmp_path / "changed"
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == Path(llama).name
    weights = load_file(str(folder / "adapter_model.safetensors"))
    name = next(name for name in weights if "lora_B" in name)
    save_file(weights | {name: -weights[name]}, str(folder / "adapter_model.safetensors"), metadata={"format": "pt"})
    with zipfile.ZipFile(file, "w") as archive:
        for part in folder.iterdir():
            archive.write(part, part.name)
    with pytest.raises(LabError, match="not what the run learned"):
        checked(run, "adapter", file)
    assert not file.exists()


def test_a_file_that_cannot_be_loaded_is_a_sentence(store, llama, reviews, tmp_path):
    run = trained(store, llama, reviews, "full", steps=1)
    file = tmp_path / "broken.zip"
    file.write_bytes(b"no zip")
    with pytest.raises(LabError, match="cannot be unpacked"):
        receipt(run, "adapter", file)
    with pytest.raises(LabError, match="holds no model"):
        receipt(run, "script", file)


def test_the_command_line_exports_with_a_receipt(store, llama, reviews, tmp_path, capsys):
    run = trained(store, llama, reviews, "full", steps=1)
    arguments = ["export", run.id, "--runs", str(store.folder), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert Path(printed["file"]).is_file()
    assert printed["receipt"]["equal_replies"] == 10
    assert main([*arguments, "--as", "script"]) == 0
    assert (tmp_path / "out" / "train.py").read_text(encoding="utf-8").startswith('"""')
    assert main([*arguments, "--as", "nothing"]) == 2
    assert "There is no artifact" in capsys.readouterr().err


def test_a_shared_lab_makes_only_what_is_for_everybody(monkeypatch, store, llama, replies, tmp_path):
    run = store.create(quick(llama, replies))
    monkeypatch.setattr(type(artifacts.ARTIFACTS["script"]), "shared", False)
    before = access.use(Shared(Limits(), tmp_path, lambda: "visitor"))
    try:
        with pytest.raises(LabError, match="shared lab"):
            artifacts.write(run, "script", tmp_path)
        assert artifacts.offered(run) == []
    finally:
        access.use(before)
