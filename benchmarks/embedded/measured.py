"""One training, scored on the test rows: presets were chosen on the validation rows, so these have seen no choice."""

from __future__ import annotations

import math
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab.data.tasks import Example
from lab.events import Event
from lab.history import History, fold
from lab.plan import CLASSIFY, Plan
from lab.training.loop import Session


class Measured(Session):
    """A training whose evaluations are on `test` (the set's own test rows if empty); the base's only if asked for.

    After it, `replies` holds prompt and reply of the first `shown` test rows, as the trained model writes them.
    """

    def __init__(
        self, plan: Plan, folder: Path, test: Sequence[Example] = (), base: bool = False, shown: int = 0
    ) -> None:
        super().__init__(plan, threading.Event(), folder)
        self.test, self.base, self.shown = tuple(test), base, shown
        self.tokens_a_byte = 0.0
        self.known = 1.0
        self.replies: list[tuple[str, str]] = []

    def _load(self) -> Iterator[Event]:
        from lab.training.evaluation import Evaluator

        loaded = yield from super()._load()
        job, training = loaded.job, self.plan.training
        rows = self.test or job.data.test
        labels = set(job.data.labels)
        # A label that no training row has cannot be given: its rows are misses, counted by `known`.
        kept = tuple(row for row in rows if not labels or row.target in labels)
        self.known = len(kept) / len(rows)
        data = replace(job.data, validation=kept)
        sizes = training.eval_rows, training.reply_rows
        evaluator = Evaluator(data, job.encoder, job.device, *sizes, lambda: False)
        if data.task != CLASSIFY:
            texts = [row.target for row in kept]
            ids = job.encoder.tokenizer(texts, add_special_tokens=False)["input_ids"]
            self.tokens_a_byte = sum(len(row) + 1 for row in ids) / sum(len(text.encode()) for text in texts)
        return replace(loaded, evaluator=evaluator)

    def _evaluate(self, loaded: Any, model: Any, is_base: bool = False) -> Iterator[Event]:
        if is_base and not self.base:
            return
        yield from super()._evaluate(loaded, model, is_base)
        if self.shown and self.step == loaded.job.steps:
            prompts = [row.input for row in loaded.evaluator.examples[: self.shown]]
            model.eval()
            self.replies = list(zip(prompts, loaded.evaluator.write(prompts, model), strict=True))

    def bits(self, loss: float) -> float:
        """Bits per byte of the replies (their end included) at a mean loss in nats per token."""
        return loss * self.tokens_a_byte / math.log(2)


def measure(plan: Plan, test: Sequence[Example] = (), base: bool = False, shown: int = 0) -> tuple[Measured, History]:
    """Train by the plan and throw the adapter away. Raises what the loop raises."""
    with tempfile.TemporaryDirectory() as folder:
        session = Measured(plan, Path(folder), test, base, shown)
        return session, fold(session.events(None))
