"""Signing in with an account, against a double of the provider."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from lab import access
from lab.hosting import accounts, openid
from lab.hosting.limits import Limits
from tests.hosting.visitor import Server, Visitor
from tests.hosting.visitor_plan import short
from tests.loops import closed_after
from tests.openid_double import OpenIdDouble

pytestmark = pytest.mark.usefixtures("little_prose")

ROWS = b"".join(b'{"text": "word %d", "label": "%s"}\n' % (n, b"yn"[n % 2 : n % 2 + 1]) for n in range(60))


@pytest.fixture(scope="module")
def double() -> Iterator[OpenIdDouble]:
    with OpenIdDouble() as running:
        yield running


@pytest.fixture(scope="module")
def server(double: OpenIdDouble, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch, closed_after(patch):
        patch.setenv("GRADIO_TEMP_DIR", "")
        for name, value in double.variables.items():
            patch.setenv(name, value)
        running = Server(tmp_path_factory.mktemp("signing") / "runs", Limits(steps=4))
        yield running
        running.close()


@pytest.fixture(autouse=True)
def whole(double: OpenIdDouble) -> None:
    """The provider as it is before anyone asks it for a fault."""
    double.person, double.consents, double.lasts, double.broken = "ann", True, 3600, ""


@pytest.fixture
def person(server: Server) -> Iterator[Visitor]:
    """A browser in which nobody has signed in yet."""
    one = Visitor(server)
    yield one
    one.close()


def test_what_was_made_before_moves_and_another_browser_of_the_account_sees_it(
    server: Server, person: Visitor, double: OpenIdDouble
) -> None:
    double.person = "mover"
    upload = person.upload("rows.jsonl", ROWS)
    run = person.train(short(upload))
    anonymous, secret = person.owner, dict(person.web.cookies)
    comparison = person.ask("launch", {"spec": {"name": "both", "runs": [run]}}, beside="foresee")
    assert person.ask("account", {})["name"] == ""
    assert person.sign_in()["name"] == "mover"
    assert [row["id"] for row in person.ask("runs", {})["rows"]] == [run]
    assert [item["id"] for item in person.ask("every", {})] == [comparison]
    # The plan still names the file by its old path, and can be trained again.
    assert person.ask("preview", {"source": upload})["train"] > 0
    assert person.train(short(upload)) != run

    other = Visitor(server)
    other.sign_in()
    assert run in [row["id"] for row in other.ask("runs", {})["rows"]]
    other.ask("rename", {"run": run, "name": "from elsewhere"})
    assert "from elsewhere" in [row["name"] for row in person.ask("runs", {})["rows"]]
    other.ask("leave", {})
    assert other.raw("runs", {}).status_code == 403, "the page that was the account's"
    other.reload()
    assert other.ask("account", {})["name"] == ""
    assert other.ask("runs", {})["rows"] == []
    assert len(person.ask("runs", {})["rows"]) == 2, "signing out elsewhere takes nothing away here"
    other.close()

    # Whoever had the old cookie is nobody any more.
    before = Visitor(server, welcome=False)
    before.web.cookies.update(secret)
    assert before.owner == anonymous
    assert before.raw("runs", {}).status_code == 403
    assert before.raw("preview", {"source": upload}).status_code == 403
    before.close()


def test_another_account_sees_nothing_of_it(person: Visitor, server: Server, double: OpenIdDouble) -> None:
    person.sign_in()
    run = person.train(short())
    double.person = "bob"
    other = Visitor(server)
    other.sign_in()
    assert other.ask("runs", {})["rows"] == []
    assert "There is no run" in other.refused("feed", {"run": run})
    other.close()


def test_work_that_was_begun_before_goes_on_for_the_account(person: Visitor, server: Server) -> None:
    go, done, seen = threading.Event(), threading.Event(), []

    def work() -> None:
        go.wait(30)
        seen.append(access.owner())
        done.set()

    with access.acting(person.owner):
        access.thread(work, "test")
    person.sign_in()
    go.set()
    assert done.wait(30)
    assert seen == [server.lab.accounts.owner(person.owner)] != [person.owner]


def test_a_wrong_state_signs_nobody_in(person: Visitor, server: Server) -> None:
    back = person.consent()
    thief = Visitor(server)
    for one, address in (
        (person, back.copy_set_param("state", "guessed")),
        (person, back.copy_remove_param("state")),
        (thief, back),
    ):
        answer = one.web.get(address)
        assert answer.status_code == 303
        assert "set-cookie" not in answer.headers
        told = one.ask("account", {})
        assert told["name"] == ""
        assert "was not begun in this browser" in told["notice"]["message"]
    thief.close()
    assert person.ask("account", {})["notice"] is None, "it is said once"


def test_a_code_serves_once(person: Visitor) -> None:
    back = person.consent()
    person.web.get(back)
    assert person.ask("account", {})["name"] == "ann"
    person.web.get(back)
    assert "was not begun" in person.ask("account", {})["notice"]["message"]


def test_a_sign_in_that_takes_too_long_is_begun_anew(person: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    back = person.consent()
    monkeypatch.setattr(openid, "LASTS", 0.0)
    person.web.get(back)
    assert "too long ago" in person.ask("account", {})["notice"]["message"]


def test_who_says_no_stays_as_they_were(person: Visitor, double: OpenIdDouble) -> None:
    run = person.train(short())
    double.consents = False
    person.web.get(person.consent())
    told = person.ask("account", {})
    assert told["name"] == ""
    assert told["notice"]["message"] == "You did not let the lab know who you are."
    assert [row["id"] for row in person.ask("runs", {})["rows"]] == [run]


@pytest.mark.parametrize("broken", ["/token", "/userinfo", "/.well-known/openid-configuration"])
def test_a_provider_that_fails_is_one_sentence(
    person: Visitor, double: OpenIdDouble, server: Server, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openid.Provider, "_find", fresh(openid.Provider._find))
    double.broken = broken
    answer = person.web.get("/login/huggingface")
    if broken.startswith("/."):
        assert answer.headers["location"] == "../"
    else:
        person.web.get(person.consent())
    assert "does not answer" in person.ask("account", {})["notice"]["message"]


def fresh(find):
    """The same question, with nothing remembered."""

    async def anew(self, asking):
        self._places = {}
        return await find(self, asking)

    return anew


def test_a_token_that_has_expired_pushes_nothing_and_says_so(
    person: Visitor, double: OpenIdDouble, server: Server
) -> None:
    double.lasts = -10
    person.web.get(person.consent())
    assert "refuses this sign-in" in person.ask("account", {})["notice"]["message"], "it was over at once"
    double.lasts = 3600
    person.sign_in()
    run = person.train(short())
    account = server.lab.accounts.of(person.owner)
    assert account is not None
    server.lab.accounts.enter(person.owner, replace(account, expires=time.time() - 1))
    assert person.ask("account", {})["name"] == "ann", "the runs stay reachable"
    asked = {"run": run, "repository": "ann/mine", "private": True}
    assert "may not write on the Hub any more" in person.refused("push", asked)


def test_a_sign_in_ends_after_its_time(person: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    person.sign_in()
    monkeypatch.setattr(accounts, "LASTS", -1.0)
    person.reload()
    assert person.ask("account", {})["name"] == ""


def test_a_browser_without_a_cookie_is_given_one_on_the_way(server: Server, double: OpenIdDouble) -> None:
    one = Visitor(server, welcome=False)
    assert one.sign_in()["name"]
    one.close()


def test_the_secret_changes_and_the_way_back_is_the_page(person: Visitor) -> None:
    before = person.web.cookies["peft-lab-visitor"]
    answer = person.web.get(person.consent())
    assert answer.headers["location"] == "../"
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert person.web.cookies["peft-lab-visitor"] != before


def test_on_spaces_the_way_back_is_the_spaces_own_address(person: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_HOST", "lab-peft.hf.space,lab.example")
    away = httpx.URL(person.web.get("/login/huggingface").headers["location"])
    assert away.params["redirect_uri"] == "https://lab-peft.hf.space/login/callback"
    assert away.params["code_challenge_method"] == "S256"


def test_no_token_is_kept_on_the_disk_told_or_logged(
    person: Visitor, double: OpenIdDouble, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", logger="lab"):
        person.sign_in()
        person.train(short())
    token = max(double.tokens, key=list(double.tokens).index)
    told = [person.raw("account", {}).text, person.raw("runs", {}).text, person.web.get("/config").text, caplog.text]
    told.append(repr(server.lab.accounts.of(person.owner)))
    told += [file.read_text(errors="replace") for file in server.lab.folder.rglob("*") if file.is_file()]
    assert len(token) > 20
    for text in told:
        assert token not in text
    assert token not in str(dict(person.web.cookies))


def test_without_the_variables_nobody_can_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENID_PROVIDER_URL", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"):
        monkeypatch.setenv(name, "x")
    assert openid.from_environment() is not None
    monkeypatch.delenv("OAUTH_CLIENT_SECRET")
    assert openid.from_environment() is None


def test_links_to_what_is_gone_are_swept_away(
    person: Visitor, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.upload("rows.jsonl", ROWS)
    anonymous = person.owner
    person.sign_in()
    link = server.lab.folder / "uploads" / anonymous
    assert link.is_symlink()
    visitors = server.lab.visitors
    assert visitors is not None
    monkeypatch.setattr(visitors, "now", lambda: time.time() + visitors.limits.idle + 100)
    monkeypatch.setattr(visitors, "steady", lambda: time.monotonic() + visitors.limits.idle + 100)
    visitors.sweep()
    visitors.sweep()
    assert not link.is_symlink()
    assert not Path(link).exists()
