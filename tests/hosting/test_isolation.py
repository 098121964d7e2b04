"""Every route, server function and listener that the page's server has, and what a second visitor gets of it.

The tables are whole: a route, a service or a listener that is added makes a test fail until it is looked at here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab.server.paths import CALLBACK, SIGN_IN
from lab.server.schema import request_type
from lab.ui.comparing import Comparing
from lab.ui.owner import PATHS
from lab.ui.service import SERVICES
from tests.hosting.conftest import MARK, TOKEN, Scene
from tests.hosting.visitor import Visitor

#: The same for everybody: the page and what it is drawn with, nothing of anybody's.
SAME = {
    "/", "/config", "/config/", "/static/{path:path}", "/assets/{path:path}", "/svelte/{path:path}", "/favicon.ico",
    "/theme.css", "/robots.txt", "/manifest.json", "/pwa_icon", "/pwa_icon/{size}", "/login", "/login/", "/logout",
    "/gradio_api/theme.css", "/gradio_api/startup-events", "/gradio_api/user", "/gradio_api/user/",
    "/gradio_api/login_check", "/gradio_api/login_check/", "/gradio_api/app_id", "/gradio_api/app_id/",
}  # fmt: skip

#: Only with one's own session, upload or file.
OWN = {
    "/gradio_api/queue/join", "/gradio_api/queue/data", "/gradio_api/cancel", "/gradio_api/reset",
    "/gradio_api/reset/", "/gradio_api/component_server", "/gradio_api/component_server/", "/gradio_api/upload",
    "/gradio_api/upload_progress", "/gradio_api/heartbeat/{session_hash}", "/gradio_api/file={path_or_url:path}",
}  # fmt: skip

#: Gradio has them, a shared lab has not.
SHUT = {
    "/openapi.json", "/gradio_api/deep_link", "/monitoring", "/monitoring/summary", "/monitoring/{key}",
    "/gradio_api/token", "/gradio_api/token/", "/gradio_api/dev/reload", "/gradio_api/info", "/gradio_api/info/",
    "/gradio_api/openapi.json", "/gradio_api/custom_component/{id}/{environment}/{type}/{file_name}",
    "/gradio_api/proxy={url_path:path}", "/gradio_api/stream/{event_id}", "/gradio_api/stream/{event_id}/close",
    "/gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8",
    "/gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}",
    "/gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file", "/gradio_api/file/{path:path}",
    "/gradio_api/run/{api_name}", "/gradio_api/run/{api_name}/", "/gradio_api/api/{api_name}",
    "/gradio_api/api/{api_name}/", "/gradio_api/call/{api_name}", "/gradio_api/call/{api_name}/",
    "/gradio_api/call/v2/{api_name}", "/gradio_api/call/v2/{api_name}/", "/gradio_api/call/{api_name}/{event_id}",
    "/gradio_api/call/v2/{api_name}/{event_id}", "/gradio_api/queue/status", "/gradio_api/process_recording",
    "/gradio_api/vibe-edit", "/gradio_api/vibe-edit/", "/gradio_api/undo-vibe-edit", "/gradio_api/undo-vibe-edit/",
    "/gradio_api/vibe-code", "/gradio_api/vibe-code/", "/gradio_api/vibe-starter-queries",
    "/gradio_api/vibe-starter-queries/", "/gradio_api/runs", "/gradio_api/runs/", "/gradio_api/run-history/connect",
    "/gradio_api/run-history/records", "/gradio_api/run-history/buckets",
    "/gradio_api/run-history/records/{endpoint}/{record_id}/assets/{asset_id}",
}  # fmt: skip

#: The lab's own routes, and what a stranger gets: nothing of anybody's behind any of them.
ADDED = {
    ("GET", "/login/huggingface"): 303, ("GET", "/login/callback"): 303, ("GET", "/owner"): 200,
    ("GET", "/owner/load"): 404, ("POST", "/owner/enter"): 403, ("POST", "/owner/act"): 404,
}  # fmt: skip

#: What each service of the bench tells a stranger who names Ann's run, file or comparison: a refusal, or an answer
#: that has nothing of anybody's in it.
REFUSED = {"keep", "launch", "control", "continue_run", "feed", "rename", "delete", "reopen", "download", "see",
           "preview", "push", "pushed"}  # fmt: skip
PLAIN = {"status", "change_method", "given", "restore", "code", "runs", "account", "leave"}

#: The same for the services of the comparison.
COMPARING_REFUSED = {"foresee", "launch", "control", "open", "picture", "layers", "export", "beside"}
COMPARING_PLAIN = {"offer", "read", "write", "every", "advise"}


def routes(scene: Scene) -> Iterator[tuple[str, set[str]]]:
    """Every path with its methods, however deep it is nested."""

    def walk(found: Any, prefix: str) -> Iterator[tuple[str, set[str]]]:
        for route in found:
            inner = getattr(route, "original_router", None) or getattr(route, "router", None)
            if getattr(route, "path", None) is not None and hasattr(route, "methods"):
                yield prefix + route.path, set(route.methods or ())
            elif inner is not None:
                yield from walk(inner.routes, prefix)
            else:
                raise AssertionError(f"{route!r} is neither a route nor a router: look at it")

    yield from walk(scene.server.page.app.routes, "")


def concrete(path: str, scene: Scene) -> str:
    """The path with Ann's own names in its places."""
    values = {
        "{session_hash}": scene.ann.session, "{path_or_url:path}": scene.served,
        "{path:path}": scene.served.lstrip("/"),
        "{url_path:path}": scene.served, "{api_name}": "answered", "{event_id}": "0" * 32, "{key}": "key",
        "{run}": scene.run, "{component_id}": "1", "{segment_id}": "1", "{ext}": "ts", "{size}": "192", "{id}": "1",
        "{environment}": "client", "{endpoint}": "answered", "{record_id}": "1", "{asset_id}": "1",
        "{type}": "component", "{file_name}": "index.js",
    }  # fmt: skip
    for place, value in values.items():
        path = path.replace(place, value)
    assert "{" not in path, path
    return path


