"""What every test can ask for: small models in folders, small data in files, a store of runs."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# No test may reach the network, and a download that is tried by mistake must fail at once.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Tests run side by side, on models so small that threads of their own only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")


class ByModule(LoadScopeScheduling):
    """A module's tests share its fixtures, so one worker runs them; one takes all that use a browser.

    Not a mark of each test: pytest 9.2 has no private name of a test to add the mark's group to, and xdist's
    `loadgroup` said nothing of it.
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.split("::")[0]
        return "browser" if module.startswith("tests/browser/") else module


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByModule:
    return ByModule(config, log)


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


@pytest.fixture(scope="session")
def trained_runs(replies: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with one that is done, on the embedded base, trained once: copy it, and leave it as it is."""
    from lab.runs import Runs
    from lab.training.loop import train
    from tests.hosting.visitor_plan import short

    folder = tmp_path_factory.mktemp("trained") / "runs"
    run = Runs(folder).create(short(replies, steps=2))
    for _ in run.record(train(run.plan, threading.Event(), run.folder)):
        pass
    assert run.status == "done"
    return folder


# -- the Hub ----------------------------------------------------------------------------------


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A double of the Hub, empty, with a cache of its own; the lab's real client talks to it."""
    import huggingface_hub
    from huggingface_hub import constants

    from lab.data import source
    from lab.models import hub as client
    from tests.hub_double import HubDouble

    with HubDouble() as double:
        monkeypatch.setenv("HF_ENDPOINT", double.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setattr(constants, "ENDPOINT", double.url)
        path = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", double.url + path)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        for kept in (client.fetch_config, client.resolve):
            kept.cache_clear()
        source.forget()
        yield double
    # Questions that were given up end now that the server is gone; none may live on into another test.
    for thread in threading.enumerate():
        if thread.name.startswith("hub "):
            thread.join()
    huggingface_hub.close_session()
