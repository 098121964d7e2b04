"""Where errors end: a LabError becomes one sentence and a hint on the page, anything else is logged as a fault."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import gradio as gr

from lab.compat.torch import out_of_memory
from lab.errors import LabError
from lab.models import room
from lab.server.schema import request_type, validate

log = logging.getLogger("lab")

UNEXPECTED = LabError(
    "Something unexpected went wrong in the lab.", "The details are in its log; your form and your runs are safe."
)

FULL = LabError(
    room.EXHAUSTED,
    "Try again when nothing trains, or take a smaller model, fewer bits or a shorter text.",
)

#: Characters of a sentence that a person is shown: it may quote what they sent.
LONGEST = 1000

F = TypeVar("F", bound=Callable[..., Any])


def told(error: BaseException) -> dict[str, str]:
    """What a person is shown of an error: `message` and `hint`. A fault of the lab is logged with its traceback."""
    if out_of_memory(error):
        log.warning("out of memory: %s", error)
        room.make()
        error = FULL
    elif not isinstance(error, LabError):
        log.error("unexpected: %s", error, exc_info=error)
        error = UNEXPECTED
    return {"message": _short(error.message), "hint": _short(error.hint)}


def _short(words: str) -> str:
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"


def answer(work: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """The result of `work` as `{"ok": result}`, or what went wrong as `{"error": {"message", "hint"}}`."""
    try:
        return {"ok": work(*arguments)}
    except Exception as error:
        return {"error": told(error)}


def service(function: Callable[..., Any], *first: Any) -> Callable[[Any], dict[str, Any]]:
    """The function as one of Gradio's server functions, called with `first` and the request.

    What the browser sends is checked against the declared type of `request` before the function runs.
    """
    shape = request_type(function)

    def serve(argument: Any) -> dict[str, Any]:
        return answer(lambda: function(*first, validate(shape, {} if argument is None else argument)))

    serve.__name__ = function.__name__
    return serve


def guarded(handler: F) -> F:
    """A Gradio listener (also a generator) whose errors are shown on the page as one sentence and a hint."""

    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def stream(*arguments: Any, **named: Any) -> Iterator[Any]:
            try:
                yield from handler(*arguments, **named)
            except Exception as error:
                raise shown(error) from None

        return stream  # type: ignore[return-value]

    @functools.wraps(handler)
    def once(*arguments: Any, **named: Any) -> Any:
        try:
            return handler(*arguments, **named)
        except Exception as error:
            raise shown(error) from None

    return once  # type: ignore[return-value]


def shown(error: Exception) -> gr.Error:
    """The error as the page shows it: a title and a sentence. Gradio logs no traceback of its own for it."""
    if isinstance(error, gr.Error):
        return error
    words = told(error)
    return gr.Error(words["hint"] or " ", title=words["message"], duration=8, print_exception=False)
