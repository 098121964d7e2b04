"""The runs of each experiment, and how one is made. A case is plain values: its figures are logged beside it."""

from __future__ import annotations

import csv
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lab import methods
from lab.data.files import read_file
from lab.data.tasks import Example
from lab.errors import LabError
from lab.plan import CLASSIFY, Data, Plan

Case = dict[str, Any]
Figures = dict[str, Any]

#: Sets of the data folder that are classified, and the column that is learned. Of clinc150 its domains: 150 labels
#: are more than a minute's rows can show.
SETS = {"snips7": "label", "product_pros_cons": "label", "clinc150": "domain"}

#: Training rows (0 for all), and the steps of 16 rows that they are learned in.
SIZES = {100: 30, 1000: 60, 0: 100}

#: Test rows that are scored.
TEST = 400

PRETRAINED, FRESH, WORDS = "LoRA on the base", "from scratch", "TF-IDF + logistic regression"

#: Peak rates: the intent preset's for LoRA; from scratch 3e-4 and 1e-3 were level (40.5% and 40.0%), 3e-3 was worse
#: (21.5%) on 1,000 rows of clinc150 under another seed.
RATES = {PRETRAINED: 3e-3, FRESH: 1e-3}

#: The methods whose order is told. BitFit has no bias to train here; LayerNorm tuning is what trains as little.
ORDER = ("full", "lora", "bottleneck", "prefix", "prompt", "layernorm", "head")
RANKS = (1, 4, 16, 64, 2, 8, 32)

#: Steps of the runs whose order is told (half of a preset's), and of those of the rank sweep.
STEPS, SWEEP = 75, 40


def scratch(seeds: Sequence[int]) -> list[Case]:
    """LoRA on the base, the same network from scratch, and a bag of words, at each size."""
    return [
        {"experiment": "scratch", "set": name, "rows": rows, "arm": arm, "steps": steps, "seed": seed}
        for rows, steps in SIZES.items()
        for seed in seeds
        for name in SETS
        for arm in (PRETRAINED, FRESH, WORDS)
    ]


def persona(seeds: Sequence[int]) -> list[Case]:
    return [{"experiment": "persona", "precision": "fp32", "seed": seed} for seed in seeds]


def order(seeds: Sequence[int]) -> list[Case]:
    """The methods at their presets' rates and targets, then LoRA at each rank with alpha held at its default."""
    arms = [{"method": key} for key in ORDER]
    return [{"experiment": "order", **arm, "steps": STEPS, "seed": seed} for seed in seeds for arm in arms]


def ranks(seeds: Sequence[int]) -> list[Case]:
    return [{"experiment": "ranks", "rank": rank, "steps": SWEEP, "seed": seed} for seed in seeds for rank in RANKS]


def nf4(seeds: Sequence[int]) -> list[Case]:
    return [{"experiment": "persona", "precision": "nf4", "seed": seed} for seed in seeds]


EXPERIMENTS: dict[str, Callable[[Sequence[int]], list[Case]]] = {
    "scratch": scratch,
    "persona": persona,
    "order": order,
    "ranks": ranks,
    "nf4": nf4,
}


def run(case: Case, data: Path | None = None) -> Figures:
    """The figures of a case. `data` is the folder with `SETS`. Raises LabError for what is missing there."""
    match case["experiment"]:
        case "scratch":
            return _scratch(case, _folder(data))
        case "persona":
            return _persona(case)
        case _:
            return _intent(case)


def _folder(data: Path | None) -> Path:
    if data is None:
        raise LabError("The experiment needs a folder of data.", "Name it: --data FOLDER.")
    for name in SETS:
        for split in ("train", "test"):
            if not (data / name / f"{split}.csv").is_file():
                raise LabError(f"'{data}' has no {name}/{split}.csv.", "Name the folder of labelled sets: --data.")
    return data


# -- LoRA on the base against the same network from scratch --------------------------------------------------------


