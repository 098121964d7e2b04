"""Several adapters on one base: what they hold in memory and how long it takes to go from task to task."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from lab.errors import LabError
from lab.runs import Run


@dataclass(frozen=True)
class Switched:
    """`load` are the seconds to load the base, `attach` those to put one more adapter beside it, `switch` those to
    make another one act (medians). `base` and `adapters` are bytes in memory; `replies` what each says."""

    load: float
    attach: float
    switch: float
    base: int
    adapters: tuple[int, ...]
    replies: dict[str, str]


class Bank:
    """One base in memory with the adapters of several runs on it, by the names "task0", "task1", …

    Raises LabError for runs that cannot share a base: another model, method, task or number of labels.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        from lab import methods
        from lab.data.encoding import Encoder
        from lab.insight.weights import about, whole
        from lab.methods.combine import attach
        from lab.models import loading
        from lab.training.memory.ledger import held, storages

        check(runs)
        self.runs = list(runs)
        plan, (task, labels) = runs[0].plan, about(runs[0])
        method = methods.method(plan.method)
        began = time.perf_counter()
        base = whole(plan, task, labels)
        self.load_seconds = time.perf_counter() - began
        sizes = [sum(storages(held(base)).values())]
        taken = []
        self.model: Any = method.load(base, runs[0].adapter)
        self.names = ["default"]
        sizes.append(sum(storages(held(self.model)).values()))
        for number, run in enumerate(runs[1:], 1):
            began = time.perf_counter()
            attach(self.model, f"task{number}", run.adapter)
            taken.append(time.perf_counter() - began)
            self.names.append(f"task{number}")
            sizes.append(sum(storages(held(self.model)).values()))
        self.attach_seconds = median(taken) if taken else 0.0
        self.sizes = sizes
        self.task = task
        shape = loading.shape(plan.model, task, labels)
        names = _labels(runs[0])
        positions = shape.text_positions(method.virtual_tokens(methods.settings(plan)))
        tokenizer = loading.tokenizer(plan.model)
        self.encoder = Encoder(tokenizer, task, names, positions or 2048, shape.family, positions)

    def use(self, number: int) -> None:
        """Let the adapter of that run act."""
        from lab.methods.combine import switch

        switch(self.model, self.names[number])

    def answer(self, text: str, number: int, longest: int = 32) -> str:
        """What the adapter of that run says: a reply, or the likeliest label."""
        import torch

        from lab.plan import CLASSIFY
        from lab.training.evaluation import generate

        self.use(number)
        with torch.inference_mode():
            if self.task == CLASSIFY:
                ids = torch.tensor([self.encoder.text(text)])
                label = int(self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0].argmax())
                return _labels(self.runs[number])[label]
            return generate(self.model, self.encoder, [self.encoder.prompt(text)], "cpu", longest)[0]

    def measure(self, text: str, repeats: int = 9) -> Switched:
        """Switch to and fro and let each adapter answer the same text. Raises LabError for an empty text."""
        if not text.strip():
            raise LabError("There is no text to answer.", "Write one.")
        taken = []
        for repeat in range(repeats):
            began = time.perf_counter()
            self.use(repeat % len(self.names))
            taken.append(time.perf_counter() - began)
        replies = {run.id: self.answer(text, number) for number, run in enumerate(self.runs)}
        added = tuple(after - before for before, after in zip(self.sizes, self.sizes[1:]))
        return Switched(self.load_seconds, self.attach_seconds, median(taken), self.sizes[0], added, replies)


def check(runs: Sequence[Run]) -> None:
    """Whether the runs can share one base. Raises LabError with the reason."""
    from lab import methods
    from lab.insight.weights import about

    if len(runs) < 2:
        raise LabError("Switching needs two runs or more.", "Train another task on the same base.")
    if len({run.plan.model for run in runs}) > 1:
        raise LabError("These runs belong to different bases.", "Choose runs of one base.")
    if len({run.plan.method for run in runs}) > 1:
        raise LabError("These runs are of different methods.", "Choose runs of one method.")
    if len({about(run) for run in runs}) > 1:
        raise LabError("These runs have different tasks or numbers of labels.", "Choose runs whose heads are alike.")
    method = methods.method(runs[0].plan.method)
    if method.changes_base or method.family == "selective":
        raise LabError(f"{method.title} changes the base itself: tasks cannot share it.", "Choose adapters or LoRA.")


def _labels(run: Run) -> tuple[str, ...]:
    """The classes that the run learned; none where it learned to write."""
    started = run.history().started
    return tuple(started.labels) if started else ()
