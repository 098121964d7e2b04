"""A shared lab that is served, with two visitors; the first has a run, a file and a comparison."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.hosting.limits import Limits
from tests.hosting.visitor import Server, Visitor, visitors
from tests.hosting.visitor_plan import short
from tests.loops import closed_after

#: Stands in everything that the first visitor made.
MARK = "kestrel-4711"

#: Opens the owner's page; no visitor has it.
TOKEN = "a-token-of-the-owner-0815"


@dataclass(frozen=True)
class Scene:
    """The server, both visitors, and what is Ann's: a run, a kept upload, a file to fetch and a comparison."""

    server: Server
    ann: Visitor
    bob: Visitor
    run: str
    upload: str
    served: str
    comparison: str

    @property
    def about_ann(self) -> tuple[str, ...]:
        """Words that nobody else may be told. (Ids that Bob sends himself come back in refusals.)"""
        return (MARK, self.ann.owner)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, little_prose: None) -> Iterator[Scene]:
    limits = Limits(steps=4, waiting=3, measuring=5.0, upload=200_000, members=3)
    with pytest.MonkeyPatch.context() as patch, closed_after(patch):
        patch.setenv("GRADIO_TEMP_DIR", "")
        for name in ("OPENID_PROVIDER_URL", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"):
            patch.setenv(name, "http://127.0.0.1:9")
        server = Server(tmp_path_factory.mktemp("shared") / "runs", limits, owner_token=TOKEN)
        try:
            with visitors(server, 2) as (ann, bob):
                yield prepare(server, ann, bob)
        finally:
            server.close()


def prepare(server: Server, ann: Visitor, bob: Visitor) -> Scene:
    rows = [{"text": f"{MARK} {word} number {n}", "label": word} for n in range(30) for word in ("yes", "no")]
    upload = ann.upload(f"{MARK}.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
    run = ann.train(short())
    ann.ask("rename", {"run": run, "name": f"run of {MARK}"})
    served = ann.ask("download", {"run": run})["path"]
    spec = {"name": f"comparison of {MARK}", "runs": [run]}
    comparison = ann.ask("launch", {"spec": spec}, beside="foresee")
    return Scene(server, ann, bob, run, upload, served, comparison)


@pytest.fixture(scope="module")
def little_prose() -> Iterator[None]:
    """Forgetting is measured on an eighth of the prose: it takes most of the time of so short a training."""
    from lab.training import evaluation

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "GENERAL", 512)
        yield