def _scratch(case: Case, folder: Path) -> Figures:
    name, arm, seed = case["set"], case["arm"], case["seed"]
    column = SETS[name]
    test = [Example(row["text"], row[column], row) for row in _shuffled(folder / name / "test.csv", 0)[:TEST]]
    rows = _shuffled(folder / name / "train.csv", seed)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "train.csv"
        _write(file, rows, column)
        source = Data(source=str(file), task=CLASSIFY, input="text", target=column, rows=case["rows"])
        if arm == WORDS:
            return {"score": _words(source, test)}
        model = str(_fresh(Path(scratch), seed)) if arm == FRESH else "storybook"
        plan = Plan(model=model, method="full" if arm == FRESH else "lora", data=source, seed=seed)
        loose: dict[str, Any] = {
            "steps": case["steps"], "learning_rate": RATES[arm], "eval_every": 0, "eval_rows": TEST,
        }  # fmt: skip
        if arm == PRETRAINED:
            loose["target_modules"] = "all-linear"
        from benchmarks.embedded.measured import measure

        session, history = measure(methods.with_values(plan, loose), test)
    assert history.last
    assert history.started
    return {"score": history.last.score * session.known, "rows": history.started.train_rows}


def _shuffled(file: Path, seed: int) -> list[dict[str, Any]]:
    rows = list(read_file(file)[0])
    random.Random(seed).shuffle(rows)
    return rows


def _write(file: Path, rows: Sequence[dict[str, Any]], column: str) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["text", column])
        writer.writerows([row["text"], row[column]] for row in rows)


def _words(source: Data, test: Sequence[Example]) -> float:
    """Accuracy of the bag of words on the very rows that the networks see."""
    from benchmarks.datasets import logistic_regression
    from lab.data.scoring import accuracy
    from lab.data.tasks import prepare

    train = [{"input": row.input, "target": row.target} for row in prepare(source).train]
    gold = [{"input": row.input, "target": row.target} for row in test]
    return accuracy([row["target"] for row in gold], logistic_regression(train, gold))


def _fresh(folder: Path, seed: int) -> Path:
    """The base's network with weights drawn anew, and its tokenizer, saved as a model of its own."""
    import torch
    from transformers import AutoModelForCausalLM

    from lab.models import loading

    torch.manual_seed(seed)
    place = folder / "fresh"
    AutoModelForCausalLM.from_config(loading.config("storybook")).float().save_pretrained(place)
    loading.tokenizer("storybook").save_pretrained(place)
    return place


# -- persona, in fp32 and over NF4 ---------------------------------------------------------------------------------


def _persona(case: Case) -> Figures:
    """LoRA at its preset: the curve of style and correctness, bits per byte of replies and of general prose."""
    from benchmarks.embedded.measured import measure

    full = case["precision"] == "fp32"
    plan = methods.default_plan("lora", data=Data(source="persona"), seed=case["seed"])
    # Over NF4 only bits per byte are asked for, which need no replies.
    loose: dict[str, Any] = {"eval_rows": 200, "reply_rows": 100}
    if not full:
        loose |= {"weights": "nf4", "reply_rows": 1, "eval_every": 0}
    session, history = measure(methods.with_values(plan, loose), base=case["seed"] == 0, shown=20 if full else 0)
    assert history.last
    found = {
        "curve": [
            {"step": item.step, "bits": session.bits(item.loss), "general": item.general}
            | ({"style": item.metrics["style"], "correct": item.metrics["correct"]} if full else {})
            for item in history.evaluations
        ],
        "seconds": history.steps[-1].seconds,
    }
    return found | ({"replies": session.replies} if case["seed"] == 0 and full else {})


# -- the order of the methods, and LoRA's rank ---------------------------------------------------------------------


def _intent(case: Case) -> Figures:
    from benchmarks.embedded.measured import measure

    key = case.get("method", "lora")
    plan = methods.default_plan(key, data=Data(source="intent"), seed=case["seed"])
    loose = {"steps": case["steps"], "eval_rows": TEST, "eval_every": 0}
    loose |= {"rank": case["rank"]} if "rank" in case else {}
    _, history = measure(methods.with_values(plan, loose), base=case["seed"] == 0 and key == "full")
    assert history.last
    assert history.started
    found = {
        "score": history.last.score, "loss": history.last.loss, "general": history.last.general,
        "trainable": history.started.trainable, "rate": plan.training.learning_rate,
    }  # fmt: skip
    return found | ({"base_general": history.base.general, "base_score": history.base.score} if history.base else {})


def same(case: Case) -> str:
    """The name under which a case stands in the log."""
    return json.dumps(case, sort_keys=True)
