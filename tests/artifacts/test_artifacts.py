"""What a run hands out, and the proof that it is what the run learned."""

from __future__ import annotations

import json
import threading
import zipfile
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from lab import access, artifacts
from lab.artifacts import receipt
from lab.artifacts.receipt import checked
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


def test_an_export_is_proven_and_a_changed_tensor_is_caught(store, llama, replies, tmp_path, capsys):
    run = trained(store, llama, replies, steps=3, learning_rate=0.05)
    command = ["export", run.id, "--runs", str(store.folder), "--out", str(tmp_path / "out")]
    assert main([*command, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    file, proof = Path(printed["file"]), printed["receipt"]
    assert file.name == "My-run--nº-1.zip"
    assert proof["largest_difference"] <= 1e-5
    assert (proof["equal_replies"], proof["prompts"]) == (10, 10)

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


def test_what_the_fresh_process_cannot_load_is_a_sentence(store, llama, reviews, tmp_path, capsys):
    run = trained(store, llama, reviews, "full", steps=1)
    file, result = tmp_path / "adapter.zip", tmp_path / "outputs.safetensors"
    file.write_bytes(b"no zip")
    assert receipt.main([str(run.folder), "adapter", str(file), str(result)]) == 1
    assert "cannot be unpacked" in capsys.readouterr().out
    assert not result.exists()
    artifacts.write(run, "adapter", tmp_path)
    assert receipt.main([str(run.folder), "adapter", str(tmp_path / "My-run--nº-1.zip"), str(result)]) == 0
    assert result.is_file()
    (run.adapter / "selection.safetensors").write_bytes(b"damaged")
    with pytest.raises(LabError, match="damaged"):
        checked(run, "adapter", file)
    assert not file.exists()
    with pytest.raises(LabError, match="holds no model"):
        receipt.receipt(run, "script", file)


def test_the_command_line_writes_what_holds_no_model(store, llama, reviews, tmp_path, capsys):
    run = store.create(quick(llama, reviews))
    command = ["export", run.id, "--runs", str(store.folder), "--out", str(tmp_path / "out")]
    assert main([*command, "--as", "script"]) == 0
    assert (tmp_path / "out" / "train.py").read_text(encoding="utf-8").startswith('"""')
    assert main([*command, "--as", "nothing"]) == 2
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
