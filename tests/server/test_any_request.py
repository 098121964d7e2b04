"""Whatever is sent to whichever route, the answer is a status below 500 and, of a refusal, one sentence as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from gradio_client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.hosting.limits import Limits
from lab.server.errors import NOT_A_QUESTION
from tests.hosting.test_isolation import ADDED, OWN, SAME, SHUT
from tests.hosting.visitor import API, Server, Visitor
from tests.loops import closed_after
from tests.openid_double import OpenIdDouble

#: Values of a wrong type or size for whatever they stand in.
ODD: list[Any] = [
    None, True, 0, -1, 2**31, 2**63, 2**64, 10**400, 1.5, 1e308, "", "x", "0", "a\x00b", "é" * 3, "\ud800",
    "x" * 5000, "../../etc/passwd", "__class__", "__init__", [], [None], {}, {"x": {}}, [[[[]]]],
]  # fmt: skip

#: Text that stands for a value that JSON has not.
RAW = [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"[" * 500 + b"]" * 500, b"\xff", b'"\\ud800"', b""]

KEYS = ("session_hash", "component_id", "fn_name", "fn_index", "data", "event_id", "event_data", "trigger_id",
        "batched", "simple_format", "token", "action", "run", "username", "password")  # fmt: skip

TYPES = ("application/json", "application/json; charset=utf-16", "text/plain", "multipart/form-data",
         "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "", "\xff/é", "json")  # fmt: skip

KIND = st.one_of(st.just("application/json"), st.sampled_from(TYPES))

FORM = (
    b"--x\r\nContent-Disposition: form-data; %s\r\n\r\na\r\n--x--\r\n",
    b'--x\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\na\r\n--x--\r\n',
    b"--x\r\n%s\r\n",
)


def body() -> st.SearchStrategy[bytes]:
    """A question with some keys right, some wrong and some missing; or a form; or no JSON at all."""
    right = {"session_hash": "session-of-mine", "fn_index": 10**6, "component_id": 10**6, "fn_name": "status",
             "data": [], "event_id": "e" * 32}  # fmt: skip
    odd = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(ODD))
    question = odd.map(lambda values: json.dumps({**right, **values}).encode())
    missing = odd.map(lambda values: json.dumps(values).encode())
    broken = st.tuples(st.sampled_from(KEYS), st.sampled_from(RAW)).map(
        lambda item: json.dumps({**right, item[0]: "HERE"}).encode().replace(b'"HERE"', item[1])
    )
    encoded = st.sampled_from(["utf-16", "utf-32", "utf-8-sig", "latin-1"]).map(
        lambda name: json.dumps({**right, "fn_name": "é"}, ensure_ascii=False).encode(name)
    )
    forms = st.tuples(st.sampled_from(FORM), st.binary(max_size=30)).map(lambda item: item[0] % item[1])
    plain = st.one_of(st.sampled_from(RAW), st.binary(max_size=50), st.sampled_from(ODD).map(_dumped))
    return st.one_of(question, missing, broken, encoded, forms, plain)


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def path() -> st.SearchStrategy[str]:
    """A route with odd names in its places."""
    name = st.sampled_from(
        ["x", "0", "session-of-mine", "a%00b", "%ff", "%ed%a0%80", "..%2f..%2fetc", "1" * 400, "%25"]
    )

    def filled(template: str) -> st.SearchStrategy[str]:
        parts = [part.partition("}")[2] for part in template.split("{")[1:]]
        start = template.split("{")[0]
        return st.tuples(*[name] * len(parts)).map(
            lambda names: start + "".join(word + rest for word, rest in zip(names, parts, strict=True))
        )

    answered = sorted(SAME | OWN | {path for _, path in ADDED})
    return st.one_of(*(st.sampled_from(paths).flatmap(filled) for paths in (sorted(OWN), answered, sorted(SHUT))))


QUERY = st.dictionaries(
    st.sampled_from(["session_hash", "upload_id", "deep_link", "page", "state", "code", "error", "all_session"]),
    st.sampled_from(["", "x", "session-of-mine", "\x00", "é", "1" * 3000]),
    max_size=3,
)


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """A lab of one's own and a shared one."""
    folder = tmp_path_factory.mktemp("labs")
    with pytest.MonkeyPatch.context() as patch, closed_after(patch), OpenIdDouble() as double:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "uploads"))
        patch.delenv("HF_TOKEN", raising=False)
        own = Server(folder / "own", None)
        for name, value in double.variables.items():
            patch.setenv(name, value)
        limits = Limits(disk=10**12)
        shared = Server(folder / "shared", limits, owner_token="a-token-of-the-owner")
        yield {"own": own, "shared": shared}
        own.close()
        shared.close()


@pytest.fixture(params=["own", "shared to nobody", "shared to a visitor", "shared to an account"])
def person(request: pytest.FixtureRequest, labs: dict[str, Server]) -> Iterator[Visitor]:
    kind = request.param.split()
    one = Visitor(labs[kind[0]], welcome="nobody" not in kind)
    if "account" in kind:
        one.sign_in()
    yield one
    one.close()


