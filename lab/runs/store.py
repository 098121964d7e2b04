"""The store of runs: one folder each."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab import SCHEMA
from lab.errors import LabError
from lab.knobs import brief
from lab.plan import Plan
from lab.runs.index import Index, Wanted
from lab.runs.row import Row, describe, readable
from lab.runs.run import Run, tidy, write_json

PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "datasets")


class Runs:
    """All runs in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise LabError(
                f"Runs cannot be kept in '{folder}': {error.strerror}.", "Choose another folder with --runs."
            ) from None
        self._known: dict[str, Run] = {}
        self._index = Index(folder, self._describe)

    def create(self, plan: Plan, owner: str = "", name: str = "") -> Run:
        """A new run of the plan, with its run.json written."""
        now = time.time()
        # The time leads, so that names sort by age; the random part keeps strangers from guessing them.
        run_id = time.strftime("%Y%m%d-%H%M%S", time.localtime(now)) + "-" + os.urandom(4).hex()
        folder = self.folder / run_id
        about = {
            "schema": SCHEMA,
            "id": run_id,
            "name": tidy(name) or tidy(f"{plan.method} on {Path(plan.data.source).name}"),
            "created": now,
            "owner": owner,
            "plan": plan.to_dict(),
            "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
            "hardware": {"system": platform.platform(), "processors": os.cpu_count()},
        }
        try:
            folder.mkdir()
            write_json(folder / "run.json", about)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise LabError(f"The run cannot be written: {error.strerror}.", "Make room on the disk.") from None
        return self.get(run_id)

    def get(self, run_id: str) -> Run:
        """The run of that id, which may be damaged. Raises LabError if there is none (or the id is no id)."""
        folder = self.folder / run_id
        named = run_id not in ("", ".", "..") and Path(run_id).name == run_id
        if not named or not os.path.lexists(folder / "run.json"):
            self._known.pop(run_id, None)
            raise LabError(f"There is no run '{brief(run_id)}'.", "See the list of runs.")
        return self._open(run_id)

    def _open(self, run_id: str) -> Run:
        return self._known.get(run_id) or self._known.setdefault(run_id, Run(self.folder / run_id))

    def rows(self, wanted: Wanted | None = None) -> list[Row]:
        """What lists show of each run that is wanted, newest first.

        A run that cannot be read is among them, and says why (`lab.runs.row`).
        """
        return self._index.rows(wanted)

    def where(self, wanted: Wanted | None = None, **values: Any) -> Iterator[Run]:
        """The runs that can be read, are wanted and whose rows hold these values, newest first."""
        for row in self.rows(wanted):
            if readable(row) and all(row[name] == value for name, value in values.items()):
                yield self._open(row["id"])

    def all(self, owner: str | None = None) -> list[Run]:
        """The runs that can be read, newest first; only those of `owner` if it is given."""
        return list(self.where(None if owner is None else lambda row: row["owner"] == owner))

    def hand_over(self, before: str, after: str) -> None:
        """Make all runs of one owner another's."""
        for row in self.rows(lambda row: row["owner"] == before):
            self._open(row["id"]).give(after)
            self._index.forget(row["id"])

    def _describe(self, name: str) -> Row:
        run = self._known.get(name) or Run(self.folder / name)  # not all thousands are opened for a list
        row = describe(run)
        if not run.busy:
            run.forget()
        return row

    def room(self) -> int:
        """Bytes that may still be written: all that are free on the disk."""
        return shutil.disk_usage(self.folder).free

    def delete(self, run_id: str) -> None:
        """Remove the run and everything in it. Raises LabError while it is being trained."""
        run = self.get(run_id)
        if run.busy:
            raise LabError(f"The run '{run_id}' is being trained.", "Stop it first.")
        try:
            if run.folder.is_symlink():
                run.folder.unlink()
            else:
                shutil.rmtree(run.folder)
        except OSError as error:
            what = f"The run '{run_id}' cannot be removed: {error.strerror}."
            raise LabError(what, "See whether its folder can be written.") from None
        self._known.pop(run_id, None)


def version(package: str) -> str:
    """The installed version of a package, without importing it."""
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
