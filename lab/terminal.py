"""What a process in a terminal owes its user: text that any encoding takes, and an end without a traceback.

It is imported before everything else, so it imports nothing that takes time.
"""

from __future__ import annotations

import codecs
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

#: Exit status of a process that Ctrl-C ended, as shells have it.
INTERRUPTED = 128 + signal.SIGINT


def prepare() -> None:
    """Make this process fit for a terminal: call it first, before anything is imported that takes time."""
    codecs.register_error("escape", escape)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not what a test or a notebook puts there
            stream.reconfigure(errors="escape")
    # A shell starts what is in the background with Ctrl-C ignored, and so it stays.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, end)


def escape(error: UnicodeError) -> tuple[str, int]:
    r"""Characters that an encoding does not have as `\uXXXX`, which is right in JSON as well."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    data = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{data[i]:02x}{data[i + 1]:02x}" for i in range(0, len(data), 2)), error.end


def end(number: int, frame: Any = None) -> None:
    """End the process at once. An exception would come out of whatever is being imported, traceback and all."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # it may be what the signal interrupted
            stream.flush()
    with suppress(OSError):
        os.write(2, b"Interrupted.\n")
    os._exit(128 + number)


@contextmanager
def stopping(stop: Callable[[], Any]) -> Iterator[None]:
    """While this lasts the first Ctrl-C or SIGTERM calls `stop`, and a second one ends the process at once."""

    def first(number: int, frame: Any) -> None:
        for each in before:
            signal.signal(each, end)
        stop()

    before = {each: signal.signal(each, first) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, signal.SIG_DFL if handler is None else handler)
