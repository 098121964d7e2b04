"""The exported script runs by itself and makes the lab's losses."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lab.artifacts.script import script
from lab.events import Step
from lab.training.loop import train
from tests.plans import quick

ROOT = Path(__file__).parents[2]

CASES = {
    "lora": {"dropout": 0.1},
    "lora+": {"lora_plus": 4.0, "accumulation": 2, "schedule": "linear"},
    "full": {"weight_decay": 0.1, "clip": 0.0},
    "classify": {"schedule": "constant", "warmup": 0.0},
    "nf4": {"weights": "nf4"},
    "prefix": {"optimizer": "sgd"},
}


@pytest.mark.parametrize("case", CASES)
def test_the_script_makes_the_labs_losses(case, llama, replies, reviews, tmp_path):
    method = case if case in ("full", "prefix") else "lora"
    # The whole file is the script's training set; the lab holds rows out, so it is given more than it needs.
    folder = tmp_path / "data"
    folder.mkdir()
    data = Path(reviews if case == "classify" else replies)
    plan = quick(llama, str(data), method, steps=4, **CASES[case])
    told = [event.loss for event in train(plan, threading.Event(), tmp_path / "run") if isinstance(event, Step)]
    file = tmp_path / "train.py"
    file.write_text(script(plan), encoding="utf-8")
    made = subprocess.run([sys.executable, str(file)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr[-2000:]
    losses = [float(value) for value in re.findall(r"^step \d+ loss (\S+)$", made.stdout, re.MULTILINE)]
    assert losses == pytest.approx(told, abs=1e-4)
    assert (tmp_path / "adapter").is_dir()


def test_the_script_does_not_need_the_lab(llama, replies):
    assert not re.search(r"^\s*(from|import) lab", script(quick(llama, replies)), re.MULTILINE)
