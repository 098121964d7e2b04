"""safetensors: what the system said of a file that could not be written."""

from __future__ import annotations

import errno
import re


def os_error_number(error: BaseException) -> int:
    """The system's number in the sentence of an error (`errno.ENOSPC`, …); 0 if there is none.

    Why: `SafetensorError` has no `errno`, only the sentence of Rust's standard library.
    Without it: a full disk is an unexpected fault where the weights were what filled it.
    Seen on: safetensors 0.8.
    """
    if match := re.search(r"\(os error (\d+)\)", str(error)):
        return int(match[1])
    return errno.ENOSPC if "No space left" in str(error) else 0
