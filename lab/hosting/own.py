"""A visitor's view of the runs and of the queue: what belongs to others is not there."""

from __future__ import annotations

from pathlib import Path

from lab import access
from lab.errors import LabError
from lab.hosting.limits import Limits
from lab.hosting.rules import permit
from lab.plan import Plan
from lab.runs import Run, Runs
from lab.training.jobs import Jobs


class OwnRuns(Runs):
    """The runs of whoever asks. Others' do not exist for them: the answer is the same as for an id that is none."""

    def __init__(self, every: Runs, limits: Limits, places: tuple[Path, ...] = ()) -> None:
        self.every, self.folder, self.limits, self.places = every, every.folder, limits, places

    def room(self) -> int:
        """Bytes that whoever asks has left. Raises LabError if there is no place for another run."""
        mine = self.all()
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
            raise LabError(f"There is no run '{run_id}'.", "See the list of runs.")
        return run

    def all(self, owner: str | None = None) -> list[Run]:
        return self.every.all(access.owner())

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


def used(owner: str, runs: list[Run], places: tuple[Path, ...]) -> int:
    """Bytes on the disk of these runs and of the owner's folders in `places`."""
    folders = [run.folder for run in runs] + [place / owner for place in places]
    return sum(bytes_in(folder) for folder in folders)


def bytes_in(folder: Path) -> int:
    total = 0
    for file in folder.glob("**/*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:
            continue  # it went meanwhile
    return total
