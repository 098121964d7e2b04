"""The exported script runs by itself and makes the lab's losses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from lab.artifacts.script import script
from lab.events import Step, Warned
from lab.plan import GENERATE, Plan
from lab.training.loop import train
from tests import tiny
from tests.plans import quick

ROOT = Path(__file__).parents[2]

CASES = {
    "lora": {"dropout": 0.1, "target_modules": r".*\.(q|v)_proj", "rank_pattern": r".*\.0\..*v_proj=2"},
    "lora+": {"lora_plus": 4.0, "accumulation": 2, "schedule": "linear"},
    "full": {"weight_decay": 0.1, "clip": 0.0},
    "classify": {"schedule": "constant", "warmup": 0.0},
    "nf4": {"weights": "nf4"},
    "prefix": {"optimizer": "sgd"},
}


def losses_of(plan: Plan, folder: Path) -> list[float]:
    """The losses that the plan's script prints when it runs in the folder."""
    file = folder / "train.py"
    file.write_text(script(plan), encoding="utf-8")
    done = subprocess.run([sys.executable, str(file)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return printed_losses(done.stdout)


def printed_losses(text: str) -> list[float]:
    return [float(value) for value in re.findall(r"^step \d+ loss (\S+)$", text, re.MULTILINE)]


@pytest.fixture(scope="module")
def scripts(llama, replies, reviews, tmp_path_factory):
    """By case its plan, and the folder in which its script ran; all ran in one process that never saw the lab."""
    cases = {}
    for case, settings in CASES.items():
        method = case if case in ("full", "prefix") else "lora"
        plan = quick(llama, reviews if case == "classify" else replies, method, steps=4, **settings)
        folder = tmp_path_factory.mktemp("script")
        (folder / "train.py").write_text(script(plan), encoding="utf-8")
        cases[case] = plan, folder
    # Most of a script's time is importing torch and its friends.
    code = (
        "import contextlib, os, runpy, sys\n"
        "for folder in sys.argv[1:]:\n"
        "    os.chdir(folder)\n"
        "    with open('printed', 'w') as file, contextlib.redirect_stdout(file):\n"
        "        runpy.run_path('train.py', run_name='__main__')\n"
        "assert not any(name.partition('.')[0] == 'lab' for name in sys.modules)\n"
    )
    command = [sys.executable, "-c", code, *(str(folder) for _, folder in cases.values())]
    done = subprocess.run(command, cwd=tmp_path_factory.mktemp("cwd"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return cases


@pytest.mark.parametrize("case", CASES)
def test_the_script_makes_the_labs_losses(case, scripts, tmp_path):
    plan, folder = scripts[case]
    expected = [event.loss for event in train(plan, threading.Event(), tmp_path / "run") if isinstance(event, Step)]
    assert printed_losses((folder / "printed").read_text(encoding="utf-8")) == pytest.approx(expected, abs=1e-4)
    assert (folder / "adapter").is_dir()


def test_a_tokenizer_without_an_end_and_conversations_of_parts(tmp_path):
    model, tokenizer = tiny.save(tmp_path / "model", "llama", GENERATE), tiny.tokenizer()
    without = {name: token for name, token in tiny.SPECIAL.items() if name != "eos_token"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer, **without).save_pretrained(str(model))
    ask = [{"type": "text", "text": "Look at"}, {"type": "image"}, {"type": "text", "text": "this."}]
    answers = ["Yes.", None, [{"type": "text", "text": "A cat."}]]
    talks = [
        [{"role": "user", "content": [*ask, {"type": "text", "text": str(n)}]},
         {"role": "assistant", "content": answers[n % 3]}]
        for n in range(60)
    ]  # fmt: skip
    file = tmp_path / "talks.jsonl"
    file.write_text("".join(json.dumps({"messages": talk}) + "\n" for talk in talks), encoding="utf-8")
    plan = quick(str(model), str(file), steps=3, eval_every=0)
    events = list(train(plan, threading.Event(), tmp_path / "run"))
    assert any(isinstance(event, Warned) and event.message.startswith("20 rows") for event in events)
    assert losses_of(plan, tmp_path) == pytest.approx([e.loss for e in events if isinstance(e, Step)], abs=1e-4)


def test_the_script_does_not_need_the_lab(llama, replies):
    assert not re.search(r"^\s*(from|import) lab", script(quick(llama, replies)), re.MULTILINE)
