"""A shared lab without a server, and its visitors: services and listeners are called as Gradio calls them."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.context import LocalContext
from gradio.events import EventData
from gradio.state_holder import SessionState
from gradio.utils import get_upload_folder

from lab.compare.comparison import BESIDE, FILE
from lab.events import DONE, Evaluated, Event, Finished, Memory, Sample, Started, Step, to_line
from lab.hosting.limits import Limits
from lab.plan import GENERATE, Plan
from lab.runs import Run
from lab.ui import visitor
from lab.ui.app import build
from lab.ui.lab import Lab
from tests.hosting.visitor_plan import short

#: Stands in everything that is Ann's.
MARK = "kestrel-4711"


def trainer(plan: Plan, stop: threading.Event, folder: Path, resume: bool) -> Iterator[Event]:
    """Instead of a training: it is over at once."""
    yield Finished(DONE, 0.0)


def history(name: str) -> list[Event]:
    """What a short training would have written."""
    memory = Memory(10, 2, 2, 4, 5, 23)
    return [
        Started(4, 13_000_000, 9_000, "generate", "exact_match", "cpu", 100, 20),
        Evaluated(0, 3.0, 0.1, general=1.5, base=True, seconds=1.0),
        Sample(0, "Who?", "Nobody.", base=True),
        *(Step(n, 3.0 / n, 1e-3, 1.0, 50, n / 2, memory) for n in range(1, 5)),
        Evaluated(4, 1.0, 0.5, general=1.6, seconds=1.0),
        Sample(4, "Who?", f"I am {name}."),
        Finished(DONE, 2.0),
    ]


def adapter(run: Run) -> None:
    """What the run's method saves, with random numbers for what it would have learned."""
    import torch

    from lab import methods
    from lab.insight.weights import whole
    from lab.models import loading

    method, settings = methods.method(run.plan.method), methods.settings(run.plan)
    shape = loading.shape(run.plan.model, GENERATE)
    model = method.apply(whole(run.plan, GENERATE, 2), settings, shape)
    with torch.no_grad():
        for item in model.parameters():
            if item.requires_grad:
                item.normal_(0, 0.02, generator=torch.Generator().manual_seed(0))
    method.save(model, run.folder / "adapter")


@dataclass
class Person:
    """A visitor with a run, a comparison and an upload."""

    lab: Lab
    secret: str = field(default_factory=visitor.new)
    run: str = ""
    comparison: str = ""
    upload: str = ""

    @property
    def owner(self) -> str:
        return visitor.hashed(self.secret)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Within the context, this visitor's request is answered on this thread."""
        request = SimpleNamespace(cookies={visitor.COOKIE: self.secret})
        token = LocalContext.request.set(request)  # type: ignore[arg-type]
        try:
            yield
        finally:
            LocalContext.request.reset(token)


