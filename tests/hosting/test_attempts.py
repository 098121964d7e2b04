"""How often a password or a token may be tried."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from lab.hosting.attempts import FIRST, LONGEST, TRIES, WINDOW, Attempts
from lab.hosting.limits import Limits
from lab.ui.door import MANY, Door, wait_words
from tests.hosting.visitor import Server
from tests.loops import closed_after


def test_a_few_failures_are_free_then_each_wait_is_twice_the_last() -> None:
    now = 0.0
    attempts = Attempts(now=lambda: now)
    for _ in range(TRIES):
        assert attempts.wait("a") == 0.0
        attempts.wrong("a")
    assert attempts.wait("a") == FIRST
    assert attempts.wait("b") == 0.0, "another address is not held up"
    now += FIRST
    assert attempts.wait("a") == 0.0
    attempts.wrong("a")
    assert attempts.wait("a") == 2 * FIRST
    for _ in range(20):
        now += attempts.wait("a")
        attempts.wrong("a")
        assert attempts.wait("a") <= LONGEST
    now += WINDOW
    assert attempts.wait("a") == 0.0, "who stayed away for long begins anew"


def test_whoever_goes_on_for_days_has_few_guesses() -> None:
    now, guesses = 0.0, 0
    attempts = Attempts(now=lambda: now)
    while now < 10 * 24 * 3600:
        now += attempts.wait("a")
        attempts.wrong("a")
        guesses += 1
    assert guesses < 1000


def test_a_success_forgets_what_its_address_failed() -> None:
    attempts = Attempts(now=lambda: 0.0)
    for _ in range(10 * TRIES):
        for _ in range(TRIES - 1):
            attempts.wrong("a")
        assert attempts.wait("a") == 0.0
        attempts.right("a")


def test_no_more_addresses_than_that_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.hosting.attempts.KEPT", 10)
    attempts = Attempts(tries=1, now=lambda: 0.0)
    for number in range(100):
        attempts.wrong(str(number))
    waits = [attempts.wait(str(number)) for number in range(100)]
    assert waits == [0.0] * 90 + [FIRST] * 10


def scope(machine: str, forwarded: str = "") -> dict[str, Any]:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return {"type": "http", "client": (machine, 1), "headers": headers, "method": "POST", "path": "/login"}


def test_the_address_is_the_nearest_that_nobody_can_write() -> None:
    assert Door.names(scope("203.0.113.9")) == ("203.0.113.9", "203.0.113.9")
    assert Door.names(scope("8.8.8.8", "1.1.1.1"))[0] == "8.8.8.8", "who speaks for themselves is not believed"
    assert Door.names(scope("10.0.0.2", "6.6.6.6, 1.1.1.1")) == ("1.1.1.1", "10.0.0.2"), "the proxy's own word"


def test_of_an_ipv6_address_the_half_counts_that_its_subscriber_cannot_choose() -> None:
    assert Door.names(scope("2001:db8:1:2:3:4:5:6")) == Door.names(scope("2001:db8:1:2::1"))
    assert Door.names(scope("2001:db8:1:3::1")) != Door.names(scope("2001:db8:1:2::1"))


def test_who_writes_a_new_address_each_time_is_held_up_in_the_end() -> None:
    door = Door()
    names = [Door.names(scope("127.0.0.1", f"1.2.{n // 250}.{n % 250}")) for n in range(TRIES * MANY + 1)]
    for number, name in enumerate(names):
        assert (door.wait(name) > 0.0) == (number == TRIES * MANY)
        door.wrong(name)


def test_a_success_behind_the_same_proxy_gives_a_guesser_no_more_guesses() -> None:
    door = Door()
    guesses = 0
    for number in range(2 * TRIES * MANY):
        guesser = Door.names(scope("127.0.0.1", f"1.2.{number // 250}.{number % 250}"))
        guesses += door.wait(guesser) == 0.0
        door.wrong(guesser)
        door.right(Door.names(scope("127.0.0.1", "6.6.6.6")))
    assert guesses == TRIES * MANY


def test_the_wait_is_a_sentence() -> None:
    assert wait_words(29.2) == "These were many attempts: wait 30 seconds, then try again."
    assert "60 minutes" in wait_words(3600)


@pytest.fixture
def locked(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """Someone before a lab that asks for a password."""
    with closed_after(monkeypatch):
        monkeypatch.setenv("GRADIO_TEMP_DIR", "")
        server = Server(tmp_path / "runs", Limits(), auth=("ann", "secret"))
        with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
            yield client
        server.close()


def attempt(locked: httpx.Client, password: str, address: str = "1.1.1.1") -> httpx.Response:
    form = {"username": "ann", "password": password}
    return locked.post("/login", data=form, headers={"x-forwarded-for": address})


def test_the_password_of_the_lab_can_be_tried_a_few_times(locked: httpx.Client) -> None:
    assert [attempt(locked, f"guess{n}").status_code for n in range(TRIES)] == [400] * TRIES
    held = attempt(locked, "secret")
    assert held.status_code == 429, "the right one has to wait too, else waiting would tell which is right"
    assert held.json()["detail"].startswith("These were many attempts: wait ")
    assert locked.get("/config").status_code == 401, "without it there is no page"
    assert attempt(locked, "secret", "2.2.2.2").status_code == 200


def test_a_classroom_behind_one_address_gets_in(locked: httpx.Client) -> None:
    """A hundred and fifty people, many at once, some of whom mistype first; none is told to wait."""
    answers = []
    for number in range(30):
        passwords = ["sceret", "secret"] if number % 3 == 0 else ["secret"]
        answers += [attempt(locked, password).status_code for password in passwords]
    with ThreadPoolExecutor(20) as pool:
        answers += [answer.status_code for answer in pool.map(lambda _: attempt(locked, "secret"), range(120))]
    assert answers.count(200) == 150
    assert answers.count(400) == 10
    assert len(answers) == 160


def test_many_guesses_at_once_are_counted_one_after_the_other(locked: httpx.Client) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = [answer.status_code for answer in pool.map(lambda n: attempt(locked, f"guess{n}"), range(40))]
    assert answers.count(400) == TRIES
    assert answers.count(429) == 40 - TRIES


def test_signing_out_leaves_the_others_in(locked: httpx.Client) -> None:
    tokens = [dict(attempt(locked, "secret").cookies) for _ in range(2)]
    locked.cookies.clear()

    def status(path: str, cookies: dict[str, str]) -> int:
        words = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return locked.get(path, headers={"cookie": words}).status_code

    assert [status("/config", token) for token in tokens] == [200, 200]
    assert status("/logout?all_session=true", tokens[0]) == 302
    assert [status("/config", token) for token in tokens] == [401, 200]


def test_asking_whether_one_must_wait_is_no_attempt(locked: httpx.Client) -> None:
    def ask() -> httpx.Response:
        headers = {"x-forwarded-for": "1.1.1.1", "content-type": "application/x-www-form-urlencoded"}
        return locked.post("/login", content=b"", headers=headers)

    assert [ask().status_code for _ in range(2 * TRIES)] == [204] * (2 * TRIES)
    assert attempt(locked, "wrong").status_code == 400
    for number in range(TRIES - 1):
        attempt(locked, f"guess{number}")
    assert ask().status_code == 429
    assert ask().json()["detail"].startswith("These were many attempts: wait ")
