"""The chat: loads a base or a run once, writes replies token by token, gives a classifier's probabilities.

It has models of its own, so that it is never blocked by a training and never disturbs one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lab.errors import LabError
from lab.knobs import knob
from lab.models import room
from lab.plan import CLASSIFY, Plan, Precision
from lab.runs import Run, Runs


@dataclass(frozen=True)
class Options:
    """How a reply is drawn."""

    max_tokens: int = knob(64, "Longest reply", "Tokens after which the reply ends.", low=1, high=2048)
    temperature: float = knob(
        0.0,
        "Temperature",
        "0 takes the likeliest token; higher draws more freely.",
        low=0.0,
        high=2.0,
        step=0.05,
    )
    top_p: float = knob(
        1.0,
        "Top-p",
        "Draw from the likeliest tokens that together have this probability.",
        low=0.01,
        high=1.0,
        step=0.01,
    )
    strength: float = knob(
        1.0,
        "Adapter strength",
        "0 is exactly the base, 1 the adapter as trained, 2 twice its effect on the logits.",
        low=0.0,
        high=2.0,
        step=0.05,
    )
    seed: int = knob(0, "Seed", "The same seed draws the same reply.", low=0, high=2**32 - 1)


@dataclass(frozen=True)
class Key:
    """What decides which weights are loaded. `run` is empty for the base."""

    run: str
    model: str
    task: str
    labels: tuple[str, ...]
    precision: Precision
    seed: int


class Loaded:
    """A model in memory, with its encoder and a lock: one reply at a time."""

    def __init__(self, model: Any, encoder: Any, labels: tuple[str, ...]) -> None:
        self.model, self.encoder, self.labels = model, encoder, labels
        self.lock = threading.Lock()


class Engine:
    """Answers for the bases and the runs. Keeps the `keep` models that were used last, while there is room."""

    def __init__(self, runs: Runs, keep: int = 4) -> None:
        self.runs, self.keep = runs, keep
        self._models: OrderedDict[Key, Loaded] = OrderedDict()
        self._loading = threading.RLock()  # a load that lacks room asks for `release`
        room.spare(self)

    # -- what a page calls ------------------------------------------------------------------------

    def stream(
        self, run_id: str, messages: Sequence[dict[str, str]], options: Options, base: bool = False
    ) -> Iterator[str]:
        """The reply so far, again and again, as it grows. Closing the iterator stops the writing.

        `base` answers with the run's base instead. Raises LabError for a run that has saved nothing, a
        classifier, a prompt that is empty or too long.
        """
        plan, labels, task = self._about(run_id)
        if task == CLASSIFY:
            raise LabError("A classifier writes no text.", "Give it a text to see its labels' probabilities.")
        base_model = self._base(plan, task, labels) if base or options.strength != 1 else None
        if base or options.strength == 0:
            assert base_model is not None
            yield from self._write(base_model, messages, options, None)
        else:
            yield from self._write(self._adapted(run_id, plan, task, labels), messages, options, base_model)

    def classify(self, run_id: str, text: str, options: Options, base: bool = False) -> dict[str, float]:
        """The probability of each label for a text. Raises LabError for a run that is no classifier."""
        import torch

        plan, labels, task = self._about(run_id)
        if task != CLASSIFY:
            raise LabError("This run writes text and gives no label.", "Chat with it.")
        if not text.strip():
            raise LabError("There is no text to classify.", "Write one.")
        strength = 0.0 if base else options.strength
        logits = None
        for weight, kind in ((1 - strength, "base"), (strength, "run")):
            if weight == 0:
                continue
            loaded = self._base(plan, task, labels) if kind == "base" else self._adapted(run_id, plan, task, labels)
            with loaded.lock, torch.inference_mode():
                ids = torch.tensor([loaded.encoder.text(text)], device=where())
                part = loaded.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0].float() * weight
            logits = part if logits is None else logits + part
        assert logits is not None
        return dict(zip(labels, torch.softmax(logits, -1).tolist()))

    def model(self, run_id: str) -> Loaded:
        """The run's own model, for those who measure it. Hold its lock while it is used."""
        plan, labels, task = self._about(run_id)
        return self._adapted(run_id, plan, task, labels)

    def base(self, run_id: str) -> Loaded:
        """The base of a run, for those who measure it."""
        plan, labels, task = self._about(run_id)
        return self._base(plan, task, labels)

    def release(self) -> None:
        """Drop the models that write nothing now; another reply loads them again.

        Whoever loads one at this moment is not waited for: they may wait for whoever asks.
        """
        if self._loading.acquire(blocking=False):
            try:
                for key in [key for key, loaded in self._models.items() if not loaded.lock.locked()]:
                    del self._models[key]
            finally:
                self._loading.release()

    # -- loading ----------------------------------------------------------------------------------

    def _about(self, run_id: str) -> tuple[Plan, tuple[str, ...], str]:
        run: Run = self.runs.get(run_id)
        started = run.history().started
        if started is None:
            raise LabError(f"The run '{run.name}' has not started yet.", "Wait until it has saved an adapter.")
        return run.plan, started.labels, started.task

    def _base(self, plan: Plan, task: str, labels: tuple[str, ...]) -> Loaded:
        # A classifier's base has a head drawn from the run's seed; a generator's base is the same for all seeds.
        seed = plan.seed if task == CLASSIFY else 0
        return self._get(Key("", plan.model, task, labels, plan.precision, seed), None)

    def _adapted(self, run_id: str, plan: Plan, task: str, labels: tuple[str, ...]) -> Loaded:
        run = self.runs.get(run_id)
        key = Key(f"{run_id}@{run.adapter.stat().st_mtime_ns}", plan.model, task, labels, plan.precision, plan.seed)
        return self._get(key, run)

    def _get(self, key: Key, run: Run | None) -> Loaded:
        with self._loading:
            if key not in self._models:
                self._models[key] = self._load(key, run)
                while len(self._models) > self.keep:
                    self._models.popitem(last=False)
            self._models.move_to_end(key)
            return self._models[key]

    def _load(self, key: Key, run: Run | None) -> Loaded:
        from lab import methods
        from lab.data.encoding import Encoder
        from lab.models import loading
        from lab.models.randomness import alone

        count = max(len(key.labels), 2)
        shape = loading.shape(key.model, key.task, count)
        tokenizer = loading.tokenizer(key.model)
        virtual_tokens = 0
        with alone(key.seed):  # a new head and a new adapter are drawn at random
            model = loading.load(key.model, key.task, count, key.precision, where())
            if run is not None:
                method = methods.method(run.plan.method)
                model = method.load(model, run.adapter)
                virtual_tokens = method.virtual_tokens(methods.settings(run.plan))
        positions = shape.text_positions(virtual_tokens)
        encoder = Encoder(tokenizer, key.task, key.labels, positions or 2048, shape.family, positions)
        return Loaded(model.eval(), encoder, key.labels)

    # -- writing ----------------------------------------------------------------------------------

    def _write(
        self, loaded: Loaded, messages: Sequence[dict[str, str]], options: Options, base: Loaded | None
    ) -> Iterator[str]:
        from lab.chat.writing import write

        if not messages or not messages[-1]["content"].strip():
            raise LabError("There is nothing to answer.", "Write a message.")
        ids = (
            loaded.encoder.chat(messages)
            if loaded.encoder.family == "decoder"
            else loaded.encoder.prompt(messages[-1]["content"])
        )
        room = loaded.encoder.max_length - options.max_tokens
        if len(ids) > loaded.encoder.max_length - 1:
            raise LabError(
                f"The conversation has {len(ids)} tokens; the model reads {loaded.encoder.max_length}.",
                "Clear the chat, or write a shorter message.",
            )
        longest = options.max_tokens if room >= len(ids) else loaded.encoder.max_length - len(ids)
        with loaded.lock:
            yield from write(loaded, ids, options, longest, base)


def where() -> str:
    from lab.models.precision import device

    return device()