def test_every_route_is_in_one_of_the_tables(scene: Scene) -> None:
    found = {path for path, _ in routes(scene)}
    assert len(found) > 60
    assert found - (SAME | OWN | SHUT) == set(), "a new route: decide what a stranger gets of it"
    assert len(SAME | OWN | SHUT) == len(SAME) + len(OWN) + len(SHUT)


def test_the_labs_own_routes_tell_a_stranger_nothing(scene: Scene) -> None:
    known = {("GET", SIGN_IN), ("GET", CALLBACK)} | PATHS
    assert set(ADDED) == known, "a new route: decide what a stranger gets of it"
    stranger = Visitor(scene.server, welcome=False)
    try:
        for (method, path), status in ADDED.items():
            for one in (scene.bob, stranger):
                body = {"run": scene.run, "action": "remove", "token": "guess"} if method == "POST" else None
                answer = one.web.request(method, path, json=body)
                assert answer.status_code == status, (method, path)
                told = answer.text + str(answer.headers)
                assert not any(word in told for word in (*scene.about_ann, scene.run, TOKEN)), path
            other = {"GET": "POST", "POST": "GET"}[method]
            body = {} if other == "POST" else None
            assert (other, path) in ADDED or scene.bob.web.request(other, path, json=body).status_code == 404
    finally:
        stranger.close()
    assert [row["id"] for row in scene.ann.ask("runs", {})["rows"]] == [scene.run]


def test_what_is_shut_is_not_there_for_anybody(scene: Scene) -> None:
    for path, methods in routes(scene):
        if path in SHUT:
            for method in methods | {"POST"}:
                for one in (scene.ann, scene.bob):
                    answer = one.web.request(method, concrete(path, scene), json={"session_hash": one.session})
                    assert answer.status_code == 404, (method, path, answer.status_code)


def test_what_is_the_same_for_all_tells_nothing_of_anybody(scene: Scene) -> None:
    for path, methods in routes(scene):
        if path in SAME and "GET" in methods:
            told = scene.bob.web.get(concrete(path, scene)).text
            assert not any(word in told for word in scene.about_ann), path


