"""What a process owes its terminal: an end without a traceback, and text that any encoding takes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab import cli, terminal
from lab.plan import Plan
from lab.runs import Runs

ROOT = Path(__file__).parents[1]

#: Runs a module or file as if it were started itself, and sends Ctrl-C in the middle of one import.
INTERRUPTED = """
import os, runpy, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == MODULE:
            os.kill(os.getpid(), signal.SIGINT)

MODULE, WHAT, *sys.argv[1:] = sys.argv[1:]
sys.meta_path.insert(0, Interrupting())
if WHAT.endswith(".py"):
    runpy.run_path(WHAT, run_name="__main__")
else:
    runpy.run_module(WHAT, run_name="__main__", alter_sys=True)
"""

COMPARISON = {"methods": ["lora"], "data": {"source": "persona"}, "protocol": {"budget": "steps", "amount": 2}}


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"HF_HUB_OFFLINE": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("lab.cli", ["lab", "runs"]),
        ("lab.runs.store", ["lab", "runs"]),
        ("torch", ["lab", "train"]),
        ("transformers", ["lab", "train"]),
        ("lab.compare.command", ["lab", "compare", "PLAN"]),
        ("torch", ["lab", "compare", "PLAN"]),
        ("gradio", ["app.py", "--no-browser"]),
    ],
)
def test_ctrl_c_before_there_is_anything_to_keep_ends_with_one_line(
    tmp_path: Path, module: str, command: list[str]
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(COMPARISON))
    place = ["--out", str(tmp_path / "out")] if "compare" in command else ["--runs", str(tmp_path / "runs")]
    words = [str(plan) if word == "PLAN" else word for word in command]
    ended = run("-c", INTERRUPTED, module, *words, *place)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "Interrupted.\n")


def test_the_first_signal_stops_and_the_second_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []
    monkeypatch.setattr(terminal, "end", lambda number, frame: heard.append(number))
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with terminal.stopping(lambda: heard.append("stop")):
        signal.raise_signal(signal.SIGTERM)
        assert heard == ["stop"]
        signal.raise_signal(signal.SIGINT)
        assert heard == ["stop", signal.SIGINT]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_what_is_in_the_background_goes_on_after_ctrl_c(tmp_path: Path) -> None:
    """A shell starts it with the signal ignored."""
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + INTERRUPTED
    ended = run("-c", code, "lab.runs.store", "lab", "runs", "--runs", str(tmp_path))
    assert (ended.returncode, ended.stderr) == (0, "")


def test_an_encoding_without_a_character_gets_its_number(tmp_path: Path) -> None:
    made = Runs(tmp_path).create(Plan(), name="Zoë’s 🦉")
    listed = run("-m", "lab", "runs", "--runs", str(tmp_path), PYTHONIOENCODING="ascii")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.endswith("Zo\\u00eb\\u2019s \\ud83e\\udd89\n")
    as_json = run("-m", "lab", "runs", "--json", "--runs", str(tmp_path), PYTHONIOENCODING="ascii")
    assert json.loads(as_json.stdout)["name"] == made.name
    wrong = run("-m", "lab", "show", "Zoë", "--runs", str(tmp_path), PYTHONIOENCODING="ascii:strict")
    assert (wrong.returncode, "Zo\\u00eb" in wrong.stderr) == (2, True)


def test_the_page_speaks_to_any_encoding_too() -> None:
    ended = run("app.py", "--port", "é", PYTHONIOENCODING="ascii:strict")
    assert (ended.returncode, "not \\u00e9" in ended.stderr) == (2, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_output_that_cannot_be_written_is_no_traceback(tmp_path: Path) -> None:
    Runs(tmp_path).create(Plan())
    command = f"{sys.executable} -m lab runs --json --runs {tmp_path}"
    full = subprocess.run(f"{command} > /dev/full", shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    assert full.returncode == 1
    assert "No space left" in full.stderr
    assert "Traceback" not in full.stderr
    assert "Exception ignored" not in full.stderr
    shut = subprocess.run(f"{command} | true", shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    assert shut.stderr == ""


def test_a_fault_of_the_lab_is_a_sentence_and_a_traceback_for_whoever_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Runs, "rows", lambda self: {}["missing"])
    assert cli.main(["runs", "--runs", str(tmp_path)]) == 1
    assert "unexpected went wrong (KeyError: 'missing')" in capsys.readouterr().err
    monkeypatch.setenv(cli.TRACEBACK, "1")
    with pytest.raises(KeyError):
        cli.main(["runs", "--runs", str(tmp_path)])
