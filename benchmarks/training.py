"""How fast the main job is: `python -m benchmarks.training`.

Each figure is the median of several runs; ratios are taken pair by pair in one process, so that a machine whose speed
drifts does not decide them. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.following import follow
from lab import methods
from lab.data import tasks
from lab.data.encoding import Encoder
from lab.events import Step
from lab.history import fold
from lab.plan import Plan
from lab.runs import Runs

ROOT = Path(__file__).parents[1]


def page_served() -> float:
    """Seconds from starting `app.py` to the page's first answer."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "app.py", "--no-browser", "--port", "7960", "--runs", folder],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout
            address = next(line.split(" at ")[1].strip() for line in process.stdout if " at " in line)
            urllib.request.urlopen(address, timeout=30).read(1)
            return time.perf_counter() - began
        finally:
            process.terminate()
            process.wait()


def plan(steps: int, **given: Any) -> Plan:
    return methods.with_values(methods.default_plan(), {"steps": steps, **given})


def first_loss(store: Runs) -> float:
    """Seconds from launch to the first loss, in a lab that is warm."""
    from lab.training.jobs import Jobs

    jobs = Jobs(store)
    began = time.perf_counter()
    run = jobs.submit(plan(1000))
    while not run.history().steps:
        time.sleep(0.01)
    taken = time.perf_counter() - began
    jobs.close()
    return taken


def default_run(store: Runs) -> tuple[float, float, float]:
    """Seconds, score of the base and score of the adapter of the plan that the page opens with."""
    from lab.training.loop import train

    run = store.create(methods.default_plan())
    began = time.perf_counter()
    history = fold(run.record(train(run.plan, threading.Event(), run.folder)))
    assert history.base
    assert history.last
    return time.perf_counter() - began, history.base.score, history.last.score


def lab_steps(store: Runs, steps: int) -> float:
    """Seconds of `steps` steps of the lab's loop, the time between its events included."""
    from lab.training.loop import train

    run = store.create(plan(steps, eval_every=0, eval_rows=1, reply_rows=1))
    marks = []
    for event in run.record(train(run.plan, threading.Event(), run.folder)):
        if isinstance(event, Step):
            marks.append(time.perf_counter())
    return marks[-1] - marks[0]


def trainer_steps(steps: int) -> float:
    """Seconds of the same steps by transformers' Trainer, as one would write it: rows encoded before."""
    import torch
    from transformers import Trainer, TrainerCallback, TrainingArguments

    from lab.models import loading
    from lab.plan import Precision

    asked = plan(steps)
    data = tasks.prepare(asked.data)
    shape = loading.shape(asked.model, data.task, max(len(data.labels), 2))
    torch.manual_seed(0)
    model = loading.load(asked.model, data.task, max(len(data.labels), 2), Precision(), "cpu")
    model = methods.method("lora").apply(model, methods.settings(asked), shape)
    encoder = Encoder(loading.tokenizer(asked.model), data.task, data.labels, asked.training.max_length, shape.family)
    rows = [encoder.encode(item.input, item.target) for item in data.train]
    marks = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        options = TrainingArguments(
            folder,
            max_steps=steps,
            per_device_train_batch_size=asked.training.batch_size,
            learning_rate=asked.training.learning_rate,
            lr_scheduler_type="cosine",
            logging_steps=1,
            report_to=[],
            disable_tqdm=True,
            save_strategy="no",
            remove_unused_columns=False,
            use_cpu=True,
            dataloader_pin_memory=False,
        )
        trainer = Trainer(
            model=model, args=options, train_dataset=rows, data_collator=encoder.collate, callbacks=[Clock()]
        )
        trainer.log = lambda *_, **__: None  # its lines on the screen are not the work
        trainer.train()
    return marks[-1] - marks[0]


def stopped_after(store: Runs) -> int:
    """Steps that a run makes after it was told to stop."""
    from lab.training.jobs import Jobs

    jobs = Jobs(store)
    run = jobs.submit(plan(1000, eval_every=0, eval_rows=1, reply_rows=1))
    while run.history().step < 3:
        time.sleep(0.005)
    told = run.history().step
    jobs.stop(run.id)
    jobs.wait(run.id)
    jobs.close()
    return run.history().step - told


def median(measure: Callable[[], float], runs: int) -> float:
    return statistics.median(measure() for _ in range(runs))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="runs of which the median is taken")
    parser.add_argument("--no-page", action="store_true", help="leave out what needs a browser")
    asked = parser.parse_args()
    rows: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        store = Runs(Path(folder))
        rows.append(("page served after start", f"{median(page_served, asked.runs):.1f} s", "≤ 5 s"))
        lab_steps(store, 3)  # warm: imports and caches
        rows.append(("first loss after launch", f"{median(lambda: first_loss(store), asked.runs):.1f} s", "≤ 5 s"))
        taken, base, score = default_run(store)
        rows.append(("default LoRA run", f"{taken:.0f} s, score {base:.2f} → {score:.2f}", "≤ 60 s, a clear gain"))
        ratio = median(lambda: lab_steps(store, 40) / trainer_steps(40), asked.runs)
        rows.append(("the lab's step over Trainer's", f"{ratio:.3f}", "≤ 1.05"))
        rows.append(("steps made after stop", str(max(stopped_after(store) for _ in range(asked.runs))), "≤ 1"))
        if not asked.no_page:
            pages = [follow(store, plan(600, eval_every=0, eval_rows=1, reply_rows=1)) for _ in range(asked.runs)]
            ratios = [page.ratio for page in pages]
            spread = f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
            rows.append(("training time with an open page that follows it", spread, "≤ 1.03"))
            taken = statistics.median(page.milliseconds for page in pages)
            rows.append(("what that page's browser takes of the processor", f"{taken:.0f} ms a second", ""))
    print("| figure | measured | aim |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
