"""What the page may ask of an account: whose it is, and to sign out."""

from __future__ import annotations

from typing import Any

from lab.server.schema import Empty
from lab.ui.lab import Lab
from lab.ui.visitor import visitor


def account(lab: Lab, request: Empty) -> dict[str, Any]:
    """Whether one can sign in, as whom this browser has, whether it may push, and what is left to be said to it."""
    found = lab.accounts.of(visitor())
    problem = lab.accounts.heard(visitor())
    return {
        "offered": lab.signing,
        "name": found.name if found else "",
        "push": not lab.limits or lab.signing,
        "owner": lab.owner is not None and lab.owner.admits(visitor()),
        "notice": {"message": problem.message, "hint": problem.hint} if problem else None,
    }


def leave(lab: Lab, request: Empty) -> None:
    """Sign out: what is the account's is not this browser's any more, and its token is forgotten."""
    lab.accounts.leave(visitor())
