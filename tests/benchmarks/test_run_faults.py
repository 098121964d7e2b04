"""Each case of what befalls a run ends in a sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import run_faults


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
def test_each_case_ends_in_a_sentence(tmp_path: Path) -> None:
    said = run_faults.cases(tmp_path / "runs")
    assert len(said) == len(run_faults.CASES)
    assert all(said.values()), said
