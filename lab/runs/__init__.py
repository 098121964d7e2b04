"""Runs and their store: a run is a folder that can be read without the lab."""

from __future__ import annotations

from lab.runs.run import INTERRUPTED, RUNNING, WAITING, Run, summary, write_json
from lab.runs.store import Runs

__all__ = ["INTERRUPTED", "RUNNING", "WAITING", "Run", "Runs", "summary", "write_json"]