@pytest.mark.parametrize("path", sorted(OWN))
def test_what_is_ones_own_is_refused_to_another(scene: Scene, path: str) -> None:
    methods = {method for known, found in routes(scene) if known == path for method in found}
    stranger = Visitor(scene.server, welcome=False)
    try:
        for method in methods:
            for one in (scene.bob, stranger):
                answer = named(one, method, path, scene)
                assert answer in (403, 404), (method, path, answer)
    finally:
        stranger.close()


def named(one: Visitor, method: str, path: str, scene: Scene) -> int:
    """The status of a request that names what is Ann's."""
    address, ann = concrete(path, scene), scene.ann
    if path.endswith("upload"):
        ann.send("again.csv", b"a,b\n1,2\n", upload="upload-of-ann")
        with_id = f"{address}?upload_id=upload-of-ann"
        files, origin = {"files": ("x.csv", b"a\n1\n")}, {"origin": scene.server.url}
        return one.web.request(method, with_id, files=files, headers=origin).status_code
    body = {
        "session_hash": ann.session,
        "fn_index": 0,
        "data": [],
        "event_id": None,
        "component_id": 1,
        "fn_name": "x",
    }
    questions = {"session_hash": ann.session, "upload_id": "upload-of-ann"}
    with one.web.stream(method, address, params=questions, json=body if method == "POST" else None) as answer:
        return answer.status_code


def test_what_is_ones_own_is_ones_own(scene: Scene) -> None:
    assert scene.ann.web.get(f"/gradio_api/file={scene.served}").status_code == 200
    assert MARK in str(scene.ann.ask("runs", {})["rows"])
    assert scene.ann.ask("preview", {"source": scene.upload})["train"] > 0


# -- server functions -------------------------------------------------------------------------


def arguments(scene: Scene, room: str, name: str) -> list[Any]:
    """What a stranger may try: Ann's names in every place that a service looks at."""
    plan = {"data": {"source": scene.upload}}
    known = {
        "run": scene.run, "id": scene.comparison, "path": scene.upload, "name": "mine", "plan": plan,
        "loose": {"data": scene.upload}, "method": "lora", "text": "x", "spec": {"runs": [scene.run]},
        "model": "storybook", "memory": 8, "goal": "best",
    }  # fmt: skip
    service = next(item for item in SERVICES if item.__name__ == name) if room == "see" else getattr(Comparing, name)
    keys = getattr(request_type(service), "__annotations__", {})
    common = {key: value for key, value in known.items() if key in keys}
    by_name: dict[str, list[Any]] = {
        "see": [plan],
        "launch": [plan] if room == "see" else [common],
        "picture": [{"id": scene.comparison, "kind": "overlay", "options": {}}],
        "change_method": [{"plan": short_of(scene), "method": "ia3"}],
        "code": [plan],
        "preview": [{"source": scene.upload}],
        "restore": ["eJyrVkrLz1eyUkpKLFKqBQAdegQz"],
        "keep": [common, common | {"path": scene.served}],
        "control": [common | {"action": act} for act in
                    (("stop", "pause", "resume", "withdraw") if room == "see" else
                     ("start", "pause", "stop", "delete", "move", "again"))],
        "push": [common | {"repository": "bob/mine", "private": False}],
        "export": [common | {"what": what} for what in ("report", "csv", "yaml", "peft")],
    }  # fmt: skip
    return by_name.get(name, [common])


def functions(scene: Scene) -> Iterator[tuple[int, str]]:
    """Every function of a component that a browser may call."""
    for key, block in scene.server.page.blocks.items():
        for name in dir(type(block)) + list(vars(block)):
            item = vars(block).get(name) or getattr(type(block), name, None)
            if getattr(item, "_is_server_fn", False):
                yield key, name


def test_every_server_function_is_in_a_table(scene: Scene) -> None:
    bench, comparing = scene.server.widget("see"), scene.server.widget("foresee")
    found: dict[int, set[str]] = {}
    for key, name in functions(scene):
        found.setdefault(key, set()).add(name)
    assert found == {bench: REFUSED | PLAIN, comparing: COMPARING_REFUSED | COMPARING_PLAIN}
    assert {item.__name__ for item in SERVICES} == REFUSED | PLAIN