class Strangers:
    """The lab, its page and two visitors. Ann asks nothing; Bob asks for everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lab = Lab(folder / "runs", Limits(waiting=3, runs=12, members=6, steps=50))
        self.page: gr.Blocks = build(self.lab)
        self.services = {name: (key, fn) for key, name, fn in server_functions(self.page)}
        self.ann, self.bob = Person(self.lab), Person(self.lab)
        (folder / "backup").mkdir()

    def close(self) -> None:
        self.lab.close()

    def settle(self, person: Person, name: str) -> None:
        """Give the visitor a run with an adapter, a comparison of it and an upload."""
        with person.asking():
            run = self.lab.runs.create(short(), name=f"run of {name}")
            (run.folder / "events.jsonl").write_text("".join(map(to_line, history(name))), encoding="utf-8")
            adapter(run)
            person.run = run.id
            sent = Path(get_upload_folder()) / person.owner / "rows.jsonl"
            sent.parent.mkdir(parents=True)
            sent.write_text("".join(f'{{"text": "{name} {n}", "label": "{n % 2}"}}\n' for n in range(60)))
            self.lab.served.grant(sent, person.owner)
            person.upload = self.call("keep", {"path": str(sent), "name": sent.name}, person)["ok"]
            spec = {"name": f"comparison of {name}", "runs": [run.id]}
            person.comparison = self.call("comparing.launch", {"spec": spec}, person)["ok"]
            shutil.copytree(run.folder, self.folder / "backup" / run.id)
            shutil.copytree(self.lab.comparisons / person.comparison, self.folder / "backup" / person.comparison)

    def mend(self, person: Person) -> None:
        """Put back what a call has changed or deleted of the visitor's, and remove what it has made."""
        backup = self.folder / "backup"
        with person.asking():
            comparisons, runs = self.lab.comparisons, self.lab.runs.all()
            made = [run for run in runs if run.id != person.run]
            strange = [
                folder.name for folder in comparisons.iterdir() if not same(folder, backup / person.comparison)
            ]
        for name in strange:
            for action in ("stop", "delete"):
                self.call("comparing.control", {"id": name, "action": action}, person)
        with person.asking():
            for run in made:
                self.lab.jobs.wait(run.id, 60)
                self.lab.runs.delete(run.id)
            for folder in (self.lab.runs.folder / person.run, comparisons / person.comparison):
                if not folder.is_dir():
                    shutil.copytree(backup / folder.name, folder)

    def member(self, person: Person) -> str:
        """The key of a member of the visitor's comparison."""
        return str(self.call("comparing.open", {"id": person.comparison}, person)["ok"]["members"][0]["key"])

    @property
    def link(self) -> str:
        return short().to_link()

    @property
    def yaml(self) -> str:
        return "name: Ranks\nmethods:\n- {method: lora, settings: {rank: [2, 8]}}\nseeds: 2\n"

    def call(self, name: str, request: Any, person: Person) -> dict[str, Any]:
        """What a server function answers."""
        with person.asking():
            answer: dict[str, Any] = self.services[name][1](request)
        return answer


class Session:
    """A visitor's tab: what its listeners have changed of the page, as Gradio keeps it on the server."""

    def __init__(self, scene: Strangers, person: Person) -> None:
        self.page, self.person, self.state = scene.page, person, SessionState(scene.page)
        self.runner = asyncio.Runner()

    def component(self, block: Any) -> Any:
        """The component as it stands in this tab."""
        return self.state.blocks_config.blocks[block._id]

    def listen(self, key: int, inputs: list[Any], event: Any = None) -> list[Any]:
        """Every answer of a listener. Raises what Gradio would log, or gr.Error with what it would show."""
        request: Any = SimpleNamespace(cookies={visitor.COOKIE: self.person.secret})

        async def answers() -> list[Any]:
            found, iterator, going = [], None, True
            while going:
                answer = await self.page.process_api(
                    self.page.fns[key], inputs, self.state, request, iterator,
                    event_data=EventData(None, event),
                )  # fmt: skip
                found.append(answer["data"])
                iterator, going = answer["iterator"], answer["is_generating"]
            return found

        return self.runner.run(answers())


def same(folder: Path, backup: Path) -> bool:
    """Whether the folder of a comparison is as it was."""
    if folder.name != backup.name or (folder / BESIDE).exists():
        return False
    return (folder / FILE).read_bytes() == (backup / FILE).read_bytes()


def server_functions(page: gr.Blocks) -> Iterator[tuple[int, str, Callable[[Any], dict[str, Any]]]]:
    """Every function of a component that a browser may call: the component's number, its name, itself."""
    for key, block in page.blocks.items():
        for name in dir(block):
            if getattr(getattr(type(block), name, None), "_is_server_fn", False) or getattr(
                vars(block).get(name), "_is_server_fn", False
            ):
                prefix = "comparing." if getattr(block, "elem_id", "") == "compare" else ""
                yield key, prefix + name, getattr(block, name)


@contextmanager
def strangers(folder: Path) -> Iterator[Strangers]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", "")
        patch.setattr("lab.ui.lab.local", trainer)
        made = Strangers(folder)
        try:
            made.settle(made.ann, MARK)
            made.settle(made.bob, "bob")
            yield made
        finally:
            made.close()
