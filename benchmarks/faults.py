"""`python -m benchmarks.faults`: kill -9 at random moments of training, going on, saving and comparing; what is left?

After each kill every run must be readable, and finished or to be continued; no file may be torn; none may be lost. In
the end everything that was broken off is finished. Then Ctrl-C at random moments of commands that start, which must
end without a traceback; and bytes of run folders are changed at random, which must leave every run in the lists.

Then what else befalls a run (`benchmarks.run_faults`): each case ends in one sentence.

Last, odd requests: what a page sends to each service, with one part changed to what none sends. Each must be answered
or refused in a sentence.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks import run_faults
from lab import methods
from lab.compare.comparison import Comparisons
from lab.compare.runner import Runner
from lab.compare.spec import Spec
from lab.errors import LabError
from lab.plan import Data, Plan
from lab.runs import INTERRUPTED, Run, Runs
from lab.training.jobs import Jobs

ROOT = Path(__file__).parents[1]

#: Seconds after which a process is killed: from its first breath to behind the end of a short run.
LATEST = 7.0

#: Seconds before and after which Ctrl-C is sent: Python itself needs the first ones, a short run ends with the last.
EARLIEST_INTERRUPT, LATEST_INTERRUPT = 0.1, 6.0

TRAIN, GO_ON, COMPARE = "train", "go on", "compare"


def plan() -> Plan:
    """A short run that saves a checkpoint at every second step."""
    values = {"steps": 12, "eval_every": 4, "save_every": 2, "eval_rows": 4, "reply_rows": 1, "batch_size": 2}
    return methods.with_values(methods.default_plan("lora", data=Data(source="persona")), values)


def spec() -> dict[str, Any]:
    settings = {"eval_every": 2, "save_every": 1, "eval_rows": 4, "reply_rows": 1, "batch_size": 2}
    protocol = {"budget": "steps", "amount": 4}
    return {"name": "faults", "data": {"source": "persona"}, "methods": ["lora", "ia3"], "settings": settings,
            "protocol": protocol}  # fmt: skip


def work(folder: Path, kind: str, name: str) -> None:
    """What the killed process does."""
    store = Runs(folder)
    jobs = Jobs(store)
    if kind == COMPARE:
        comparisons = Comparisons(folder / "comparisons", store)
        made = comparisons.get(name) if name else comparisons.create(Spec.from_dict(spec()))
        Runner(made, jobs).go()
        return
    run = jobs.continue_(name) if kind == GO_ON else jobs.submit(plan())
    jobs.wait(run.id)


def look(run: Run, process: str = "") -> str:
    """The run's status. Raises AssertionError for anything torn."""
    status, history = run.status, run.history()
    assert status in ("done", INTERRUPTED, "stopped"), f"{run.id} is {status}: {history.finished}"
    steps = [step.step for step in history.steps]
    assert steps == sorted(set(steps)), f"{run.id} has steps out of order: {steps}"
    json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    if (run.folder / "adapter").is_dir():
        whole(run.folder / "adapter", "adapter_model.safetensors")
    if run.resumable:
        whole(run.folder / "checkpoint", "tensors.safetensors")
    if status == "done":
        assert (run.folder / "adapter").is_dir(), f"{run.id} is done and has no adapter"
    return status


def whole(folder: Path, name: str) -> None:
    """Every tensor of the file can be read, and the tables beside it."""
    from safetensors import safe_open

    with safe_open(str(folder / name), "pt") as file:
        for key in file.keys():  # noqa: SIM118
            file.get_tensor(key)
    for other in folder.glob("*.json"):
        json.loads(other.read_text(encoding="utf-8"))


