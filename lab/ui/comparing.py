"""What the page's script of the comparison may ask: build, run, look, take away. Each answer is plain JSON."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lab.compare import report
from lab.compare.comparison import Comparison, Comparisons
from lab.compare.export import export
from lab.compare.files import save
from lab.compare.grid import Member, expand, foresee
from lab.compare.pace import seconds, speed
from lab.compare.recommend import GOALS, recommend
from lab.compare.results import QUANTITIES, Outcome, arms, table
from lab.compare.runner import Runner
from lab.compare.spec import MOST, Protocol, Spec, parse, write
from lab.compare.verdict import verdict
from lab.errors import LabError
from lab.events import DONE
from lab.knobs import knobs
from lab.methods import METHODS
from lab.plan import WEIGHTS, Data, Plan
from lab.plots import choices, compare, gallery
from lab.runs import Run, readable
from lab.server.schema import Empty
from lab.ui import guard
from lab.ui.comparison_requests import (
    AdviseRequest,
    AnyPicture,
    BesideRequest,
    ComparisonRequest,
    ControlRequest,
    ExportRequest,
    ReadRequest,
    SpecRequest,
)
from lab.ui.lab import Lab


class Comparing:
    """The comparisons of a lab: those in its folder, and the runner of each that was started here."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.runners: dict[str, Runner] = {}
        self._stores: dict[Path, Comparisons] = {}

    @property
    def store(self) -> Comparisons:
        """The comparisons of whoever asks."""
        folder = self.lab.comparisons
        return self._stores.setdefault(folder, Comparisons(folder, self.lab.runs))

    # -- building ---------------------------------------------------------------------------------

    def offer(self, request: Empty) -> dict[str, Any]:
        """What can be chosen: models, data, methods with their settings, precisions, the protocol's knobs."""
        from lab.data import catalogue as data
        from lab.models import catalogue as models

        embedded = data.datasets()
        sources = sorted(self._sources() - set(embedded))
        used = [{"name": source, "title": f"{Path(source).name}, as in a run"} for source in sources]
        return {
            "models": [{"name": card.name, "title": card.title} for card in models.models().values()],
            "data": [*({"name": card.name, "title": card.title} for card in embedded.values()), *used],
            "model": Plan.model,
            "source": Data().source,
            "methods": [
                {
                    "key": key,
                    "title": item.title,
                    "family": item.family,
                    "colour": compare.hue(key),
                    "settings": [{"name": knob.name, "label": knob.label} for knob in knobs(item.Settings)],
                }
                for key, item in METHODS.items()
            ],
            "precisions": list(WEIGHTS),
            "protocol": {
                knob.name: {"label": knob.label, "help": knob.help, "default": knob.default, "choices": knob.choices}
                for knob in knobs(Protocol)
            },
            "quantities": {name: title for name, (title, *_) in QUANTITIES.items()},
            "shown": compare.SHOWN,
            "along": compare.ALONG,
            "goals": GOALS,
        }

    def _finished(self, model: str) -> Iterator[Run]:
        """The finished runs of a model, newest first."""
        return self.lab.runs.where(lambda row: row["model"] == model, status=DONE)

    def _sources(self) -> set[str]:
        """The data of the runs that are there: uploads, and what came from the Hub."""
        return {row["data"] for row in self.lab.runs.rows() if readable(row)}

    def _members(self, spec: Spec) -> tuple[Member, ...]:
        """The members that a spec means. Raises LabError for more than this lab allows."""
        most = self.lab.limits.members if self.lab.limits else MOST
        return expand(spec, lambda run: self.lab.runs.get(run).plan, most)

    def foresee(self, request: SpecRequest) -> dict[str, Any]:
        """What a comparison will run: its arms with parameters and memory, what cannot run and why, and how long."""
        spec = Spec.from_dict(request["spec"])
        seen = foresee(self._members(spec))
        rows: dict[str, dict[str, Any]] = {}
        for item in seen:
            row = rows.setdefault(
                item.member.arm,
                {
                    "arm": item.member.arm,
                    "colour": compare.hue(item.member.plan.method),
                    "seeds": 0,
                    "trainable": item.trainable,
                    "share": item.trainable / item.total if item.total else None,
                    "memory": item.memory.total,
                    "reason": f"{item.reason.message} {item.reason.hint}".strip() if item.reason else "",
                },
            )
            row["seeds"] += 1
        able = [item for item in seen if not item.reason and not item.member.run]
        return {
            "arms": list(rows.values()),
            "members": len(seen),
            "able": len(able),
            "given": sum(bool(item.member.run) for item in seen),
            "peak": max((item.memory.total for item in able), default=0),
            "seconds": seconds(able, spec.protocol, speed(self._finished(spec.model), spec.model)),
        }

    def read(self, request: ReadRequest) -> dict[str, Any]:
        """A file's text as a comparison."""
        return parse(request["text"]).to_dict()

    def write(self, request: SpecRequest) -> str:
        """A comparison as the text of a file."""
        return write(Spec.from_dict(request["spec"]))

    def launch(self, request: SpecRequest) -> str:
        """Make the comparison and start it; its id."""
        spec = Spec.from_dict(request["spec"])
        self._members(spec)
        if self.lab.limits and len(self.store.all()) >= self.lab.limits.runs:
            raise LabError("You have as many comparisons as this shared lab keeps.", "Delete some.")
        made = self.store.create(spec)
        if made.waiting:
            self._runner(made).start()
        return made.id

    # -- running ----------------------------------------------------------------------------------

    def _runner(self, comparison: Comparison) -> Runner:
        if comparison.id not in self.runners:
            self.runners[comparison.id] = Runner(comparison, self.lab.jobs)
        return self.runners[comparison.id]

    def _state(self, comparison: Comparison) -> str:
        runner = self.runners.get(comparison.id)
        if runner and runner.alive:
            return "paused" if runner.paused else "running"
        return "waiting" if comparison.waiting else "done"

    def every(self, request: Empty) -> list[dict[str, Any]]:
        """The list of comparisons, newest first."""
        return [
            {
                "id": item.id,
                "name": item.name,
                "state": self._state(item),
                "members": len(item.members),
                "waiting": len(item.waiting),
            }
            for item in self.store.all()
        ]

    def control(self, request: ControlRequest) -> None:
        """Start, pause, stop or delete a comparison; move a member, or run it again."""
        comparison, action, key = self.store.get(request["id"]), request["action"], request.get("key", "")
        runner = self._runner(comparison)
        if action == "delete":
            if runner.alive:
                raise LabError(f"'{comparison.name}' is being run.", "Stop it first.")
            self.runners.pop(comparison.id, None)
            return self.store.delete(comparison.id)
        actions: dict[str, Callable[[], None]] = {
            "start": runner.start,
            "pause": runner.pause,
            "stop": runner.stop,
            "move": lambda: comparison.move(key, request.get("place", 0)),
            "again": lambda: comparison.again(key),
        }
        actions[action]()
        if action == "again":
            runner.start()
        return None

    # -- looking ----------------------------------------------------------------------------------

    def open(self, request: ComparisonRequest) -> dict[str, Any]:
        """Everything of a comparison but its pictures."""
        comparison = self.store.get(request["id"])
        outcomes = comparison.outcomes()
        runner = self.runners.get(comparison.id)
        error = runner.error if runner else None
        looks = compare.looks(arms(outcomes))
        rows = table(arms(outcomes))
        for row in rows:
            row["colour"] = looks[row["arm"]]["colour"]
            row["words"] = {name: cell and _words(name, cell) for name, cell in row["cells"].items()}
        return {
            "id": comparison.id,
            "name": comparison.name,
            "state": self._state(comparison),
            "doing": runner.doing if runner and runner.alive else "",
            "current": runner.current if runner and runner.alive else "",
            "error": {"message": error.message, "hint": error.hint} if error else None,
            "protocol": report.protocol(comparison),
            "members": [_member(item) for item in outcomes],
            "waiting": comparison.waiting,
            "verdict": [{"kind": item.kind, "text": item.text} for item in verdict(outcomes)],
            "rows": rows,
            "columns": [name for name in QUANTITIES if any(row["cells"].get(name) for row in rows)],
            "varied": choices.varied(outcomes),
            "replies": _replies(outcomes),
            "spec": comparison.spec.to_dict(),
            "stamp": "".join(f"{item.status[0]}{item.steps}." for item in outcomes),
        }

    def picture(self, request: AnyPicture) -> dict[str, Any] | None:
        """One picture as plotly's JSON; None where nothing was measured for it. `only` keeps these arms."""
        comparison = self.store.get(request["id"])
        outcomes, kind, options = comparison.outcomes(), request["kind"], dict(request.get("options", {}))
        if only := request.get("only"):
            outcomes = [item for item in outcomes if item.arm in only]
        pictures: dict[str, Callable[..., Any]] = {
            "overlay": compare.overlay,
            "pareto": compare.pareto,
            "scores": compare.scores,
            "ledger": compare.ledger,
            "heat": choices.heat,
            "parallel": choices.parallel,
        }
        drawn = pictures[kind](outcomes, **options)
        return json.loads(drawn.to_json()) if drawn is not None and drawn.data else None

    def layers(self, request: ComparisonRequest) -> dict[str, Any] | None:
        """Where each arm changed the base, by layer, measured from its first run's adapter."""
        from lab.compare.where import changes
        from lab.plots.layers import layers

        comparison = self.store.get(request["id"])
        found = changes([(arm.name, arm.first.method, arm.complete[0].run) for arm in arms(comparison.outcomes())
                         if arm.complete and arm.complete[0].run], self.lab.runs)  # fmt: skip
        if not found:
            raise LabError("No completed member changes the base's matrices.", "LoRA and full fine-tuning do.")
        return json.loads(layers(found, compare.looks(arms(comparison.outcomes()))).to_json())

    # -- taking away ------------------------------------------------------------------------------

    def export(self, request: ExportRequest) -> dict[str, str]:
        """A file of the comparison: the report, the figures, its own file or peft's result schema."""
        comparison = self.store.get(request["id"])
        made = {
            "report": ("report.html", lambda: gallery.document(comparison)),
            "csv": ("results.csv", lambda: report.results_csv(comparison.outcomes())),
            "yaml": ("comparison.yaml", lambda: comparison.yaml),
            "peft": ("peft-results.json", lambda: json.dumps(export(comparison), indent=1)),
        }
        name, text = made[request["what"]]
        return self._served(name, text())

    def _served(self, name: str, text: str) -> dict[str, str]:
        """The path, on this server, of a file that the page may fetch."""
        with tempfile.TemporaryDirectory() as folder:
            return self.lab.serve(save(Path(folder) / name, text))

    def beside(self, request: BesideRequest) -> None:
        """Show published figures beside the own ones; an empty text takes them away."""
        self.store.get(request["id"]).beside(request["text"])

    def advise(self, request: AdviseRequest) -> list[dict[str, Any]]:
        """Methods in order for a machine, a model and a goal."""
        from lab.models import loading, precision

        shape = loading.shape(request["model"], request.get("task", "generate"), 2)
        own = [item for made in self.store.all() for item in made.outcomes() if item.model == request["model"]]
        memory = int(request["memory"] * 2**30)
        found = recommend(shape, memory, request["goal"], measured=own, where=precision.device())
        return [vars(item) | {"colour": compare.hue(item.method)} for item in found]

    # -- for the page -----------------------------------------------------------------------------

    #: The closed list of what a browser may ask.
    SERVICES = ("offer", "foresee", "read", "write", "launch", "every", "control", "open", "picture", "layers",
                "export", "beside", "advise")  # fmt: skip

    def functions(self) -> list[Callable[[Any], dict[str, Any]]]:
        """The services as Gradio's server functions."""
        return [guard.service(getattr(self, name)) for name in self.SERVICES]


def _words(name: str, cell: Mapping[str, Any]) -> dict[str, Any]:
    spread = compare.said(name, cell["deviation"]) if cell["deviation"] else ""
    return {"mean": compare.said(name, cell["mean"]), "spread": spread, "best": cell["best"], "value": cell["mean"]}


def _member(item: Outcome) -> dict[str, Any]:
    names = ("key", "arm", "label", "status", "run", "reason", "marks", "score", "steps", "seed")
    return {name: getattr(item, name) for name in names} | {"colour": compare.hue(item.method)}


def _replies(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """Each sample prompt with the base's reply and that of every arm's first seed."""
    found: dict[str, list[list[str]]] = {}
    for arm in arms(outcomes):
        for prompt, base, reply in arm.first.replies:
            found.setdefault(prompt, [["The base", base]]).append([arm.name, reply])
    return [{"prompt": prompt, "replies": replies} for prompt, replies in found.items()]
