"""The one error that a person is shown, and the reason for which a choice is refused."""

from __future__ import annotations

from dataclasses import dataclass


class LabError(Exception):
    """Something that a person can understand and mend.

    `message` is one sentence that says what is wrong; `hint` is one that says what to do about it. Everything
    else that is raised is a fault of the lab: it is logged with its traceback and shown as unexpected.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


@dataclass(frozen=True)
class Reason:
    """Why a choice cannot work, and what to take instead."""

    message: str
    hint: str
