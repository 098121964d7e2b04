"""The owner's page: who gets in, what is seen, what can be done."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.events import Event, Finished, Started
from lab.hosting.attempts import TRIES
from lab.hosting.limits import Limits
from lab.hosting.owner import FAULTS
from lab.plan import Plan
from lab.training.jobs import Jobs
from tests.hosting.visitor import Server, Visitor
from tests.hosting.visitor_plan import short
from tests.loops import closed_after
from tests.openid_double import OpenIdDouble

pytestmark = pytest.mark.usefixtures("little_prose")

TOKEN = "a-token-that-nobody-guesses"


@pytest.fixture
def double() -> Iterator[OpenIdDouble]:
    with OpenIdDouble() as running:
        yield running


@pytest.fixture
def server(double: OpenIdDouble, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with closed_after(monkeypatch):
        for name, value in (double.variables | {"GRADIO_TEMP_DIR": "", "SPACE_AUTHOR_NAME": "author"}).items():
            monkeypatch.setenv(name, value)
        running = Server(tmp_path / "runs", Limits(steps=4), owner_token=TOKEN)
        yield running
        running.close()


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    one = Visitor(server)
    yield one
    one.close()


@pytest.fixture
def owner(server: Server) -> Iterator[Visitor]:
    """A browser that gave the token."""
    one = Visitor(server)
    assert one.web.post("/owner/enter", json={"token": TOKEN}).status_code == 200
    yield one
    one.close()


def seen(one: Visitor) -> dict:
    answer = one.web.get("/owner/load")
    assert answer.status_code == 200, answer.text
    return answer.json()["ok"]


def test_load_queue_disk_and_faults_are_seen(owner: Visitor, visitor: Visitor, server: Server) -> None:
    run = visitor.train(short())
    visitor.upload("rows.csv", b"a,b\n" + b"1,2\n" * 40)
    logging.getLogger("lab.test").warning("something\nwent wrong")
    told = seen(owner)
    row = told["runs"][0]
    assert row["id"] == run
    assert row["status"] == "done"
    assert row["owner"] == visitor.owner[:6]
    assert row["bytes"] > 10_000
    assert told["disk"]["runs"] >= row["bytes"]
    assert told["disk"]["uploads"] > 100
    assert told["disk"]["free"] > 0
    assert told["visitors"]["here"] == 2
    assert told["visitors"]["most"] == Limits().visitors
    assert 0 < told["load"]["process"] < told["load"]["memory"]
    assert 0 <= told["load"]["cpu"] <= 1
    assert told["faults"][0]["what"] == "something went wrong"
    assert told["limits"]["steps"] == 4
    secret = visitor.web.cookies["peft-lab-visitor"]
    assert secret not in str(told)


@pytest.fixture
def held(server: Server, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """Everybody's queue, whose runs train until they are stopped."""

    def endless(plan: Plan, stop: threading.Event, folder: Path, resume: bool) -> Iterator[Event]:
        yield Started(4, 100, 10, "generate", "exact", "cpu", 1, 1)
        stop.wait(60)
        yield Finished("stopped")

    every = server.lab.jobs.every  # type: ignore[attr-defined]
    monkeypatch.setattr(every, "_trainer", endless)
    return every


def test_who_waits_and_who_trains_is_seen_stopped_and_removed(owner: Visitor, visitor: Visitor, held: Jobs) -> None:
    first, second = (visitor.ask("launch", short(steps=4).to_dict())["run"] for _ in range(2))
    while held.place(first) != 0 or not held.runs.get(first).events():
        pass
    assert [(row["id"], row["place"]) for row in seen(owner)["queue"]] == [(first, 0), (second, 1)]

    def act(action: str, run: str) -> str:
        told = owner.web.post("/owner/act", json={"action": action, "run": run}).json()
        return told.get("error", {}).get("message", "")

    assert "is being trained" in act("remove", first)
    assert act("remove", second) == ""
    assert [row["id"] for row in seen(owner)["runs"]] == [first]
    assert act("stop", first) == ""
    assert held.wait(first, 60)
    assert seen(owner)["queue"] == []
    assert [row["status"] for row in visitor.ask("runs", {})["rows"]] == ["stopped"], "what it learned is kept"
    assert act("remove", first) == ""
    assert visitor.ask("runs", {})["rows"] == []


def test_what_cannot_be_done_is_a_sentence(owner: Visitor) -> None:
    for body in ({"action": "stop", "run": "none"}, {"action": "explode", "run": "none"}, {}, {"run": "../.."}):
        told = owner.web.post("/owner/act", json=body).json()
        assert "There is no run" in told["error"]["message"]
    for body in (b"", b"[1]", b"\xff", b'{"action": 1}'):
        answer = owner.web.post("/owner/act", content=body, headers={"content-type": "application/json"})
        assert "error" in answer.json()


def test_the_token_is_tried_a_few_times_only(server: Server, visitor: Visitor) -> None:
    def attempt(token: object, address: str = "5.5.5.5") -> int:
        return visitor.web.post(
            "/owner/enter", json={"token": token}, headers={"x-forwarded-for": address}
        ).status_code

    assert [attempt(token) for token in ("", None, "x", TOKEN[:-1], TOKEN + "x")] == [403] * TRIES
    assert attempt(TOKEN) == 429
    assert visitor.web.get("/owner/load").status_code == 404
    assert attempt(TOKEN, "6.6.6.6") == 200
    assert visitor.web.get("/owner/load").status_code == 200


def test_the_author_of_the_space_is_the_owner_and_nobody_else_with_an_account(
    server: Server, visitor: Visitor, double: OpenIdDouble
) -> None:
    for name in ("ann", "Author", "author2", ""):
        double.person = name
        visitor.reload()
        visitor.sign_in()
        assert visitor.web.get("/owner/load").status_code == 404, name
        assert visitor.web.post("/owner/act", json={"action": "stop", "run": "x"}).status_code == 404
    double.person = "author"
    visitor.reload()
    assert visitor.sign_in()["owner"] is True
    assert seen(visitor)["visitors"]["here"] >= 1
    visitor.ask("leave", {})
    assert visitor.web.get("/owner/load").status_code == 404


def test_a_script_of_another_site_cannot_act(owner: Visitor) -> None:
    body = {"action": "stop", "run": "x"}
    answer = owner.web.post("/owner/act", json=body, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403


def test_without_an_owner_there_is_no_page(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_after(monkeypatch):
        monkeypatch.setenv("GRADIO_TEMP_DIR", "")
        monkeypatch.setenv("SPACE_AUTHOR_NAME", "author")  # nobody can sign in as them
        server = Server(tmp_path / "runs", Limits())
        one = Visitor(server)
        try:
            for method, path in (("GET", "/owner"), ("GET", "/owner/load"), ("POST", "/owner/enter")):
                assert one.web.request(method, path, json={"token": ""}).status_code == 404
        finally:
            one.close()
            server.close()


def test_faults_do_not_pile_up(server: Server) -> None:
    overview = server.lab.overview
    assert overview is not None
    for number in range(2 * FAULTS):
        logging.getLogger("lab.test").warning("fault %d", number)
    assert len(overview.faults.last) == FAULTS
    assert overview.faults.last[0]["what"] == f"fault {2 * FAULTS - 1}"
