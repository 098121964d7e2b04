"""How an event of the page reaches Python: one way for every listener, so that none forgets what all need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab.ui.guard import guarded

#: What a listener is given: it is nobody's endpoint, and shows no progress of Gradio's own, on nothing. Else Gradio
#: looks for every output that ever answered among all of the page, at each step of each answer: with a whole exercise
#: unfolded, that took longer than the answers themselves.
QUIET: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": [], "api_visibility": "private"}


def listen(
    event: Callable[..., Any],
    work: Callable[..., Any] | None,
    inputs: Any = None,
    outputs: Any = None,
    **options: Any,
) -> Any:
    """Let `work` answer an event (`slider.input`, `button.click`, …) and return what `.then` can be called on.

    What goes wrong in it is shown on the page as one sentence and a hint.
    """
    return event(guarded(work) if work else None, inputs, outputs, **QUIET, **options)
