"""What every test can ask for: small models in folders, small data in files, a store of runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

# No test may reach the network, and a download that is tried by mistake must fail at once.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a tiny Llama with grouped keys and values."""
    from tests import tiny

    return str(tiny.save(tmp_path_factory.mktemp("llama"), "llama", "generate"))


@pytest.fixture(scope="session")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of labelled texts whose label stands in them."""
    rows = [
        {"text": f"{word} thing number {number}", "label": label}
        for number in range(60)
        for word, label in (("good", "yes"), ("bad", "no"))
    ]
    file = tmp_path_factory.mktemp("data") / "reviews.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


@pytest.fixture(scope="session")
def replies(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of prompts and replies."""
    rows = [
        {"prompt": f"say {word} {number}", "reply": f"{word} {number}!"}
        for number in range(40)
        for word in ("aa", "bb", "cc")
    ]
    file = tmp_path_factory.mktemp("data") / "replies.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


@pytest.fixture
def store(tmp_path: Path):
    from lab.runs import Runs

    return Runs(tmp_path / "runs")
