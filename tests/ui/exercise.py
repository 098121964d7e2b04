"""A tab of exercises without a browser: its controls are set and its buttons pressed by calling their listeners."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import plotly.graph_objects as go

from lab.ui import controls
from lab.ui.lab import Lab

#: Seconds after which work is not waited for any more.
PATIENCE = 600.0


class Exercise:
    """The tab `build` on a page of its own; `values` are what its components hold, by their `elem_id`."""

    def __init__(self, build: Callable[[Lab], None], tab: str, folder: Path, model: str) -> None:
        self.lab = Lab(folder)
        with gr.Blocks() as self.page:
            self.lab.openers[tab] = gr.Button("Opened", elem_id="opened")
            build(self.lab)
        self.by_name = {item.elem_id: item for item in self.page.blocks.values() if getattr(item, "elem_id", None)}
        self.values: dict[int, Any] = {}
        self.set(**{f"{tab}_model": model})

    def close(self) -> None:
        self.lab.close()

    def set(self, **values: Any) -> None:
        """Put values into components (`_` for `-` in their names) without any listener being called."""
        for name, value in values.items():
            self.values[self.by_name[name.replace("_", "-")]._id] = value

    def get(self, name: str) -> Any:
        """What a component holds: a plotly figure, a text, a number."""
        return self.value(self.by_name[name])

    def section(self, name: str) -> Any:
        """The foldable section that something stands in."""
        found = self.by_name[name]
        while not isinstance(found, gr.Accordion) or not str(found.elem_id).startswith("section-"):
            found = found.parent
        return found

    def settings(self, button: str) -> dict[str, tuple[Any, Any]]:
        """The controls that a button's listener is given, with what they hold: those that the page itself sets, not
        the ones that are filled with what was trained."""
        (listener,) = self._listeners(self.by_name[button], "click")
        known = [item for item in listener.inputs if isinstance(item, controls.CONTROLS)]
        return {controls.name(item): (item, self.value(item)) for item in known if item.value not in (None, [])}

    def value(self, item: Any) -> Any:
        found = self.values.get(item._id, getattr(item, "value", None))
        return found() if callable(found) else found

    def _listeners(self, item: Any, event: str) -> list[Any]:
        """Those that answer on the server; the page's own scripts have others."""
        return [fn for fn in self.page.fns.values() if fn.fn and (item._id, event) in fn.targets]

    def _call(self, listener: Any) -> None:
        given = listener.fn(*[self.value(item) for item in listener.inputs])
        outputs = list(listener.outputs)
        results = list(given) if len(outputs) != 1 else [given[0] if isinstance(given, list | tuple) else given]
        for item, value in zip(outputs, results, strict=True):
            self._take(item, value)

    def _take(self, item: Any, value: Any) -> None:
        told = isinstance(value, dict) and value.get("__type__") == "update"
        if told and "value" not in value:
            self.values.setdefault(item._id, self.value(item))
            changed = {name: one for name, one in value.items() if name != "__type__"}
            for name, one in changed.items():
                setattr(item, name, one)
        elif isinstance(value, gr.blocks.Block):
            for name, one in value.constructor_args.items():
                if name == "value":
                    self.values[item._id] = one
                else:
                    setattr(item, name, one)
        else:
            self.values[item._id] = value["value"] if told else value

    def change(self, name: str, value: Any) -> None:
        """Move a control: the listeners of its change, or of its input, answer."""
        item = self.by_name[name]
        self.values[item._id] = value
        for event in ("input", "change"):
            for listener in self._listeners(item, event):
                self._call(listener)

    def open(self) -> None:
        """The tab is opened, and each of its sections unfolded."""
        folds = [item for item in self.page.blocks.values() if isinstance(item, gr.Accordion)]
        for item, event in [(self.by_name["opened"], "click"), *((fold, "expand") for fold in folds)]:
            for listener in self._listeners(item, event):
                self._call(listener)

    def _followed(self) -> list[Any]:
        """What has listeners of its change."""
        numbers = {number for fn in self.page.fns.values() for number, event in fn.targets if event == "change"}
        return [self.page.blocks[number] for number in numbers]

    def _settle(self, before: dict[int, Any]) -> None:
        """Call the listeners of what has changed, and of what they change, as the page does."""
        for _ in range(4):
            moved = [item for item in self._followed() if self.value(item) != before[item._id]]
            before = {item._id: self.value(item) for item in self._followed()}
            for item in moved:
                for listener in self._listeners(item, "change"):
                    self._call(listener)

    def press(self, name: str) -> str:
        """Press a button that measures and look at its work until it is over; the sentence beside it."""
        (listener,) = self._listeners(self.by_name[name], "click")
        self._call(listener)
        timer = next(item for item in listener.outputs if isinstance(item, gr.Timer))
        stop = self.by_name[f"{name}-stop"]
        (tick,) = self._listeners(timer, "tick")
        before = {item._id: self.value(item) for item in self._followed()}
        began = time.monotonic()
        while stop.interactive:
            assert time.monotonic() - began < PATIENCE, self.get(f"{name}-said")
            time.sleep(0.05)
            self._call(tick)
        self._settle(before)
        return str(self.get(f"{name}-said"))

    def figure(self, name: str) -> go.Figure:
        """The figure of that name. Fails with its words if there is a sentence instead."""
        found = self.get(name)
        assert isinstance(found, go.Figure), found
        return found
