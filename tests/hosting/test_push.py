"""Pushing a run from the page: in a lab of one's own, and in a shared one with an account."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.artifacts.card import card
from lab.errors import LabError
from lab.hosting.limits import Limits
from lab.models import hub as client
from lab.ui.lab import Lab
from lab.ui.pushing import push, pushed
from tests import hub_double
from tests.hosting.visitor import Server, Visitor
from tests.hosting.visitor_plan import short
from tests.loops import closed_after
from tests.openid_double import OpenIdDouble

pytestmark = pytest.mark.usefixtures("little_prose")


@pytest.fixture
def own(tmp_path: Path, trained_runs: Path, hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A lab of one's own with a run, on a machine that has the Hub's token."""
    monkeypatch.setenv("HF_TOKEN", hub.token)
    lab = Lab(shutil.copytree(trained_runs, tmp_path / "runs"))
    yield lab
    lab.close()


def over(ask: Callable[[], Any]) -> dict[str, Any]:
    """What is told of a push when it is over."""
    until = time.monotonic() + 60
    while (told := ask())["state"] == "busy":
        assert time.monotonic() < until, told
        time.sleep(0.05)
    return told


def pushing(lab: Lab, **asked: Any) -> dict[str, Any]:
    run = lab.runs.all()[0].id
    push(lab, {"run": run, "repository": "lab/mine", "private": True} | asked)
    return over(lambda: pushed(lab, {"run": run}))


def test_the_adapter_arrives_with_its_card(own: Lab, hub) -> None:
    told = pushing(own)
    assert told == {"state": "done", "doing": told["doing"], "address": f"{hub.url}/lab/mine", "error": None}
    run, repo = own.runs.all()[0], hub.repos["model", "lab/mine"]
    assert repo.private
    assert repo.files["README.md"].decode() == card(run)
    weights = run.adapter / "adapter_model.safetensors"
    assert repo.files[weights.name] == weights.read_bytes()
    pulled = client.fetch_adapter("lab/mine")
    assert json.loads((pulled / "adapter_config.json").read_text())["r"] == 2


def test_a_name_alone_is_the_accounts_own_and_public_is_public(own: Lab, hub) -> None:
    assert pushing(own, repository="alone", private=False)["address"] == f"{hub.url}/lab/alone"
    assert not hub.repos["model", "lab/alone"].private


def test_what_is_public_already_is_not_taken_for_private(own: Lab, hub) -> None:
    hub.add("lab/mine", {})
    assert "is there already, and public" in pushing(own)["error"]["message"]
    assert not hub.repos["model", "lab/mine"].files
    assert pushing(own, private=False)["state"] == "done"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (hub_double.READ_ONLY, "refuses 'lab/mine' \\(error 403\\)"),
        (hub_double.CONFLICT, "is being changed by somebody else"),
        (hub_double.ERROR, "fails on 'lab/mine'"),
    ],
)
def test_what_the_hub_refuses_is_one_sentence(own: Lab, hub, fault: str, words: str) -> None:
    hub.add("lab/mine", {}, fault=fault, private=True)
    error = pushing(own)["error"]
    with pytest.raises(LabError, match=words):
        raise LabError(error["message"], error["hint"])
    assert error["hint"]
    hub.fault("lab/mine")
    assert pushing(own)["state"] == "done", "and again, now that it may"


def test_a_wrong_token_is_one_sentence(own: Lab, hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    error = pushing(own)["error"]
    assert "refuses 'lab/mine' (error 401)" in error["message"] or "There is no 'lab/mine'" in error["message"]
    assert "hf_wrong" not in str(error)


def test_offline_is_one_sentence(own: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE forbids" in pushing(own)["error"]["message"]


def test_a_hub_that_is_gone_is_one_sentence(own: Lab, hub) -> None:
    hub.add("lab/mine", {}, fault=hub_double.DROP, private=True)
    assert "does not answer" in pushing(own)["error"]["message"]


def test_no_token_and_no_name_are_said_before(own: Lab, hub, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("", "a/b/c", "../x", "a b", "https://evil.example/x", "ä/b"):
        with pytest.raises(LabError, match="no name of a repository"):
            pushing(own, repository=wrong)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(LabError, match="no token of the Hub") as caught:
        pushing(own)
    assert "hf auth login" in caught.value.hint


def test_two_at_a_time_are_one_too_many(own: Lab, hub) -> None:
    made = own.pushes.begin("", "another")
    with pytest.raises(LabError, match="on its way"):
        pushing(own)
    made.state = "done"
    assert pushing(own)["state"] == "done"


def test_an_account_pushes_with_its_own_token(
    tmp_path: Path, hub, replies: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with OpenIdDouble() as double, closed_after(monkeypatch):
        for name, value in (double.variables | {"GRADIO_TEMP_DIR": "", "HF_TOKEN": "hf_of_the_machine"}).items():
            monkeypatch.setenv(name, value)
        double.token = hub.token
        server = Server(tmp_path / "runs", Limits(steps=4))
        person = Visitor(server)
        try:
            run = person.train(short())
            asked = {"run": run, "repository": "lab/mine", "private": True}
            assert person.refused("push", asked) == "You are not signed in."
            person.sign_in()
            person.ask("push", asked)
            told = over(lambda: person.ask("pushed", {"run": run}))
            assert told["state"] == "done", told
            assert hub.repos["model", "lab/mine"].files["README.md"]
            kept = b"".join(file.read_bytes() for file in server.lab.folder.rglob("*") if file.is_file())
            assert hub.token.encode() not in kept + b"".join(hub.repos["model", "lab/mine"].files.values())
            assert hub.token not in caplog.text + str(told)
        finally:
            person.close()
            server.close()
