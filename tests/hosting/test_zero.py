"""The runner for ZeroGPU, against a double that forks. Each test is a fresh process, without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import json, os, sys, threading, time
from pathlib import Path
os.environ["SPACES_ZERO_GPU"] = "1"
from lab.hosting import zero
from lab.hosting.zero import trainer
from lab.runs import Runs
from lab.training.jobs import Jobs
from tests.hosting import spaces_double as spaces
from tests.hosting.visitor_plan import short

store = Runs(Path(sys.argv[1]))
jobs = Jobs(store, trainer(spaces, seconds=SECONDS))
spaces.REQUEST.set("somebody's")
told = {}
BODY
told["torch"] = "torch" in sys.modules
told["asked"] = spaces.asked
jobs.close()
print(json.dumps(told))
"""


def run(tmp_path: Path, body: str, seconds: float = 120) -> dict[str, Any]:
    code = SCRIPT.replace("SECONDS", str(seconds)).replace("BODY", body)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "runs")], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_fork_trains_and_nothing_but_its_events_and_files_come_back(tmp_path: Path) -> None:
    told = run(
        tmp_path,
        """
one = jobs.submit(short(steps=3)); jobs.wait(one.id)
history = one.history()
told |= {"status": one.status, "steps": len(history.steps), "saved": sorted(p.name for p in one.adapter.iterdir()),
         "error": history.finished.error}
""",
    )
    assert told["status"] == "done", told
    assert told["steps"] == 3
    assert "adapter_model.safetensors" in told["saved"]
    assert told["torch"] is False, "the process that called shares nothing with the one that trained"
    assert told["asked"] == [120]


def test_what_does_not_fit_into_a_call_is_broken_off_said_and_continued(tmp_path: Path) -> None:
    told = run(
        tmp_path,
        """
zero.SAVING = 0
one = jobs.submit(short(steps=100_000)); jobs.wait(one.id)
history = one.history()
told |= {"first": one.status, "steps": history.step, "said": [w.message for w in history.warnings],
         "resumable": one.resumable}
jobs.continue_(one.id); jobs.wait(one.id)
told |= {"second": one.status, "more": one.history().step}
""",
        seconds=20,
    )
    assert told["first"] == told["second"] == "stopped", told
    assert told["resumable"]
    assert 0 < told["steps"] < told["more"]
    assert any("lends the GPU" in words for words in told["said"])


def test_stopping_reaches_the_fork(tmp_path: Path) -> None:
    told = run(
        tmp_path,
        """
one = jobs.submit(short(steps=100_000))
while one.history().step < 2: time.sleep(0.05)
jobs.stop(one.id); jobs.wait(one.id)
told |= {"status": one.status, "saved": (one.folder / "adapter").is_dir(), "left": (one.folder / "stop").exists()}
""",
    )
    assert told == told | {"status": "stopped", "saved": True, "left": False}


def test_a_call_for_nobody_is_a_failed_run_and_not_a_crash(tmp_path: Path) -> None:
    told = run(
        tmp_path,
        """
spaces.REQUEST.set("")
one = jobs.submit(short(steps=3)); jobs.wait(one.id)
told |= {"status": one.status}
""",
    )
    assert told["status"] == "failed"
