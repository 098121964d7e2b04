"""A run's adapter, published on the Hub with its card."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from lab import artifacts
from lab.artifacts.base import copy_adapter
from lab.artifacts.card import base_of
from lab.models import hub
from lab.runs import Run


def publish(
    run: Run, repo: str, token: str, private: bool = True, progress: Callable[[str], None] = lambda _: None
) -> str:
    """Push the run's adapter with its card; returns its address. The token is handed on and kept nowhere.

    `progress` is called with what is being done. Raises LabError for what a person can mend.
    """
    progress("Writing the model card")
    with tempfile.TemporaryDirectory() as scratch:
        card = artifacts.write(run, "card", Path(scratch))
        folder = copy_adapter(run, Path(scratch) / "adapter", base_of(run.plan))
        card.replace(folder / card.name)
        progress(f"Uploading {run.bytes / 1e6:,.1f} MB")
        return hub.push(folder, repo, token, private)
