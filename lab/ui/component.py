"""A widget: a Gradio HTML component whose drawing is done by one of our scripts.

The server gives it a value (plain JSON) and the script of the same name in `assets/js` draws it. The template never
changes, so Gradio leaves the drawing alone when the value does: zoom, focus and hidden traces survive.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gradio as gr

#: What a listener is given: it is nobody's endpoint, and shows no progress of Gradio's own, on nothing. Else Gradio
#: looks for every output that ever answered among all of the page, at each step of each answer: with a whole exercise
#: unfolded, that took longer than the answers themselves.
QUIET: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": [], "api_visibility": "private"}


class Widget(gr.HTML):
    """A component drawn by `Lab.define(script, …)` in the browser.

    `events` names what the script may trigger; each becomes a Gradio listener (`widget.submit(…)`). `functions`
    can be called by the script as `context.server.name(argument)`.
    """

    def __init__(
        self,
        script: str,
        value: Any = None,
        *,
        events: tuple[str, ...] = (),
        functions: list[Callable[..., Any]] | None = None,
        **arguments: Any,
    ) -> None:
        context = "{element, trigger, props, server, watch, upload}"
        super().__init__(
            value,
            html_template='<div class="lab-widget"></div>',
            # The names are listed so that Gradio knows them as events of this component.
            js_on_load=f"window.Lab.mount({json.dumps(script)}, {context}, {json.dumps(list(events))});",
            apply_default_css=False,
            server_functions=functions,
            **arguments,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}

    def postprocess(self, value: Any) -> Any:
        return value
