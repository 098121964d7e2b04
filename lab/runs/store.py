"""The store of runs: one folder each."""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import time
from importlib import metadata
from pathlib import Path

from lab import SCHEMA
from lab.errors import LabError
from lab.plan import Plan
from lab.runs.run import Run, write_json

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

    def create(self, plan: Plan, owner: str = "", name: str = "") -> Run:
        """A new run of the plan, with its run.json written."""
        now = time.time()
        # The time leads, so that names sort by age; the random part keeps strangers from guessing them.
        run_id = time.strftime("%Y%m%d-%H%M%S", time.localtime(now)) + "-" + secrets.token_hex(4)
        folder = self.folder / run_id
        about = {
            "schema": SCHEMA,
            "id": run_id,
            "name": name or f"{plan.method} on {Path(plan.data.source).name}",
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
        """The run of that id. Raises LabError if there is none (or the id is no id)."""
        if run_id not in self._known or not self._known[run_id].folder.is_dir():
            folder = self.folder / run_id
            if not run_id or Path(run_id).name != run_id or not (folder / "run.json").is_file():
                raise LabError(f"There is no run '{run_id}'.", "See the list of runs.")
            self._known[run_id] = Run(folder)
        return self._known[run_id]

    def all(self, owner: str | None = None) -> list[Run]:
        """The runs that can be read, newest first; only those of `owner` if it is given."""
        found = []
        for file in self.folder.glob("*/run.json"):
            try:
                run = self.get(file.parent.name)
                if owner is None or run.owner == owner:
                    found.append((run.created, run.id, run))
            except LabError:
                continue
        return [run for _, _, run in sorted(found, key=lambda item: item[:2], reverse=True)]

    def room(self) -> int:
        """Bytes that may still be written: all that are free on the disk."""
        return shutil.disk_usage(self.folder).free

    def delete(self, run_id: str) -> None:
        """Remove the run and everything in it. Raises LabError while it is being trained."""
        run = self.get(run_id)
        if run.busy:
            raise LabError(f"The run '{run.name}' is being trained.", "Stop it first.")
        shutil.rmtree(run.folder)
        self._known.pop(run_id, None)


def version(package: str) -> str:
    """The installed version of a package, without importing it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
