"""What an artifact is: one kind of file that a run can hand out."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from lab.methods.base import Reason
from lab.runs import Run


class Artifact(ABC):
    """One way out of a run. Subclasses are stateless; `lab.artifacts.ARTIFACTS` holds one instance of each."""

    key: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]  # one sentence: what it is good for
    #: Whether visitors of a shared lab may have it made.
    shared: ClassVar[bool] = False

    def refusal(self, run: Run) -> Reason | None:
        """Why the run cannot hand this out; None if it can."""
        return None

    @abstractmethod
    def write(self, run: Run, folder: Path) -> Path:
        """Write the artifact into `folder` and return its file. Raises LabError for what a person can mend."""


class LoadableArtifact(Artifact):
    """An artifact that holds the trained model, so that a receipt can prove it (`lab.artifacts.receipt`)."""

    #: Largest difference of logits from the run's own that still counts as equal.
    tolerance: ClassVar[float] = 1e-3

    @abstractmethod
    def load(self, run: Run, file: Path, base: Any) -> Any:
        """The model in `file`: `base` is a fresh copy of the run's base. Raises LabError if it does not fit."""

    def refusal(self, run: Run) -> Reason | None:
        if not (run.folder / "adapter").is_dir():
            return Reason(f"The run '{run.name}' has saved nothing yet.", "Train it first, or choose another run.")
        return None


def file_name(run: Run) -> str:
    """The run's name as a file name, without an ending."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in run.name)


def copy_adapter(run: Run, folder: Path, base: str) -> Path:
    """Copy the run's adapter to `folder`; peft's note of where the base lay on this machine becomes `base`."""
    import json

    shutil.copytree(run.adapter, folder)
    config = folder / "adapter_config.json"
    if config.is_file():
        values = json.loads(config.read_text(encoding="utf-8")) | {"base_model_name_or_path": base}
        config.write_text(json.dumps(values, indent=2), encoding="utf-8")
    return folder