@pytest.mark.parametrize("room", ["see", "foresee"])
def test_no_server_function_tells_a_stranger_anything(scene: Scene, room: str) -> None:
    refused = REFUSED if room == "see" else COMPARING_REFUSED
    plain = PLAIN if room == "see" else COMPARING_PLAIN
    for name in sorted(refused | plain):
        for argument in arguments(scene, room, name):
            answer = scene.bob.raw(name, argument, beside=room)
            told = answer.json()
            assert answer.status_code == 200
            quoted = answer.text.replace(scene.upload, "")
            assert not any(word in quoted for word in scene.about_ann), (name, quoted[:500])
            if name in refused:
                assert "error" in told, (name, argument, told)
                assert "unexpected" not in told["error"]["message"], (name, argument)
    names = [row["name"] for row in scene.ann.ask("runs", {})["rows"]]
    assert names == [f"run of {MARK}"], "a stranger changed it"
    assert [item["id"] for item in scene.ann.ask("every", {})] == [scene.comparison]


def test_the_same_questions_are_answered_to_whom_they_belong(scene: Scene) -> None:
    """Else the refusals above would prove nothing."""
    assert MARK in scene.ann.ask("feed", {"run": scene.run})["name"]
    assert MARK in scene.ann.ask("open", {"id": scene.comparison}, beside="open")["name"]
    assert scene.ann.ask("see", short_of(scene))["data"]["train"] > 0
    assert scene.ann.ask("reopen", {"run": scene.run})["lesson"]
    assert scene.ann.ask("export", {"id": scene.comparison, "what": "csv"}, beside="export")["path"]


def short_of(scene: Scene) -> dict[str, Any]:
    from tests.hosting.visitor_plan import short

    return short(scene.upload).to_dict()


def test_nobody_without_a_cookie_is_answered(scene: Scene) -> None:
    nobody = Visitor(scene.server, welcome=False)
    try:
        assert nobody.raw("runs", {}).status_code == 403
        nobody.web.cookies.set("peft-lab-visitor", "short")
        assert nobody.raw("runs", {}).status_code == 403
    finally:
        nobody.close()


# -- listeners --------------------------------------------------------------------------------


def test_no_listener_tells_a_stranger_anything(scene: Scene) -> None:
    """Every listener of the page, called by hand: with Ann's names wherever one can be written."""
    called, answered, showed = 0, 0, set()
    for one in (scene.bob, scene.ann):
        for key, fn in scene.server.page.fns.items():
            if fn.fn is None:
                continue
            said = str(one.listen(key, [value(item, scene) for item in fn.inputs], event(scene)))
            if one is scene.bob:
                called += 1
                answered += "process_completed" in said
                quoted = said.replace(scene.upload, "")
                assert not any(word in quoted for word in scene.about_ann), (key, fn.name, quoted[:800])
            elif MARK in said.replace(scene.upload, ""):
                showed.add(key)
    assert called > 150
    assert answered > called * 0.9
    assert len(showed) >= 2, "the listeners that list runs must show Ann her own, else this test sees nothing"


def value(component: Any, scene: Scene) -> Any:
    """What a stranger puts into a component."""
    kind = type(component).__name__
    if kind == "State":
        return None
    if kind in ("Dropdown", "Textbox", "Radio", "Markdown"):
        choices = [item[1] for item in getattr(component, "choices", None) or []]
        custom = getattr(component, "allow_custom_value", True)
        return scene.run if custom else component.value if component.value in choices else scene.run
    if kind in ("Widget", "Figure"):
        return {"run": scene.run, "plan": {"model": "storybook", "data": {"source": scene.upload}}, "tab": "lora"}
    return getattr(component, "value", None)


def event(scene: Scene) -> dict[str, Any]:
    words = [{"role": "user", "content": "Who are you?"}]
    return {"run": scene.run, "turn": 1, "text": "hi", "base": words, "adapter": words, "options": {"max_tokens": 2}}
