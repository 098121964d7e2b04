"""What a run can hand out: one file a kind, one line each in `ARTIFACTS`.

Page, command line, push and the rules of a shared lab go through this registry, so a new kind needs no change there.
"""

from __future__ import annotations

from pathlib import Path

from lab import access
from lab.artifacts.adapter import AdapterZip
from lab.artifacts.base import Artifact, LoadableArtifact
from lab.artifacts.card import Card
from lab.artifacts.script import Script
from lab.errors import LabError
from lab.knobs import nearest
from lab.runs import Run

__all__ = ["ARTIFACTS", "Artifact", "LoadableArtifact", "artifact", "offered", "write"]

ARTIFACTS: dict[str, Artifact] = {item.key: item for item in (AdapterZip(), Script(), Card())}


def artifact(key: str) -> Artifact:
    """The artifact of that key. Raises LabError if there is none, or if a visitor may not have it."""
    if key not in ARTIFACTS:
        raise LabError(
            f"There is no artifact '{key}'.", nearest(key, ARTIFACTS) or f"There are: {', '.join(ARTIFACTS)}."
        )
    if not ARTIFACTS[key].shared:
        access.rules().artifact(key)
    return ARTIFACTS[key]


def offered(run: Run) -> list[Artifact]:
    """The artifacts that the run can hand out to whoever asks."""
    shared = access.rules().shared
    return [item for item in ARTIFACTS.values() if (item.shared or not shared) and item.refusal(run) is None]


def write(run: Run, key: str, folder: Path) -> Path:
    """Write an artifact of the run into `folder`; its file. Raises LabError if the run cannot hand it out."""
    chosen = artifact(key)
    if reason := chosen.refusal(run):
        raise LabError(reason.message, reason.hint)
    try:
        return chosen.write(run, folder)
    except OSError as error:
        raise LabError(f"{chosen.title} cannot be written: {error.strerror}.", "Free some disk space.") from None
