"""The lab behind the page: the store of runs, the queue and the chat, made once and shared by every visitor."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from lab.runs import Runs
from lab.training.jobs import Jobs
from lab.ui.lesson import FOLDED

if TYPE_CHECKING:
    from lab.chat.engine import Engine
    from lab.ui.bench.live import Trails
    from lab.ui.component import Widget

log = logging.getLogger(__name__)


class Lab:
    """Made from the folder of runs; `close` stops what trains and keeps what was learned.

    torch and peft are not imported until `warm_up` has run (or somebody needs them), so that the page is served
    at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = Runs(folder)
        self.jobs = Jobs(self.runs)
        self.warm = threading.Event()
        #: The bench's form, once the page is built; its value's "plan" is the plan in it.
        self.form: Widget | None = None
        self.openers: dict[str, gr.Button] = {}
        #: By tab, the choice of a model that follows the bench's (`lab.ui.exhibits.parts.follow_the_bench`).
        self.followers: dict[str, gr.Dropdown] = {}

    @cached_property
    def trails(self) -> Trails:
        from lab.ui.bench.live import Trails

        return Trails()

    @cached_property
    def engine(self) -> Engine:
        from lab.chat.engine import Engine

        return Engine(self.runs)

    def opened(self, tab: str, work: Callable[..., Any], inputs: Any = None, outputs: Any = None) -> None:
        """Call `work` each time a person comes to see it: for what is too heavy to be made with the page."""
        self.seen(tab)(work, inputs, outputs, show_progress="hidden", api_visibility="private")

    def seen(self, tab: str) -> Any:
        """The event of what is being built coming into sight: its section is unfolded, or its tab opened."""
        folded = FOLDED.get()
        return self.openers[tab].click if folded is None else folded.expand

    @property
    def uploads(self) -> Path:
        """Where uploaded data is kept: a plan names the file, so it must outlive the page."""
        place = self.folder / "uploads"
        place.mkdir(exist_ok=True)
        return place

    def warm_up(self) -> threading.Thread:
        """Import what training needs, on a thread of its own; the thread is returned."""
        thread = threading.Thread(target=self._import, name="warm-up", daemon=True)
        thread.start()
        return thread

    def _import(self) -> None:
        try:
            import peft  # noqa: F401
            import torch  # noqa: F401
            import transformers  # noqa: F401
        except Exception:
            log.exception("torch, transformers or peft cannot be imported")
        finally:
            self.warm.set()

    def close(self) -> None:
        self.jobs.close()
