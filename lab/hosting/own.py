"""A visitor's view of the runs and of the queue: what belongs to others is not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lab import access
from lab.errors import LabError
from lab.hosting.limits import Limits
from lab.hosting.rules import permit
from lab.knobs import brief
from lab.plan import Plan
from lab.runs import Row, Run, Runs, Wanted, size
from lab.training.jobs import Jobs


class OwnRuns(Runs):
    """The runs of whoever asks. Others' do not exist for them: the answer is the same as for an id that is none."""

    def __init__(self, every: Runs, limits: Limits, places: tuple[Path, ...] = ()) -> None:
        self.every, self.folder, self.limits, self.places = every, every.folder, limits, places

    def room(self) -> int:
        """Bytes that whoever asks has left. Raises LabError if there is no place for another run."""
        mine = self.rows()
        if len(mine) >= self.limits.runs:
            raise LabError(f"You have {len(mine)} runs, as many as this shared lab keeps.", "Delete some.")
        left = self.limits.disk - used(access.owner(), mine, self.places)
        if left <= 0:
            raise LabError("Your runs and files take as much of the disk as they may.", "Delete some.")
        return left

    def create(self, plan: Plan, owner: str = "", name: str = "") -> Run:
        self.room()
        return self.every.create(plan, access.owner(), name)

    def get(self, run_id: str) -> Run:
        run = self.every.get(run_id)
        if run.owner != access.owner():
            raise LabError(f"There is no run '{brief(run_id)}'.", "See the list of runs.")
        return run

    def rows(self, wanted: Wanted | None = None) -> list[Row]:
        return self.every.rows(_mine(wanted))

    def where(self, wanted: Wanted | None = None, **values: Any) -> Iterator[Run]:
        return self.every.where(_mine(wanted), **values)

    def all(self, owner: str | None = None) -> list[Run]:
        return self.every.all(access.owner())

    def hand_over(self, before: str, after: str) -> None:
        raise LabError("A run is its owner's.", "Sign in, and your runs go with you.")

    def delete(self, run_id: str) -> None:
        self.every.delete(self.get(run_id).id)


class OwnJobs(Jobs):
    """The queue as one visitor may use it: their own runs, within the limits. The thread is the shared queue's."""

    runs: OwnRuns

    def __init__(self, every: Jobs, runs: OwnRuns) -> None:
        self.every, self.runs, self.limits = every, runs, runs.limits

    def submit(self, plan: Plan, owner: str = "", name: str = "") -> Run:
        self._turn()
        permit(plan, self.limits, self.runs.room())
        return self.every.submit(plan, access.owner(), name)

    def continue_(self, run_id: str, accept_changes: bool = False) -> Run:
        run = self.runs.get(run_id)
        self._turn()
        permit(run.plan, self.limits, self.limits.disk)
        return self.every.continue_(run.id, accept_changes)

    def _turn(self) -> None:
        if self.every.count(access.owner()) >= self.limits.waiting:
            raise LabError(
                f"{self.limits.waiting} runs of yours are in the queue, as many as may be.",
                "Wait for one, or stop it.",
            )

    def place(self, run_id: str) -> int | None:
        return self.every.place(self.runs.get(run_id).id)

    def expected(self, run_id: str) -> float | None:
        return self.every.expected(self.runs.get(run_id).id)

    def paused(self, run_id: str) -> bool:
        return self.every.paused(self.runs.get(run_id).id)

    def stopping(self, run_id: str) -> bool:
        return self.every.stopping(self.runs.get(run_id).id)

    def stop(self, run_id: str) -> None:
        self.every.stop(self.runs.get(run_id).id)

    def withdraw(self, run_id: str) -> None:
        self.every.withdraw(self.runs.get(run_id).id)

    def pause(self, run_id: str) -> None:
        raise LabError("A paused run would hold up everybody.", "Stop it: it can go on later.")

    def resume(self, run_id: str) -> None:
        self.every.resume(self.runs.get(run_id).id)

    def wait(self, run_id: str, timeout: float | None = None) -> bool:
        return self.every.wait(self.runs.get(run_id).id, timeout)

    def waiting(self) -> list[str]:
        """All ids in line: how long it is may be seen, and an id opens nothing."""
        return self.every.waiting()

    @property
    def closed(self) -> bool:
        return self.every.closed

    def close(self, timeout: float = 30.0) -> None:
        self.every.close(timeout)


def _mine(wanted: Wanted | None) -> Wanted:
    """Whether a row is wanted and belongs to whoever asks."""
    owner = access.owner()
    return lambda row: row["owner"] == owner and (wanted is None or wanted(row))


def used(owner: str, runs: Sequence[Row], places: tuple[Path, ...]) -> int:
    """Bytes on the disk of these runs and of the owner's folders in `places`."""
    return sum(row["disk"] for row in runs) + sum(size(place / owner) for place in places)
