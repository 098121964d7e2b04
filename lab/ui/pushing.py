"""Pushing a run's adapter to the Hub from the page: on a thread, watched by asking."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field

from lab import access
from lab.errors import LabError
from lab.server.schema import Id, Request
from lab.ui.guard import told
from lab.ui.lab import Lab
from lab.ui.pushes import DONE, FAILED

#: A name on the Hub, with or without an organisation.
NAME = re.compile(r"(\w[\w.-]{0,95}/)?\w[\w.-]{0,95}", re.ASCII)


class PushRequest(Request):
    run: Id
    repository: Annotated[str, Field(max_length=300)]
    private: bool


class PushedRequest(Request):
    run: Id


def push(lab: Lab, request: PushRequest) -> None:
    """Begin to push a run into a repository, private or public. Raises LabError for what can be seen before."""
    run, name, private = lab.runs.get(request["run"]), request["repository"].strip(), request["private"]
    if not NAME.fullmatch(name):
        raise LabError("This is no name of a repository.", "Write name, or organisation/name.")
    token = lab.token()
    if not token:
        raise LabError("This machine has no token of the Hub.", "Run `hf auth login` in a terminal, then push again.")
    made = lab.pushes.begin(access.owner(), run.id)

    def work() -> None:
        from lab.artifacts.publish import publish

        try:
            made.address = publish(run, name, token, private, lambda doing: setattr(made, "doing", doing))
            made.state = DONE
        except Exception as problem:
            made.error, made.state = told(problem), FAILED

    access.thread(work, f"push {run.id}")


def pushed(lab: Lab, request: PushedRequest) -> dict[str, Any] | None:
    """How far a run's last push is; None if there was none."""
    found = lab.pushes.of(lab.runs.get(request["run"]).id)
    if found is None:
        return None
    return {name: getattr(found, name) for name in ("state", "doing", "address", "error")}
