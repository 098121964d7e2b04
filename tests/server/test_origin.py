"""Which requests pass for the lab's own, by what browsers say of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lab.server.origin import SameOrigin, TrustedHost, refusal, split_host
from tests.server.asgi import ok, request, scope

SERVICE, UPLOAD = "/gradio_api/component_server", "/gradio_api/upload"
JSON, FORM = "application/json", "multipart/form-data; boundary=x"


def status(path: str, content_type: str, scheme: str = "http", **headers: str) -> int:
    found = refusal(scope("POST", path, scheme, content_type=content_type, **headers))
    return found[0] if found else 200


#: Headers of the same page's request as they arrive, by the way that they took.
OWN = {
    "directly": {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860", "sec_fetch_site": "same-origin"},
    "by IPv6": {"host": "[::1]:7860", "origin": "http://[::1]:7860"},
    "on a network without TLS": {"host": "lab.example:80", "origin": "http://lab.example"},
    "without a port": {"host": "lab.example", "origin": "https://lab.example"},
    "with the default port": {"host": "lab.example:443", "origin": "https://lab.example"},
    "in other letters": {"host": "Lab.Example", "origin": "https://lab.example"},
    "behind a proxy that keeps the host": {
        "host": "lab.example", "origin": "https://lab.example", "x_forwarded_proto": "https"},
    "behind a proxy that says which host": {
        "host": "10.0.0.7:7860", "x_forwarded_host": "lab.example:8443", "origin": "https://lab.example:8443"},
    "behind two proxies": {
        "host": "inner", "x_forwarded_host": "lab.example, middle", "origin": "https://lab.example",
        "x_forwarded_proto": "https,http"},
    "behind a proxy that hides the host": {
        "host": "localhost:7860", "origin": "https://7860.proxy.example", "sec_fetch_site": "same-origin"},
    "in the frame of a Space": {
        "host": "ann-lab.hf.space", "x_forwarded_host": "ann-lab.hf.space", "x_forwarded_proto": "https",
        "origin": "https://ann-lab.hf.space", "sec_fetch_site": "same-origin"},
}  # fmt: skip

#: The same of a page that is not the lab's.
FOREIGN = {
    "another site": {"host": "lab.example", "origin": "https://evil.example", "sec_fetch_site": "cross-site"},
    "another site, to an older browser": {"host": "lab.example", "origin": "https://evil.example"},
    "a frame that hides itself": {"host": "lab.example", "origin": "null"},
    "a frame that hides itself, in a newer browser": {
        "host": "lab.example", "origin": "null", "sec_fetch_site": "cross-site"},
    "a hidden frame, with an empty host": {"host": "", "origin": "null", "x_forwarded_host": ""},
    "a site that hides its origin": {"host": "lab.example", "sec_fetch_site": "cross-site"},
    "another port": {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:8888", "sec_fetch_site": "same-site"},
    "another port, to an older browser": {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:8888"},
    "another name of this machine": {"host": "127.0.0.1:7860", "origin": "http://localhost:7860"},
    "a subdomain": {"host": "lab.example", "origin": "https://lab.example.evil.example"},
    "the lab's host as a user's name": {"host": "lab.example", "origin": "https://lab.example@evil.example"},
    "the same host without TLS": {
        "host": "lab.example", "origin": "http://lab.example", "x_forwarded_proto": "https"},
    "an origin that is no address": {"host": "lab.example", "origin": "lab.example"},
    "a file": {"host": "lab.example", "origin": "file://"},
    "an extension": {"host": "lab.example", "origin": "chrome-extension://lab.example"},
    "an origin with a broken port": {"host": "lab.example", "origin": "https://lab.example:port"},
    "neither origin nor host": {"host": "", "origin": "https://"},
}  # fmt: skip


@pytest.mark.parametrize("way", OWN)
def test_the_labs_own_page_may_ask_and_send_files(way: str) -> None:
    assert status(SERVICE, JSON, **OWN[way]) == 200
    assert status(UPLOAD, FORM, **OWN[way]) == 200
    assert status("/login", FORM, **OWN[way]) == 200
    assert refusal(scope("GET", "/gradio_api/queue/data", **OWN[way])) is None


@pytest.mark.parametrize("way", FOREIGN)
def test_the_page_of_another_site_may_not(way: str) -> None:
    for path in (SERVICE, UPLOAD, "/login", "/owner/act", "/gradio_api/run/answered"):
        for content_type in (JSON, FORM, "text/plain", "application/x-www-form-urlencoded", ""):
            assert status(path, content_type, **FOREIGN[way]) == 403, (path, content_type)


def test_what_no_browser_says_anything_of_passes_only_in_a_form_that_no_page_can_send() -> None:
    host = "127.0.0.1:7860"
    assert status(SERVICE, JSON, host=host) == 200
    assert status(SERVICE, "application/json; charset=utf-8", host=host) == 200
    for simple in ("text/plain", FORM, "application/x-www-form-urlencoded", "", "text/plain; application/json"):
        assert status(SERVICE, simple, host=host) == 415, simple
    assert status(UPLOAD, FORM, host=host) == 403
    assert status(UPLOAD, FORM, host=host, sec_fetch_site="none") == 403
    assert status(UPLOAD, FORM, host=host, origin=f"http://{host}") == 200
    assert status("/login", "application/x-www-form-urlencoded", host=host) == 200


@pytest.mark.parametrize(("path", "content_type"), [(UPLOAD, JSON), ("/login", JSON), ("/login/", "text/plain")])
def test_each_route_takes_its_content_types_alone_from_the_page_too(path: str, content_type: str) -> None:
    assert status(path, content_type, **OWN["directly"]) == 415


@pytest.mark.parametrize(
    ("path", "mode", "passes"),
    [
        ("/", "navigate", True),
        ("/owner", "navigate", True),
        ("/login/callback", "navigate", True),
        ("/", "no-cors", False),
        ("/logout", "navigate", False),
        ("/login/huggingface", "navigate", False),
        ("/config", "cors", False),
        ("/owner/load", "navigate", False),
        ("/gradio_api/queue/data", "navigate", False),
        ("/gradio_api/heartbeat/abcdef", "no-cors", False),
        ("/gradio_api/startup-events", "no-cors", False),
    ],
)
def test_another_site_may_link_to_the_page_and_get_nothing_else(path: str, mode: str, passes: bool) -> None:
    for site in ("cross-site", "same-site"):
        head = scope("GET", path, host="lab.example", sec_fetch_site=site, sec_fetch_mode=mode)
        assert (refusal(head) is None) == passes
    typed = scope("GET", path, host="lab.example", sec_fetch_site="none", sec_fetch_mode="navigate")
    assert refusal(typed) is None
    assert refusal(scope("GET", path, host="lab.example")) is None
    assert refusal(scope("GET", path, host="lab.example", origin="https://evil.example")) is not None


def test_a_refusal_is_a_sentence_and_websockets_are_closed() -> None:
    app = SameOrigin(ok)
    assert request(app, scope("POST", SERVICE, host="a", origin="null")) == (
        403,
        {"detail": "This came from another site."},
    )
    assert request(app, scope("POST", SERVICE, host="a", content_type=JSON), [b"{}"]) == (200, 2)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({"type": "websocket", "headers": []}, None, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("127.0.0.1:7860", True),
        ("localhost:9999", True),
        ("LOCALHOST", True),
        ("[::1]:7860", True),
        ("192.168.1.5:7860", True),
        ("lab.localhost:7860", True),
        ("lab.example", True),
        ("evil.example:7860", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example:80@localhost", False),
        ("localhost/evil", False),
        ("localhost:port", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_a_lab_of_ones_own_answers_to_its_own_names(host: str, trusted: bool) -> None:
    app = TrustedHost(ok, ("Lab.Example",))
    answer = request(app, scope(host=host))
    assert answer == (200, 0) if trusted else answer[0] == 403
    # What a proxy says does not make another name the lab's.
    assert request(app, scope(host="evil.example", x_forwarded_host="localhost"))[0] == 403


def test_the_parts_of_a_host() -> None:
    assert split_host("Lab.example:80") == ("lab.example", 80)
    assert split_host(" lab.example ") == ("lab.example", None)
    assert split_host("[::1]:80") == ("::1", 80)
    for wrong in ("", " ", "a b", "a@b", "a:99999", "a:-1", ":80", "[::1"):
        assert split_host(wrong) is None
