"""The lab behind the page: the store of runs, the queue and the chat, made once.

In a shared lab (`limits`) `runs`, `jobs`, `engine` and `uploads` are those of the visitor whose request is in course:
a handler cannot reach what belongs to another, and one that no visitor is known for reaches nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from lab import access
from lab.compat.gradio import cache_file
from lab.hosting import zero
from lab.hosting.accounts import Accounts
from lab.hosting.limits import Limits
from lab.models import libraries
from lab.runs import Runs
from lab.training.jobs import Jobs, local
from lab.ui.lesson import FOLDED
from lab.ui.listeners import listen
from lab.ui.pushes import Pushes
from lab.ui.trails import Trails
from lab.ui.visitor import Served, visitor

if TYPE_CHECKING:
    from lab.chat.engine import Engine
    from lab.hosting.owner import Overview, Owner
    from lab.hosting.visitors import Visitors
    from lab.ui.component import Widget

log = logging.getLogger(__name__)


class Lab:
    """Made from the folder of runs; `close` stops what trains and keeps what was learned.

    torch and peft are not imported until `warm_up` has run (or somebody needs them), so that the page is served
    at once.
    """

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder, self.limits = folder, limits
        self.runs = Runs(folder)
        trainer = zero.trainer() if zero.asked_for() else local
        self.jobs = Jobs(self.runs, trainer, limits.seconds if limits else float("inf"))
        self.trails, self.pushes = Trails(), Pushes()
        self.served = Served(folder / "served" if limits else None)
        #: Who has signed in; nobody ever does in a lab of one's own.
        self.accounts = Accounts()
        #: Whether one can sign in: set where the page is launched.
        self.signing = False
        #: Who may see the owner's page, and what is on it; a lab of one's own has none.
        self.owner: Owner | None = None
        self.overview: Overview | None = None
        self.visitors: Visitors | None = None
        if limits:
            self._share(limits)
        self.warm = threading.Event()
        #: The bench's form, once the page is built; its value's "plan" is the plan in it.
        self.form: Widget | None = None
        self.openers: dict[str, gr.Button] = {}
        #: By tab, the choice of a model that follows the bench's (`lab.ui.exhibits.parts.follow_the_bench`).
        self.followers: dict[str, gr.Dropdown] = {}

    @cached_property
    def trails(self) -> Trails:

        return Trails()

    @cached_property
    def pushes(self) -> Pushes:

        return Pushes()

    @cached_property
    def engine(self) -> Engine:
        from lab.chat.engine import Engine

        return Engine(self.runs, keep=3 if self.limits else 4)  # strangers' bases fill the memory beside a training

    def token(self) -> str:
        """The token of the Hub of whoever asks, "" for none; in a shared lab their account's, never the machine's.

        Raises LabError if they have not signed in, or too long ago.
        """
        if self.limits:
            return self.accounts.token(visitor())
        from huggingface_hub import get_token

        return get_token() or ""

    def serve(self, file: Path) -> dict[str, str]:
        """A copy of the file that whoever asks may fetch: its path on this server and its name."""
        path = cache_file(file)
        if self.limits:
            self.served.offer(path, access.owner(), self.limits.disk // 4)
        return {"path": path, "name": file.name}

    def opened(self, tab: str, work: Callable[..., Any], inputs: Any = None, outputs: Any = None) -> None:
        """Call `work` each time a person comes to see it: for what is too heavy to be made with the page."""
        listen(self.seen(tab), work, inputs, outputs)

    def seen(self, tab: str) -> Any:
        """The event of what is being built coming into sight: its section is unfolded, or its tab opened."""
        folded = FOLDED.get()
        return self.openers[tab].click if folded is None else folded.expand

    @property
    def uploads(self) -> Path:
        """Where uploaded data is kept: a plan names the file, so it must outlive the page."""
        place = self.folder / "uploads" / access.owner()
        place.mkdir(parents=True, exist_ok=True)
        return place

    @property
    def comparisons(self) -> Path:
        """Where comparisons are kept."""
        return self.folder / "comparisons" / access.owner()

    def _share(self, limits: Limits) -> None:
        """Make this the lab of many: from here on everything is asked for by somebody."""
        from lab.hosting.own import OwnJobs, OwnRuns
        from lab.hosting.owner import Overview
        from lab.hosting.rules import Shared
        from lab.hosting.visitors import Visitors

        places = (self.folder / "uploads", self.folder / "comparisons")
        every, self.runs = self.runs, OwnRuns(self.runs, limits, places)
        all_jobs, self.jobs = self.jobs, OwnJobs(self.jobs, self.runs)
        self.visitors = Visitors(self.folder / "visitors", every, limits, places, self.folder / "served")
        self.visitors.start()
        self.overview = Overview(self.folder, every, all_jobs, self.visitors, limits)
        logging.getLogger().addHandler(self.overview.faults)
        self._before = access.use(Shared(limits, places[0], visitor, self.accounts))

    def warm_up(self) -> threading.Thread:
        """Import what training needs, on a thread of its own; the thread is returned."""
        thread = threading.Thread(target=self._import, name="warm-up", daemon=True)
        thread.start()
        return thread

    def _import(self) -> None:
        try:
            libraries.load()
        except Exception:
            log.exception("torch, transformers or peft cannot be imported")
        finally:
            self.warm.set()

    def close(self) -> None:
        self.jobs.close()
        if self.visitors:
            self.visitors.close()
        if self.overview:
            logging.getLogger().removeHandler(self.overview.faults)
            access.use(self._before)