def check(answer: httpx.Response) -> None:
    """The answer is no fault of the server's, and a refusal says why in a sentence."""
    assert answer.status_code < 500, (answer.request, answer.request.content, answer.read())
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        detail = json.loads(answer.read())["detail"]
        assert isinstance(detail, str), detail
        assert "Traceback" not in detail


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(path=path(), method=st.sampled_from(["GET", "POST"]), query=QUERY, kind=KIND, sent=body())
def test_no_request_is_a_fault(
    person: Visitor, path: str, method: str, query: dict[str, str], kind: str, sent: bytes
) -> None:
    headers = [(b"origin", person.server.url.encode()), (b"content-type", kind.encode())]
    content = sent if method == "POST" else None
    with person.web.stream(method, path, params=query, headers=headers, content=content) as answer:
        check(answer)


def right(person: Visitor, route: str) -> dict[str, Any]:
    """A question that is answered: it differs from those that are refused in one key alone."""
    server = person.server
    listener = next(key for key, fn in server.page.fns.items() if fn.fn is not None and fn.inputs)
    event = {"event_id": person.session * 2}
    questions: dict[str, dict[str, Any]] = {
        "component_server": {"component_id": server.widget("status"), "fn_name": "status", "data": {}},
        "queue/join": {"fn_index": listener, "data": []},
        "cancel": {"fn_index": listener, **event},
        "reset": event,
    }
    return {"session_hash": person.session, **questions[route]}


@pytest.mark.parametrize("route", ["component_server", "queue/join", "cancel", "reset"])
def test_of_each_question_every_key_has_a_shape(person: Visitor, route: str) -> None:
    def post(question: dict[str, Any]) -> httpx.Response:
        content = json.dumps(question)
        return person.web.post(f"{API}/{route}", content=content, headers={"content-type": "application/json"})

    question = right(person, route)
    if not person.owner and person.server.lab.limits:
        assert post(question).status_code == 403
        return
    assert post(question).status_code == 200
    wrong: dict[str, list[Any]] = {
        "session_hash": [None, 5, [], "x" * 101],
        "component_id": [None, "1", 1.5, True, -1, 10**6, 2**70],
        "fn_index": [None, "1", True, -1, 10**6, 2**70],
        "fn_name": [None, 1, "", "nothing", "__init__", "update"],
        "event_id": [None, 5, {}],
        "data": [None, 5, "x", {}] if route == "queue/join" else [],
    }
    if route == "reset" and not person.server.lab.limits:
        question.pop("session_hash")  # a lab of one's own asks for none
    for key in question:
        for value in wrong[key]:
            answer = post({**question, key: value})
            assert answer.status_code in (400, 403), (key, value)
            check(answer)
        check(answer := post({name: item for name, item in question.items() if name != key}))
        assert answer.status_code in (400, 403), key
    answer = post({**question, "batched": True, "simple_format": True, "oauth_token": "x", "more": 1})
    assert answer.status_code == 200, "what the page does not send is left out"
    runs = {**right(person, "component_server"), "component_id": person.server.widget("runs"), "fn_name": "runs"}
    assert person.web.post(f"{API}/component_server", json=runs).json()["ok"]["rows"] == []


def test_a_question_reaches_gradio_as_it_was_sent(labs: dict[str, Server]) -> None:
    one = Visitor(labs["own"])
    try:
        name = 'é \u2028 \U0001f600 \\ " \x7f'
        words = one.refused("rename", {"run": "none", "name": name})
        assert "There is no run" in words
    finally:
        one.close()


def test_the_queue_goes_on_after_events_that_make_no_sense(person: Visitor) -> None:
    if not person.owner and person.server.lab.limits:
        return
    question = right(person, "queue/join")
    for data, event in (([], None), ([None] * 50, 5), (["x"], {"a": 1}), ([{"path": "/etc/passwd"}], ["x"])):
        said = person.listen(question["fn_index"], data, event)
        assert said[-1]["msg"] in ("process_completed", "close_stream"), said


def test_a_refusal_says_what_it_is(person: Visitor) -> None:
    answer = person.web.post(f"{API}/component_server", content=b"{}", headers={"content-type": "application/json"})
    if person.owner or not person.server.lab.limits:
        assert (answer.status_code, answer.json()) == (400, {"detail": NOT_A_QUESTION})


def test_gradios_own_client_connects_to_a_lab_of_ones_own(labs: dict[str, Server]) -> None:
    client = Client(labs["own"].url, verbose=False, analytics_enabled=False)
    try:
        assert client.view_api(return_format="dict", print_info=False) == {
            "named_endpoints": {},
            "unnamed_endpoints": {},
        }, "no listener of the page is meant for programs"
    finally:
        client.close()


@pytest.mark.parametrize("meta", ['{"_type": "gradio.FileData"}', '{"_type": "gradio\\u002eFileData"}', "5"])
@pytest.mark.parametrize("place", ["data", "event_data"])
def test_no_listener_is_sent_a_file(person: Visitor, place: str, meta: str) -> None:
    """Gradio would fetch the address, and keep what it gets, before any check of the value."""
    if not person.owner and person.server.lab.limits:
        return
    file = {"path": "https://example.org/large", "url": "https://example.org/large", "meta": "META"}
    question = {**right(person, "queue/join"), place: [{"deep": [file]}]}
    content = json.dumps(question).replace('"META"', meta)
    answer = person.web.post(f"{API}/queue/join", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (400, NOT_A_QUESTION)
