"""LoRA on the base, the same network from scratch, and a bag of words, on sets that the project did not write."""

from __future__ import annotations

import csv
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab import methods
from lab.data.files import read_file
from lab.data.tasks import Example
from lab.errors import LabError
from lab.plan import CLASSIFY, GENERATE, Data, Plan

Case = dict[str, Any]

#: Steps of 16 rows for both networks.
STEPS = {CLASSIFY: 150, GENERATE: 100}

#: Sets of the data folder: task, what is read, what is learned. Of clinc150 its domains: 150 labels are more than a
#: minute's rows can show.
SETS = {
    "snips7": (CLASSIFY, "text", "label"),
    "product_pros_cons": (CLASSIFY, "text", "label"),
    "clinc150": (CLASSIFY, "text", "domain"),
    "banking77": (CLASSIFY, "text", "label"),
    "e2e_nlg": (GENERATE, "mr", "text"),
}

#: Training rows; 0 for all.
SIZES = (100, 1000, 0)

#: Rows that are scored: test rows, validation rows in the search for rates, and how many of a set of texts.
TEST, VALID, REPLIES = 400, 300, 100

PRETRAINED, FRESH, WORDS = "LoRA on the base", "from scratch", "bag of words"

#: Peak rates that are tried, on validation rows and under a seed that is not told of.
RATES = {PRETRAINED: (1e-3, 3e-3, 9e-3), FRESH: (3e-4, 1e-3, 3e-3)}
SEARCHED = 9


def rates(_seeds: Sequence[int], _lines: Sequence[Case]) -> list[Case]:
    """Each network at each rate."""
    return [
        {"experiment": "rates", "set": name, "rows": rows, "arm": arm, "rate": rate, "seed": SEARCHED}
        for name in SETS
        for rows in SIZES
        for arm, tried in RATES.items()
        for rate in tried
    ]


def scratch(seeds: Sequence[int], lines: Sequence[Case]) -> list[Case]:
    """The three arms at each size, each network at the rate that was best. Raises LabError before the search."""
    return [
        {"experiment": "scratch", "set": name, "rows": rows, "arm": arm, "seed": seed}
        | ({"rate": chosen(lines, name, rows, arm)} if arm in RATES else {})
        for rows in SIZES
        for seed in seeds
        for name in SETS
        for arm in (PRETRAINED, FRESH, WORDS)
    ]


def chosen(lines: Sequence[Case], name: str, rows: int, arm: str) -> float:
    """The rate with the best score on validation rows."""
    wanted = {"experiment": "rates", "set": name, "rows": rows, "arm": arm}
    found = {
        line["case"]["rate"]: line["figures"]["score"] for line in lines if wanted.items() <= line["case"].items()
    }
    if not found:
        raise LabError(f"No rate was searched for {arm} on {name}.", "Run the experiment 'rates' first.")
    return max(found, key=lambda rate: found[rate])


def run(case: Case, data: Path | None) -> dict[str, Any]:
    """Score (a share) on test rows, or on validation rows where a rate is searched for."""
    folder = checked(data)
    name, arm, seed = case["set"], case["arm"], case["seed"]
    task, given, wanted = SETS[name]
    split, count = ("valid", VALID) if case["experiment"] == "rates" else ("test", TEST)
    told = [Example(row[given], row[wanted], row) for row in shuffled(folder / name / f"{split}.csv", 0)[:count]]
    rows = shuffled(folder / name / "train.csv", seed)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "train.csv"
        write(file, rows, given, wanted)
        source = Data(source=str(file), task=task, input=given, target=wanted, rows=case["rows"])
        if arm == WORDS:
            return {"score": words(source, told[: TEST if task == CLASSIFY else REPLIES])}
        model = str(fresh(Path(place), seed)) if arm == FRESH else "storybook"
        plan = Plan(model=model, method="full" if arm == FRESH else "lora", data=source, seed=seed)
        loose: dict[str, Any] = {
            "steps": STEPS[task], "learning_rate": case["rate"], "eval_every": 0, "eval_rows": count,
            "reply_rows": REPLIES,
        }  # fmt: skip
        if arm == PRETRAINED:
            loose["target_modules"] = "all-linear"
        from benchmarks.embedded.measured import measure

        session, history = measure(methods.with_values(plan, loose), told)
    assert history.last
    assert history.started
    return {"score": history.last.score * session.known, "rows": history.started.train_rows}


def checked(data: Path | None) -> Path:
    """The folder of sets. Raises LabError for what is missing there."""
    if data is None:
        raise LabError("The experiment needs a folder of data.", "Name it: --data FOLDER.")
    for name in SETS:
        for split in ("train", "valid", "test"):
            if not (data / name / f"{split}.csv").is_file():
                raise LabError(f"'{data}' has no {name}/{split}.csv.", "Name the folder of labelled sets: --data.")
    return data


def shuffled(file: Path, seed: int) -> list[dict[str, Any]]:
    """The rows of a file in an order of the seed."""
    rows = list(read_file(file)[0])
    random.Random(seed).shuffle(rows)
    return rows


def write(file: Path, rows: Sequence[dict[str, Any]], *columns: str) -> None:
    """The columns of the rows as a file of their own."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(columns)
        writer.writerows([row[column] for column in columns] for row in rows)


def words(source: Data, test: Sequence[Example]) -> float:
    """The score of a bag of words on the very rows that the networks see: logistic regression over TF-IDF, or for
    texts the reply of the nearest training row."""
    from benchmarks.datasets import logistic_regression, nearest_neighbour
    from lab.data.scoring import score
    from lab.data.tasks import prepare

    found = prepare(source)
    train = [{"input": row.input, "target": row.target} for row in found.train]
    gold = [{"input": row.input, "target": row.target} for row in test]
    said = logistic_regression(train, gold) if found.task == CLASSIFY else nearest_neighbour(train, gold)
    return next(iter(score(found.metric, gold, said).values()))


def fresh(folder: Path, seed: int) -> Path:
    """The base's network with weights drawn anew, and its tokenizer, saved as a model of its own."""
    import torch
    from transformers import AutoModelForCausalLM

    from lab.models import loading

    torch.manual_seed(seed)
    place = folder / "fresh"
    AutoModelForCausalLM.from_config(loading.config("storybook")).float().save_pretrained(place)
    loading.tokenizer("storybook").save_pretrained(place)
    return place
