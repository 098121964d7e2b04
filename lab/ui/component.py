"""A widget: a Gradio HTML component whose drawing is done by one of our scripts.

The server gives it a value (plain JSON) and the script of the same name in `assets/js` draws it. The template never
changes, so Gradio leaves the drawing alone when the value does: zoom, focus and hidden traces survive.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gradio as gr

from lab.errors import LabError
from lab.server.schema import validate
from lab.ui.guard import shown


class Widget(gr.HTML):
    """A component drawn by `Lab.define(script, …)` in the browser.

    `events` names what the script may trigger; each becomes a Gradio listener (`widget.submit(…)`). `functions`
    can be called by the script as `context.server.name(argument)`. `payload` is the type of the value that a listener
    gets of it (`lab.server.schema`); a widget without one gives listeners nothing.
    """

    def __init__(
        self,
        script: str,
        value: Any = None,
        *,
        events: tuple[str, ...] = (),
        functions: list[Callable[..., Any]] | None = None,
        payload: Any = None,
        **arguments: Any,
    ) -> None:
        context = "{element, trigger, props, server, watch, upload}"
        self.payload = payload
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

    def preprocess(self, payload: Any) -> Any:
        """The value that the script has sent. Raises gr.Error with a sentence if it is not of the declared type."""
        try:
            return validate(self.payload, payload) if self.payload else None
        except LabError as error:
            raise shown(error) from None

    def postprocess(self, value: Any) -> Any:
        return value
