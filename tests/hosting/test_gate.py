"""The gate: cookies, other sites, uploads, headers."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from tests.hosting.conftest import Scene
from tests.hosting.visitor import API, Visitor


def test_the_cookie_is_hidden_from_scripts_and_fits_a_frame_of_another_site(scene: Scene) -> None:
    one = Visitor(scene.server, welcome=False)
    try:
        plain = one.web.get("/").headers["set-cookie"]
        one.web.cookies.clear()
        framed = one.web.get("/", headers={"x-forwarded-proto": "https"}).headers["set-cookie"]
    finally:
        one.close()
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "SameSite=None; Secure; Partitioned" in framed
    assert "set-cookie" not in scene.ann.web.get("/").headers


def test_a_script_of_another_site_is_refused(scene: Scene) -> None:
    body = {"session_hash": scene.ann.session, "component_id": 0, "fn_name": "runs", "data": {}}
    answer = scene.ann.web.post(f"{API}/component_server", json=body, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    own = scene.server.url
    body["component_id"] = scene.server.widget("runs")
    assert scene.ann.web.post(f"{API}/component_server", json=body, headers={"origin": own}).status_code == 200


def test_every_answer_bears_the_headers(scene: Scene) -> None:
    for path in ("/", "/config", f"{API}/info", f"{API}/file={scene.served}"):
        headers = scene.ann.web.get(path).headers
        assert "frame-ancestors 'self' https://huggingface.co" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_a_large_upload_is_refused_before_it_is_read(scene: Scene) -> None:
    assert scene.ann.send("big.csv", b"a\n" + b"1\n" * 200_000).status_code == 413


def test_a_question_that_is_too_long_or_none_is_refused(scene: Scene) -> None:
    def post(content: bytes) -> int:
        headers = {"content-type": "application/json"}
        return scene.ann.web.post(f"{API}/component_server", content=content, headers=headers).status_code

    assert post(b'{"x": "' + b"a" * 3_000_000 + b'"}') == 413
    for body in (
        b"",
        b"[]",
        b"{}",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"session_hash": 5}',
        b'{"session_hash": "x"}',
    ):
        assert post(body) in (400, 403), body[:20]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.csv", "..\\..\\x.csv", "/etc/cron.d/x.csv", "a\x00b.csv", ".csv", "x" * 300 + ".csv"]
)
def test_a_name_that_leads_elsewhere_does_not(scene: Scene, name: str) -> None:
    sent = scene.ann.send("plain.csv", b"a,b\n" + b"1,2\n" * 40)
    kept = scene.ann.raw("keep", {"path": sent.json()[0], "name": name}).json()
    uploads = scene.server.lab.folder / "uploads" / scene.ann.owner
    if "ok" in kept:
        assert Path(kept["ok"]).resolve().is_relative_to(uploads.resolve())
    else:
        assert "unexpected" not in kept["error"]["message"], kept


def test_what_unpacks_to_too_much_is_one_sentence(scene: Scene) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as file:
        chunk = b'{"a": "' + b"x" * 10_000 + b'", "b": "y"}\n'
        for _ in range(1000):
            file.write(chunk)
    data = packed.getvalue()
    assert len(data) < 200_000
    path = scene.ann.upload("packed.jsonl.gz", data)
    assert scene.ann.raw("preview", {"source": path}).json().keys() <= {"ok", "error"}


def test_the_server_and_its_folders_name_no_secret(scene: Scene) -> None:
    secret = dict(scene.ann.web.cookies)["peft-lab-visitor"]
    for file in scene.server.lab.folder.rglob("*"):
        assert secret not in str(file)
        if file.is_file() and file.suffix in (".json", ".jsonl", ".md"):
            assert secret not in file.read_text(encoding="utf-8", errors="replace")


def test_the_limits_stand_on_the_page(scene: Scene) -> None:
    assert scene.server.lab.limits is not None
    assert scene.server.lab.limits.sentence() in scene.ann.web.get("/config").text
