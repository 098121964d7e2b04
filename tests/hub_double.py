"""A small server that speaks the Hugging Face Hub's API to the real client libraries, and can misbehave on request.

    with HubDouble() as hub:
        hub.add("lab/tiny", {"config.json": b"{}"})
        hub.fault("lab/tiny", CUT)

It holds repositories in memory and answers what `huggingface_hub` and `datasets` ask: info, tree, paths, file
metadata and contents (with ranges), search by tag, and pushing small files.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.doubles import Double

#: What a repository can do instead of answering: close the connection, never answer, send half of a file and stop
#: for ever, send half of a file and close, or answer with an error of the server.
DROP, HANG, STALL, CUT, ERROR = "drop", "hang", "stall", "cut", "error"

#: What a repository can do to a commit: refuse it, or say that another has come first.
READ_ONLY, CONFLICT = "read only", "conflict"


@dataclass
class Repo:
    """A repository: its files by path, and who may read it."""

    kind: str
    name: str
    files: dict[str, bytes]
    tags: tuple[str, ...] = ()
    gated: bool = False
    private: bool = False
    downloads: int = 0
    fault: str = ""
    commits: list[str] = field(default_factory=list)

    @property
    def sha(self) -> str:
        """A commit id that changes with the contents."""
        digest = hashlib.sha1(repr(sorted(self.files)).encode())
        for path in sorted(self.files):
            digest.update(self.files[path])
        return digest.hexdigest()

    def info(self) -> dict[str, Any]:
        """What the Hub says of the repository."""
        return {
            "_id": hashlib.sha1(self.name.encode()).hexdigest()[:24],
            "id": self.name,
            "modelId": self.name,
            "sha": self.sha,
            "private": self.private,
            "gated": "manual" if self.gated else False,
            "disabled": False,
            "tags": list(self.tags),
            "downloads": self.downloads,
            "likes": 0,
            "siblings": [{"rfilename": p, "size": len(b), "blobId": oid(b)} for p, b in sorted(self.files.items())],
        }

    def entries(self, under: str, recursive: bool) -> list[dict[str, Any]]:
        """Files and folders below the folder `under`, as a tree listing has them."""
        prefix = f"{under}/" if under else ""
        found: dict[str, dict[str, Any]] = {}
        for path, contents in sorted(self.files.items()):
            if not path.startswith(prefix):
                continue
            parts = path[len(prefix) :].split("/")
            for depth in range(1, len(parts) if recursive else min(len(parts), 2)):
                folder = prefix + "/".join(parts[:depth])
                found[folder] = {"type": "directory", "path": folder, "size": 0, "oid": oid(folder.encode())}
            if recursive or len(parts) == 1:
                found[path] = {"type": "file", "path": path, "size": len(contents), "oid": oid(contents)}
        return list(found.values())


def oid(contents: bytes) -> str:
    """The id that git gives these contents."""
    return hashlib.sha1(b"blob %d\0" % len(contents) + contents).hexdigest()


class HubDouble(Double):
    """The server. `url` is its address, `asked` the requests that it got, as "METHOD path", and `authorizations` the
    values of their headers of that name, where they had one."""

    def __init__(self) -> None:
        self.repos: dict[tuple[str, str], Repo] = {}
        self.asked: list[str] = []
        self.authorizations: list[str] = []
        self.token = "hf_double"
        self.search_fault = ""
        self.released = threading.Event()
        super().__init__(Handler, "hub")

    def __exit__(self, *problem: object) -> None:
        self.released.set()
        super().__exit__(*problem)

    def add(self, name: str, files: dict[str, bytes], kind: str = "model", **more: Any) -> Repo:
        """Publish a repository."""
        made = self.repos[kind, name] = Repo(kind, name, dict(files), **more)
        return made

    def fault(self, name: str, fault: str = "") -> None:
        """Let a repository misbehave (any kind of that name), or behave again."""
        for (_, known), repo in self.repos.items():
            if known == name:
                repo.fault = fault
        self.released.set()  # whoever still hangs goes on, into a closed connection
        self.released = threading.Event()

    def clear(self) -> None:
        """Forget every repository and request."""
        self.released.set()
        self.released = threading.Event()
        self.repos.clear()
        self.asked.clear()
        self.authorizations.clear()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    hub: HubDouble
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing: the tests look at `asked`."""

    def do_GET(self) -> None:
        self.answer()

    def do_HEAD(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        """Find what is asked for and say it."""
        address = urlsplit(self.path)
        self.query = {name: values[-1] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        self.hub.asked.append(f"{self.command} {address.path}")
        self.hub.authorizations += self.headers.get_all("Authorization") or []
        parts = [unquote(part) for part in address.path.strip("/").split("/")]
        try:
            self.api(parts[1:]) if parts[0] == "api" else self.file(parts)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    # -- the API ------------------------------------------------------------------------------

    def api(self, parts: list[str]) -> None:
        match parts:
            case ["whoami-v2"]:
                self.say({"name": "lab", "type": "user", "auth": {"type": "access_token"}})
            case ["repos", "create"]:
                self.create()
            case ["validate-yaml"]:
                self.say({"errors": [], "warnings": []})
            case ["models" | "datasets" as plural]:
                self.search(plural.removesuffix("s"))
            case ["models" | "datasets" as plural, owner, name, *rest]:
                repo = self.repo(plural.removesuffix("s"), f"{owner}/{name}")
                if repo is not None:
                    self.about(repo, rest)
            case _:
                self.refuse(404, "", "no such thing")

    def about(self, repo: Repo, rest: list[str]) -> None:
        match rest:
            case [] | ["revision", _]:
                self.say(repo.info())
            case ["tree", _, *under]:
                self.say(repo.entries("/".join(under), self.query.get("recursive", "").lower() in ("true", "1")))
            case ["paths-info", _]:
                known = {item["path"]: item for item in repo.entries("", True)}
                self.say([known[path] for path in self.form()["paths"] if path in known])
            case ["preupload", _]:
                asked = json.loads(self.body)["files"]
                self.say(
                    {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in asked]}
                )
            case ["commit", _]:
                self.commit(repo)
            case _:
                self.refuse(404, "EntryNotFound", "no such thing")

    def form(self) -> dict[str, Any]:
        """The body's fields: JSON, or as a browser's form sends them."""
        if "json" in self.headers.get("Content-Type", ""):
            return json.loads(self.body)
        return parse_qs(self.body.decode())

    def search(self, kind: str) -> None:
        if self.misbehave(self.hub.search_fault):
            return
        wanted = parse_qs(urlsplit(self.path).query).get("filter", [])
        found = [
            repo for (of, _), repo in self.hub.repos.items() if of == kind and all(tag in repo.tags for tag in wanted)
        ]
        found.sort(key=lambda repo: -repo.downloads)
        self.say([repo.info() for repo in found][: int(self.query.get("limit", 100))])

    def create(self) -> None:
        if not self.known():
            return self.refuse(401, "", "Invalid username or password.")
        asked = json.loads(self.body)
        name = "/".join((asked.get("organization") or "lab", asked["name"]))
        if ("model", name) in self.hub.repos:
            told = {"error": "You already created this model repo", "url": f"{self.hub.url}/{name}", "id": name}
            return self.send(409, json.dumps(told).encode(), {})
        self.hub.add(name, {}, private=asked.get("visibility") == "private")
        return self.say({"url": f"{self.hub.url}/{name}", "id": name})

    def commit(self, repo: Repo) -> None:
        if not self.known() or repo.fault == READ_ONLY:
            return self.refuse(403, "", "You may not write here.")
        if repo.fault == CONFLICT:
            return self.refuse(409, "", "Another commit has come first.")
        for line in self.body.decode().splitlines():
            told = json.loads(line)
            if told["key"] == "file":
                repo.files[told["value"]["path"]] = base64.b64decode(told["value"]["content"])
            elif told["key"] == "header":
                repo.commits.append(told["value"]["summary"])
        address = f"{self.hub.url}/{repo.name}/commit/{repo.sha}"
        return self.say({"success": True, "commitOid": repo.sha, "commitUrl": address, "pullRequestUrl": None})

    # -- files --------------------------------------------------------------------------------

    def file(self, parts: list[str]) -> None:
        kind = "dataset" if parts[0] == "datasets" else "model"
        parts = parts[1:] if kind == "dataset" else parts
        if len(parts) < 5 or parts[2] != "resolve":
            return self.refuse(404, "", "no such page")
        repo = self.repo(kind, "/".join(parts[:2]))
        if repo is None:
            return None
        if repo.gated and not self.known():
            return self.refuse(403, "GatedRepo", "Access to this repository is restricted.")
        contents = repo.files.get("/".join(parts[4:]))
        if contents is None:
            return self.refuse(404, "EntryNotFound", "Entry not found")
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0] or 0)
        end = int(self.headers.get("Range", "bytes=0-").split("-")[-1] or len(contents) - 1)
        part = contents[start : end + 1]
        self.send_response(206 if "Range" in self.headers else 200)
        if "Range" in self.headers:
            self.send_header("Content-Range", f"bytes {start}-{start + len(part) - 1}/{len(contents)}")
        self.send_header("X-Repo-Commit", repo.sha)
        self.send_header("ETag", f'"{oid(contents)}"')
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if self.command == "HEAD":
            return None
        if repo.fault in (STALL, CUT):
            self.wfile.write(part[: len(part) // 2])
            self.wfile.flush()
            if repo.fault == STALL:
                self.hub.released.wait()
            self.close_connection = True
            return None
        self.wfile.write(part)
        return None

    # -- answers ------------------------------------------------------------------------------

    def known(self) -> bool:
        """Whether the request bears the token."""
        return self.headers.get("Authorization") == f"Bearer {self.hub.token}"

    def repo(self, kind: str, name: str) -> Repo | None:
        """The repository, if there is one that answers; else the request is dealt with."""
        found = self.hub.repos.get((kind, name))
        if found is None:
            # The Hub does not tell strangers whether a repository is private or missing.
            self.refuse(401, "RepoNotFound", "Repository not found")
            return None
        return None if self.misbehave(found.fault) else found

    def misbehave(self, fault: str) -> bool:
        """Do what the fault says instead of answering; whether that happened."""
        if fault == ERROR:
            self.refuse(503, "", "Service unavailable")
        elif fault == HANG:
            self.hub.released.wait()
        self.close_connection = self.close_connection or fault in (DROP, HANG)
        return fault in (DROP, HANG, ERROR)

    def say(self, told: Any) -> None:
        """The value as JSON."""
        self.send(200, json.dumps(told).encode(), {})

    def refuse(self, status: int, code: str, message: str) -> None:
        """An error as the Hub gives it."""
        headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self.send(status, json.dumps({"error": message}).encode(), headers)

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
