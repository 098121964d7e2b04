"""The one error that a person is shown, and the reason for which a choice is refused."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from lab.compat.safetensors import os_error_number

#: What the system says where nothing more can be written: no space, a quota, the largest size of a file.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

#: What a person is told whose run's folder is gone, and what to do.
REMOVED = ("The run's folder was removed while it trained.", "Start it again from its plan.")


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


def unwritable(problem: BaseException) -> LabError | None:
    """What to tell a person whose run could not be written; None if the problem is none of the disk's."""
    match getattr(problem, "errno", None) or os_error_number(problem):
        case errno.ENOSPC:
            return LabError("The disk is full: the run could not be saved.", "Make room, then continue the run.")
        case errno.EDQUOT:
            return LabError("Your disk quota is used up: the run could not be saved.", "Make room, then continue it.")
        case errno.EFBIG:
            return LabError(
                "A file of the run would be larger than the system allows.",
                "Raise that limit (`ulimit -f`), then continue the run.",
            )
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return LabError("The folder of the run cannot be written.", "Check its permissions.")
        case errno.EIO:
            return LabError("The disk reports an error: the run could not be saved.", "Check the disk.")
    return None
