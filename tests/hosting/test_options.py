"""The options of a shared lab."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.cli import serve

ROOT = Path(__file__).resolve().parents[2]


def test_the_lab_is_shared_by_itself_on_spaces_and_else_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert not serve.options([]).public
    assert serve.options(["--public"]).public
    monkeypatch.setenv("SPACE_ID", "somebody/lab")
    assert serve.options([]).public


@pytest.mark.parametrize(
    "wrong",
    [
        ["--max-visitors", "0"],
        ["--auth", "nobody"],
        ["--auth", ":secret"],
        ["--owner-token", "short"],
        ["--root-path", "lab"],
        ["--root-path", "/a b"],
        ["--allow-host", "lab.example:80"],
        ["--allow-host", "https://lab.example"],
    ],
)
def test_an_option_that_cannot_be_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        serve.options(wrong)
    assert "must" in capsys.readouterr().err


def test_a_wrong_limit_is_one_sentence(tmp_path: Path) -> None:
    environment = os.environ | {"LAB_LIMITS": "stepz=4", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "app.py", "--public", "--runs", str(tmp_path / "runs")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "'stepz=4' is no limit." in done.stderr
    assert "Traceback" not in done.stderr
