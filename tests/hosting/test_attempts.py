"""How often a password or a token may be tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lab.hosting.attempts import FIRST, LONGEST, TRIES, Attempts
from lab.hosting.limits import Limits
from lab.ui.door import Door, wait_words
from tests.hosting.visitor import Server
from tests.loops import closed_after


def test_a_few_attempts_are_free_then_each_wait_is_twice_the_last() -> None:
    now = 0.0
    attempts = Attempts(now=lambda: now)
    assert [attempts.take("a") for _ in range(TRIES)] == [0.0] * TRIES
    assert attempts.take("a") == FIRST
    assert attempts.take("b") == 0.0, "another address is not held up"
    now += FIRST
    assert attempts.take("a") == 0.0
    assert attempts.take("a") == 2 * FIRST
    for _ in range(20):
        now += attempts.take("a")
    assert attempts.take("a") == LONGEST
    now += 3 * LONGEST
    assert attempts.take("a") == 0.0
    assert attempts.take("a") == 0.0, "who stayed away for long begins anew"


def test_the_right_one_clears_the_count() -> None:
    attempts = Attempts(now=lambda: 0.0)
    for _ in range(3 * TRIES):
        assert attempts.take("a") == 0.0
        attempts.right("a")


def scope(machine: str, forwarded: str = "") -> dict[str, Any]:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return {"type": "http", "client": (machine, 1), "headers": headers, "method": "POST", "path": "/login"}


def test_the_address_is_the_nearest_that_nobody_can_write() -> None:
    assert Door.names(scope("203.0.113.9")) == ("203.0.113.9", "203.0.113.9")
    assert Door.names(scope("8.8.8.8", "1.1.1.1"))[0] == "8.8.8.8", "who speaks for themselves is not believed"
    assert Door.names(scope("10.0.0.2", "6.6.6.6, 1.1.1.1")) == ("1.1.1.1", "10.0.0.2"), "the proxy's own word"


def test_who_writes_a_new_address_each_time_is_held_up_in_the_end() -> None:
    door = Door()
    waits = [door.wait(Door.names(scope("127.0.0.1", f"1.2.3.{n}"))) for n in range(200)]
    assert waits[50] == 0.0
    assert waits[-1] > 0.0


def test_the_wait_is_a_sentence() -> None:
    assert wait_words(29.2) == "These were many attempts: wait 30 seconds, then try again."
    assert "60 minutes" in wait_words(3600)


@pytest.fixture
def locked(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with closed_after(monkeypatch):
        monkeypatch.setenv("GRADIO_TEMP_DIR", "")
        server = Server(tmp_path / "runs", Limits(), auth=("ann", "secret"))
        yield server.url
        server.close()


def test_the_password_of_the_lab_can_be_tried_a_few_times(locked: str) -> None:
    def attempt(password: str, address: str) -> httpx.Response:
        form = {"username": "ann", "password": password}
        return httpx.post(f"{locked}/login", data=form, headers={"x-forwarded-for": address}, trust_env=False)

    assert [attempt(f"guess{n}", "1.1.1.1").status_code for n in range(TRIES)] == [400] * TRIES
    held = attempt("secret", "1.1.1.1")
    assert held.status_code == 429, "the right one has to wait too, else waiting would tell which is right"
    assert held.json()["detail"].startswith("These were many attempts: wait ")
    assert attempt("secret", "2.2.2.2").status_code == 200
    page = httpx.get(f"{locked}/config", trust_env=False)
    assert page.status_code == 401, "and without it there is no page"
