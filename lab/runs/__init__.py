"""Runs and their store: a run is a folder that can be read without the lab."""

from __future__ import annotations

from lab.runs.index import Wanted
from lab.runs.row import DAMAGED, NEWER, Row, readable, summary
from lab.runs.run import INTERRUPTED, RUNNING, WAITING, Run, size, write_json
from lab.runs.store import Runs

__all__ = ["DAMAGED", "INTERRUPTED", "NEWER", "RUNNING", "WAITING", "Row", "Run", "Runs", "Wanted", "readable",
           "size", "summary", "write_json"]  # fmt: skip
