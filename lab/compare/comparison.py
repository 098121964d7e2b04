"""A comparison's folder: what was asked, which member is which run, and in what order the rest will run.

comparison.json     the file as it was given, the members with their plans and runs, the order, tuned rates
lock                held by the process that runs it

The runs themselves stand in the store of runs, so that a member is opened, asked and kept like any other run.
"""

from __future__ import annotations

import json
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NotRequired

from filelock import FileLock, Timeout
from pydantic import AfterValidator, ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict

from lab import SCHEMA
from lab.compare import published
from lab.compare.files import save
from lab.compare.grid import Member, expand, flat
from lab.compare.results import EXCLUDED, MISSING, WAITING, Outcome, marked, measured
from lab.compare.spec import Spec, write
from lab.errors import LabError
from lab.events import DONE, FAILED
from lab.plan import Plan
from lab.runs import INTERRUPTED, Run, Runs, write_json
from lab.training.fingerprint import contents

FILE = "comparison.json"


#: Published figures that are shown beside the own ones.
BESIDE = "published.txt"


def _readable(read: Callable[[Any], Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A check that `read` accepts a table of plain values."""

    def check(plain: dict[str, Any]) -> dict[str, Any]:
        try:
            read(plain)
        except LabError as error:
            raise ValueError(str(error)) from None
        return plain

    return check


@with_config(ConfigDict(extra="allow"))
class Entry(TypedDict):
    """A member as comparison.json keeps it. A later lab may add keys."""

    key: str
    arm: str
    plan: Annotated[dict[str, Any], AfterValidator(_readable(Plan.from_dict))]
    given: str
    run: str
    reason: NotRequired[str]
    excluded: NotRequired[bool]
    interruptions: NotRequired[int]


@with_config(ConfigDict(extra="allow"))
class State(TypedDict):
    """What comparison.json holds."""

    schema: int
    name: NotRequired[str]
    created: NotRequired[float]
    spec: Annotated[dict[str, Any], AfterValidator(_readable(Spec.from_dict))]
    members: list[Entry]
    order: list[str]
    trials: NotRequired[dict[str, dict[str, str]]]


@cache
def _state() -> TypeAdapter[State]:
    return TypeAdapter(State)


class Comparison:
    """One comparison. Whoever changes its state saves it; a second process that opens it sees the same."""

    def __init__(self, folder: Path, runs: Runs) -> None:
        self.folder, self.runs = folder, runs
        self.id = folder.name
        self._change = threading.RLock()
        self._lock: FileLock | None = None
        self._cache: dict[str, tuple[Any, Outcome]] = {}
        self._shown: tuple[int, list[Outcome]] = (0, [])
        self._state = self._read()

    @classmethod
    def create(cls, folder: Path, spec: Spec, runs: Runs) -> Comparison:
        """Write a new comparison. Raises LabError for a spec without members or a folder that cannot be written."""
        members = expand(spec, lambda run: runs.get(run).plan)
        state = {
            "schema": SCHEMA,
            "name": spec.name,
            "created": time.time(),
            "spec": spec.to_dict(),
            "members": [
                {"key": item.key, "arm": item.arm, "plan": item.plan.to_dict(), "given": item.run, "run": item.run}
                for item in members
            ],
            # Seed after seed, so that a comparison that is stopped early has every arm.
            "order": [item.key for item in sorted(members, key=lambda item: _rank(item, spec)) if not item.run],
            "trials": {},
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / FILE, state)
        except OSError as error:
            raise LabError(f"The comparison cannot be written: {error.strerror}.", "Make room on the disk.") from None
        return cls(folder, runs)

    def _read(self) -> dict[str, Any]:
        try:
            state = json.loads((self.folder / FILE).read_text(encoding="utf-8"))
            if isinstance(state, dict) and isinstance(state.get("schema"), int) and state["schema"] > SCHEMA:
                raise LabError(f"The comparison '{self.id}' was made by a newer lab.", "Update the lab to open it.")
            return dict(_state().validate_python(state))
        except FileNotFoundError:
            raise LabError(f"There is no comparison '{self.id}'.", "It may have been deleted.") from None
        except (OSError, ValueError, RecursionError):  # pydantic's errors are ValueErrors too
            raise LabError(f"{FILE} of the comparison '{self.id}' is damaged.", "Delete the comparison.") from None

    def _save(self) -> None:
        try:
            write_json(self.folder / FILE, self._state)
        except OSError as error:
            raise LabError(
                f"The comparison cannot be saved: {error.strerror}.", "Is its folder still there?"
            ) from None

    # -- what it is -------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return str(self._state.get("name") or self.id)

    @property
    def created(self) -> float:
        return float(self._state.get("created", 0.0))

    @property
    def spec(self) -> Spec:
        return Spec.from_dict(self._state["spec"])

    @property
    def yaml(self) -> str:
        """The file that makes this comparison again."""
        return write(self.spec)

    @property
    def members(self) -> list[Member]:
        return [Member(Plan.from_dict(item["plan"]), item["arm"], item["given"]) for item in self._state["members"]]

    def member(self, key: str) -> Member:
        item = self._entry(key)
        return Member(Plan.from_dict(item["plan"]), item["arm"], item["given"])

    def _entry(self, key: str) -> dict[str, Any]:
        for item in self._state["members"]:
            if item["key"] == key:
                return item
        raise LabError("This member is not in the comparison.", "Open the comparison again.")

    # -- which member is which run ----------------------------------------------------------------

    def run(self, key: str) -> Run | None:
        """The member's run; None if it has none yet. Raises LabError if it was deleted."""
        run = self._entry(key)["run"]
        return self.runs.get(run) if run else None

    def note(self, key: str, **known: Any) -> None:
        """Keep what became of a member: `run`, `reason` (why it cannot run), `excluded`, `interruptions`."""
        with self._change:
            self._entry(key).update(known)
            self._save()

    def get(self, key: str, name: str, default: Any = None) -> Any:
        return self._entry(key).get(name, default)

    def trial(self, arm: str, name: str, run: str | None = None) -> str:
        """The id of a trial run of an arm ("rate 0.001", "speed"); sets it if `run` is given."""
        with self._change:
            known = self._state.setdefault("trials", {}).setdefault(arm, {})
            if run is not None:
                known[name] = run
                self._save()
            return str(known.get(name, ""))

    def again(self, key: str) -> None:
        """Forget the member's run, so that it is run again (the run itself stays)."""
        with self._change:
            entry = self._entry(key)
            entry.update(run="", reason="", excluded=False, interruptions=0)
            if key not in self._state["order"]:
                self._state["order"].append(key)
            self._save()

    # -- the order --------------------------------------------------------------------------------

    @property
    def order(self) -> list[str]:
        """The keys of the members that this comparison runs itself, first to last."""
        return list(self._state["order"])

    def move(self, key: str, place: int) -> None:
        """Put a member at that place among those that still wait (0 is next)."""
        with self._change:
            order = self._state["order"]
            if key not in order:
                raise LabError("This member does not wait.", "Only waiting members can be moved.")
            waits = [item for item in order if item != key and not self.settled(item)]
            order.remove(key)
            before = waits[place] if 0 <= place < len(waits) else None
            order.insert(order.index(before) if before else len(order), key)
            self._save()

    def settled(self, key: str) -> bool:
        """Whether the member needs no more work: done, failed, excluded or deleted."""
        entry = self._entry(key)
        if entry.get("reason"):
            return True
        if not entry["run"]:
            return False
        try:
            return self.runs.get(entry["run"]).status in (DONE, FAILED)
        except LabError:
            return True

    @property
    def waiting(self) -> list[str]:
        return [key for key in self._state["order"] if not self.settled(key)]

    # -- what came of it --------------------------------------------------------------------------

    def outcomes(self) -> list[Outcome]:
        """Every member's figures, with what keeps it from being compared."""
        protocol = self.spec.protocol
        found = [self._outcome(item) for item in self._state["members"]]
        beside = self._beside()
        if all(item["given"] for item in self._state["members"]):  # runs that were never under one protocol
            steps = [item.steps for item in found if item.complete]
            return marked([*found, *beside], "steps", max(steps, key=steps.count) if steps else 0)
        return marked([*found, *beside], protocol.budget, protocol.amount)

    def beside(self, text: str) -> None:
        """Show published figures (`lab.compare.published`) beside the own ones; none for an empty text.

        Raises LabError for a text that holds none.
        """
        file = self.folder / BESIDE
        if not text:
            file.unlink(missing_ok=True)
            return
        published.parse(text)
        save(file, text)

    def _beside(self) -> list[Outcome]:
        file = self.folder / BESIDE
        if not file.is_file():
            return []
        stamp = file.stat().st_mtime_ns
        if self._shown[0] != stamp:
            self._shown = (stamp, published.read(file))
        return self._shown[1]

    def _outcome(self, entry: dict[str, Any]) -> Outcome:
        plan = Plan.from_dict(entry["plan"])
        known = {
            "key": entry["key"],
            "arm": entry["arm"],
            "method": plan.method,
            "seed": plan.seed,
            "label": f"{entry['arm']}, seed {plan.seed}",
            "model": plan.model,
            "data": plan.data.source,
            "choices": flat(plan),
        }
        reason = str(entry.get("reason", ""))
        if not entry["run"]:
            return Outcome(status=EXCLUDED if reason else WAITING, reason=reason, **known)
        try:
            run = self.runs.get(entry["run"])
            status = run.status
            if reason and status == INTERRUPTED:
                status = FAILED
            log = run.folder / "events.jsonl"
            stamp = (entry["run"], status, log.stat().st_size if log.exists() else 0)
            if self._cache.get(entry["key"], (None,))[0] != stamp:
                known |= {"choices": flat(run.plan), "contents": contents(run)}
                made = measured(run.history(), status, run.bytes, plan.training.reply_rows, run=run.id, **known)
                self._cache[entry["key"]] = (stamp, made)
            made = self._cache[entry["key"]][1]
        except LabError as error:
            return Outcome(status=MISSING, reason=f"{error.message} {error.hint}".strip(), **known)
        return Outcome(**{**vars(made), "reason": reason}) if reason else made

    def plain(self) -> dict[str, Any]:
        """All figures as plain values (curves left out), for `--json` and files."""
        rows = []
        for item in self.outcomes():
            row = asdict(item)
            for name in ("curve", "replies"):
                row.pop(name)
            rows.append(row | {"share": item.share})
        return {"comparison": self.name, "spec": self.spec.to_dict(), "members": rows}

    # -- who is at it -----------------------------------------------------------------------------

    def claim(self) -> None:
        """Hold the comparison for this process. Raises LabError if another runs it."""
        lock = FileLock(self.folder / "lock", thread_local=False)  # one thread claims, another releases
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise LabError(f"'{self.name}' is being run already.", "Wait for it, or stop it there.") from None
        self._lock = lock

    def release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _rank(member: Member, spec: Spec) -> int:
    return spec.seeds.index(member.plan.seed) if member.plan.seed in spec.seeds else len(spec.seeds)


class Comparisons:
    """All comparisons of a folder, opened once each."""

    def __init__(self, folder: Path, runs: Runs) -> None:
        self.folder, self.runs = folder, runs
        self._known: dict[str, Comparison] = {}

    def create(self, spec: Spec) -> Comparison:
        name = time.strftime("%Y%m%d-%H%M%S") + "-" + secrets.token_hex(3)
        made = Comparison.create(self.folder / name, spec, self.runs)
        self._known[made.id] = made
        return made

    def get(self, name: str) -> Comparison:
        if name in ("", "..") or Path(name).name != name:
            raise LabError(f"There is no comparison '{name}'.", "See the list of comparisons.")
        if name not in self._known or not (self.folder / name / FILE).is_file():
            self._known.pop(name, None)
            self._known[name] = Comparison(self.folder / name, self.runs)
        return self._known[name]

    def all(self) -> list[Comparison]:
        """Those that can be read, newest first."""
        found = []
        for file in sorted(self.folder.glob(f"*/{FILE}"), reverse=True):
            try:
                found.append(self.get(file.parent.name))
            except LabError:
                continue
        return sorted(found, key=lambda item: -item.created)

    def delete(self, name: str) -> None:
        """Remove a comparison; its runs stay."""
        folder = self.get(name).folder
        shutil.rmtree(folder, ignore_errors=True)
        self._known.pop(name, None)