def kill(folder: Path, count: int, seed: int, latest: float = LATEST, kinds: tuple[str, ...] = ()) -> Counter[str]:
    """Kill so many processes; what was found after each, counted."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lab.training.loop", "lab.compare.runner", "peft", "transformers"])
    draw, found = random.Random(seed), Counter[str]()
    store = Runs(folder)
    comparisons = Comparisons(folder / "comparisons", store)
    known: set[str] = set()
    for _ in range(count):
        broken = [run.id for run in store.all() if run.status == INTERRUPTED and not _member(comparisons, run.id)]
        open_ = [item.id for item in comparisons.all() if item.waiting]
        kind = draw.choice(kinds or (TRAIN, TRAIN, GO_ON, GO_ON, COMPARE))
        if kind == GO_ON and not broken:
            kind = TRAIN
        name = draw.choice(broken) if kind == GO_ON else draw.choice(["", *open_]) if kind == COMPARE else ""
        child = context.Process(target=work, args=(folder, kind, name))
        child.start()
        child.join(draw.uniform(0.0, latest))
        alive = child.is_alive()
        child.kill()
        child.join()
        found["killed" if alive else "ended before"] += 1
        found[f"killed: {kind}"] += alive
        now = {run.id for run in Runs(folder).all()}
        assert known <= now, f"lost: {known - now}"
        known = now
        # A folder without run.json is what a kill in the very first instant leaves: no run yet.
        for run in Runs(folder).all():
            look(run)
        for item in Comparisons(folder / "comparisons", Runs(folder)).all():
            item.outcomes()
    return found


def _member(comparisons: Comparisons, run: str) -> bool:
    return any(item.get(key, "run") == run for item in comparisons.all() for key in [m.key for m in item.members])


def finish(folder: Path) -> Counter[str]:
    """Finish all that was broken off; the statuses in the end."""
    store = Runs(folder)
    jobs = Jobs(store)
    try:
        for item in Comparisons(folder / "comparisons", store).all():
            if item.waiting:
                Runner(item, jobs).go()
        for run in store.all():
            if run.status == INTERRUPTED:
                jobs.continue_(run.id)
                jobs.wait(run.id)
    finally:
        jobs.close()
    return Counter(look(run) for run in store.all())


def two_processes(folder: Path) -> str:
    """Two processes that want the same run: one trains, the other is told so in a sentence."""
    context = multiprocessing.get_context("forkserver")
    store = Runs(folder)
    run = store.create(plan())
    run.claim()
    try:
        queue = context.Queue()
        other = context.Process(target=_claim, args=(folder, run.id, queue))
        other.start()
        told = queue.get(timeout=60)
        other.join()
        return str(told)
    finally:
        run.release()


def _claim(folder: Path, run: str, queue: Any) -> None:
    try:
        Runs(folder).get(run).claim()
        queue.put("")
    except LabError as error:
        queue.put(error.message)


def odd_requests(folder: Path, count: int, seed: int) -> Counter[str]:
    """Ask every service of a shared lab so often; how it was answered, counted."""
    from lab.ui.guard import UNEXPECTED
    from tests.server import requests
    from tests.server.strangers import strangers

    draw, answers = random.Random(seed), Counter[str]()
    odd = [*requests.ODD, requests.Deep(40), requests.Deep(5_000)]
    with strangers(folder) as scene:
        for name, samples in requests.samples(scene).items():
            for _ in range(count):
                sample = draw.choice(samples)
                part = draw.choice(list(requests.places(sample)))
                answer = scene.call(name, requests.replaced(sample, part, draw.choice(odd)), scene.bob)
                scene.mend(scene.bob)
                unexpected = answer.get("error", {}).get("message") == UNEXPECTED.message
                answers[f"unexpected: {name}" if unexpected else "answered" if "ok" in answer else "refused"] += 1
    return answers


def interrupt(folder: Path, count: int, seed: int, latest: float = LATEST_INTERRUPT) -> Counter[str]:
    """Send Ctrl-C to so many commands while they start; their exit statuses, counted."""
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    comparison = folder / "comparison.json"
    comparison.write_text(json.dumps(spec()), encoding="utf-8")
    commands = {
        "runs": ["--runs", str(folder / "runs")],
        "train": ["--runs", str(folder / "runs"), "--set", "eval_rows=4", "--set", "reply_rows=1", "--steps", "4"],
        "compare": [str(comparison), "--out", str(folder / "comparison"), "--dry"],
    }
    draw, found = random.Random(seed), Counter[str]()
    for _ in range(count):
        name = draw.choice(sorted(commands))
        process = subprocess.Popen(
            [sys.executable, "-m", "lab", name, *commands[name]],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(draw.uniform(EARLIEST_INTERRUPT, latest))
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=300)
        assert "Traceback" not in said + errors, f"{name} ended with a traceback: {errors}"
        assert process.returncode in (0, 130), f"{name} ended with {process.returncode}: {errors}"
        found[f"{name} {process.returncode}"] += 1
    return found


def damage(folder: Path, run: Run, count: int, seed: int) -> Counter[str]:
    """Change bytes in so many copies of a run; what the lists call each, counted."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed)
    for number in range(count):
        copy = folder / f"{number:05d}"
        shutil.copytree(run.folder, copy)
        file = copy / draw.choice(("run.json", "events.jsonl"))
        data = bytearray(file.read_bytes())
        for _ in range(draw.randint(1, 4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        file.write_bytes(data[: draw.randint(0, len(data))] if draw.random() < 0.3 else data)
    rows = Runs(folder).rows()
    assert sorted(row["id"] for row in rows) == [f"{number:05d}" for number in range(count)]
    return Counter(row["status"] for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--requests", type=int, default=50, help="odd requests to each service")
    parser.add_argument("--interrupts", type=int, default=50)
    parser.add_argument("--damages", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the runs are kept (default: a temporary folder)")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="faults-"))
    began = time.monotonic()
    found = kill(folder, asked.kills, asked.seed)
    print(f"{asked.kills} processes: " + ", ".join(f"{name} {count}" for name, count in sorted(found.items())))
    left = Counter(look(run) for run in Runs(folder).all())
    print(f"{sum(left.values())} runs, none lost, no file torn: {dict(left)}")
    print(f"after finishing what was broken off: {dict(finish(folder))}")
    print(f"a second process on the same run is told: {two_processes(folder)}")
    for name, said in run_faults.cases(folder / "cases").items():
        print(f"{name}: {said}")
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        answers = odd_requests(Path(place), asked.requests, asked.seed)
    print(f"{sum(answers.values())} odd requests: {dict(answers)}")
    with tempfile.TemporaryDirectory() as place:
        statuses = dict(sorted(interrupt(Path(place), asked.interrupts, asked.seed).items()))
        print(f"{asked.interrupts} commands, no traceback after Ctrl-C: {statuses}")
    done = next(Runs(folder).where(status="done"), None)
    if done is not None:
        with tempfile.TemporaryDirectory() as place:
            statuses = dict(damage(Path(place), done, asked.damages, asked.seed))
            print(f"{asked.damages} runs with changed bytes, all listed: {statuses}")
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
