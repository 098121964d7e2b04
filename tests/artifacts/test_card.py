"""A run's model card, and its adapter on a double of the Hub."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from lab.artifacts.card import card
from lab.artifacts.publish import publish
from lab.errors import LabError
from lab.models import hub as client
from lab.runs import Run, Runs
from tests.hosting.visitor_plan import short


@pytest.fixture
def run(store: Runs, trained_runs: Path) -> Run:
    shutil.copytree(trained_runs, store.folder, dirs_exist_ok=True)
    (run,) = store.all()
    return run


def test_the_card_tells_the_run_and_no_path(run: Run, replies: str) -> None:
    text = card(run)
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["library_name"] == "peft"
    assert front["license"] == "apache-2.0"
    started = run.history().started
    assert started is not None
    assert f"{started.trainable:,} of {started.total:,}" in text
    assert Path(replies).name in text
    assert str(Path(replies).parent) not in text
    assert json.loads(text.split("```json\n")[1].split("```")[0])["training"]["steps"] == 2


def test_what_is_published_comes_back_and_holds_neither_token_nor_path(run: Run, hub) -> None:
    address = publish(run, "lab/mine", hub.token)
    assert address == f"{hub.url}/lab/mine"
    files = hub.repos["model", "lab/mine"].files
    assert files["README.md"].decode() == card(run)
    whole = b"".join(files.values()) + b"".join(f.read_bytes() for f in run.folder.rglob("*") if f.is_file())
    assert hub.token.encode() not in whole
    pulled = client.fetch_adapter("lab/mine")
    assert json.loads((pulled / "adapter_config.json").read_text())["base_model_name_or_path"] == "storybook"
    assert (pulled / "adapter_model.safetensors").read_bytes() == (
        run.adapter / "adapter_model.safetensors"
    ).read_bytes()


def test_nothing_to_publish_and_no_token_are_sentences(run: Run, store: Runs, hub) -> None:
    with pytest.raises(LabError, match="nothing yet"):
        card(store.create(short()))
    with pytest.raises(LabError, match="token"):
        publish(run, "lab/mine", "")
    assert not hub.repos
