"""The training loop: a plan goes in, events come out.

`train` is a plain generator. It knows no thread, no widget and no method by name: whoever pulls its events decides
where it runs and when it pauses. A failure is its last event, never an exception.
"""

from __future__ import annotations

import errno
import logging
import math
import shutil
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.events import (
    DONE,
    FAILED,
    STOPPED,
    Evaluated,
    Event,
    Finished,
    Memory,
    Reported,
    Sample,
    Saved,
    Stage,
    Started,
    Step,
    Warned,
)
from lab.plan import CLASSIFY, Plan

log = logging.getLogger(__name__)


def train(plan: Plan, stop: threading.Event, folder: Path, resume: bool = False) -> Iterator[Event]:
    """Train by the plan; what is learned is written to `folder/adapter`.

    `stop` ends the run after the step that is being made; what was learned by then is kept. `resume` goes on from
    `folder/checkpoint`. The last event is always `Finished`.
    """
    from lab.models import room

    began = time.monotonic()
    run = Session(plan, stop, folder)
    status, error, hint = FAILED, "", ""
    try:
        status = yield from run.events(resume)
    except LabError as problem:
        error, hint = problem.message, problem.hint
    except Exception as problem:
        error, hint = run.explain(problem)
    yield Finished(status, run.step, error, hint, time.monotonic() - began)
    room.tidy()  # the hooks of model and ledger hold each other: the next training needs their memory


@dataclass
class Loaded:
    """What a training works with, once everything is loaded."""

    data: Any
    encoder: Any
    model: Any
    optimizer: Any
    evaluator: Any
    ledger: Any
    steps: int


class Session:
    """One training from its plan to its adapter. `step` is the last step that was made."""

    def __init__(self, plan: Plan, stop: threading.Event, folder: Path) -> None:
        from lab import methods
        from lab.models import precision

        self.plan, self.stop, self.folder = plan, stop, folder
        #: None for a type that only peft knows, until it is loaded.
        self.method: Any = methods.METHODS.get(plan.method)
        self.where = precision.device()
        self.step = 0
        self.seconds = 0.0
        self.memory = Memory()
        self.settings: Any = None

    # -- the course of a run ----------------------------------------------------------------------

    def events(self, resume: bool) -> Generator[Event, None, str]:
        """The events from the first stage to the last save; returns the status."""
        from lab.models.randomness import taking_turns

        loaded = yield from self._load()
        if resume:
            yield Stage("Going on from the checkpoint")
            with taking_turns():
                self._restore(loaded)
        yield self._started(loaded)
        if not resume:
            with self.method.disabled(loaded.model) as base:
                yield from self._evaluate(loaded, base, is_base=True)
        yield Stage("Training")
        with taking_turns():
            rows = self._rows(loaded)
        every = self.plan.training.eval_every or loaded.steps
        save_every = self.plan.training.save_every or every
        while self.step < loaded.steps and not self.stop.is_set():
            with taking_turns():
                step = self._one_step(loaded, rows)
            yield step
            if self.step % every == 0 or self.step == loaded.steps:
                yield from self._evaluate(loaded, loaded.model)
            if self.step % save_every == 0 and self.step < loaded.steps:
                yield self._checkpoint(loaded)
        yield Stage("Saving the adapter")
        if self.stop.is_set() and self.step < loaded.steps:
            yield self._checkpoint(loaded)  # a stopped run can be taken up again
            yield self._save(loaded)
            return STOPPED
        yield self._save(loaded)
        shutil.rmtree(self.folder / "checkpoint", ignore_errors=True)
        return DONE

    def _load(self) -> Generator[Event, None, Loaded]:
        import torch

        from lab import methods
        from lab.data import tasks
        from lab.data.encoding import Encoder
        from lab.models import loading, room
        from lab.models.randomness import taking_turns
        from lab.training.check import refusal
        from lab.training.estimate import estimate
        from lab.training.evaluation import Evaluator
        from lab.training.ledger import Ledger, held, storages
        from lab.training.optimizers import optimizer

        plan, training = self.plan, self.plan.training
        self.method = methods.method(plan.method)
        settings = methods.settings(plan)
        yield Stage("Reading the data")
        data = tasks.prepare(plan.data)
        for note in data.notes:
            yield Warned(note)
        yield Stage("Loading the base")
        shape = loading.shape(plan.model, data.task, max(len(data.labels), 2))
        if reason := refusal(plan, shape):
            raise LabError(reason.message, reason.hint)
        for warning in self.method.warnings(settings, shape):
            yield Warned(warning.message, warning.hint)
        if shape.max_length and training.max_length > shape.max_length:
            yield Warned(
                f"The model reads {shape.max_length} tokens at most; longer examples are cut there, not at "
                f"{training.max_length}."
            )
        tokenizer = loading.tokenizer(plan.model)
        longest = min(training.max_length, shape.max_length or training.max_length)
        positions = shape.text_positions(self.method.virtual_tokens(settings))
        encoder = Encoder(tokenizer, data.task, data.labels, longest, shape.family, positions)
        steps = self._steps(len(data.train))
        room.ensure(self.where, estimate(shape, self.method, settings, plan.precision, training).at_once)
        settings = self.settings = self.method.prepare(settings, steps)
        with taking_turns():
            torch.manual_seed(plan.seed)
            model = loading.load(plan.model, data.task, max(len(data.labels), 2), plan.precision, self.where)
            base = storages(held(model))
            model = self.method.apply(model, settings, shape)
        model.train()
        if training.gradient_checkpointing:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
            model.enable_input_require_grads()
        chosen = optimizer(self.method.groups(model, settings, training), training, self.where)
        for group in chosen.param_groups:
            group["peak_lr"] = group["lr"]
        evaluator = Evaluator(
            data, encoder, self.where, training.eval_rows, training.reply_rows, lambda: self.stop.is_set()
        )
        return Loaded(data, encoder, model, chosen, evaluator, Ledger(model, base, chosen, self.where), steps)

    def _steps(self, rows: int) -> int:
        training = self.plan.training
        a_step = training.batch_size * training.accumulation
        return training.steps or max(1, math.ceil(training.epochs * rows / a_step))

    def _started(self, loaded: Loaded) -> Started:
        from lab.models.precision import device_title

        sizes = {name: count_of(item) for name, item in loaded.model.named_parameters()}
        wanted = {name for name, item in loaded.model.named_parameters() if item.requires_grad}
        return Started(
            steps=loaded.steps,
            total=sum(sizes.values()),
            trainable=sum(sizes[name] for name in wanted),
            task=loaded.data.task,
            metric=loaded.data.metric,
            device=device_title(),
            train_rows=len(loaded.data.train),
            eval_rows=len(loaded.evaluator.examples),
            labels=tuple(loaded.data.labels),
            first_step=self.step,
        )

    def _rows(self, loaded: Loaded) -> Iterator[int]:
        """The row numbers still to be seen. Seeds torch too, so that dropout is that of an unbroken run."""
        import torch

        from lab.data.encoding import order

        rows = order(len(loaded.data.train), self.plan.seed)
        for _ in range(self.step * self.plan.training.batch_size * self.plan.training.accumulation):
            next(rows)
        if self.step == 0:
            torch.manual_seed(self.plan.seed)
        return rows

    # -- one step ---------------------------------------------------------------------------------

    def _one_step(self, loaded: Loaded, rows: Iterator[int]) -> Step:
        import torch

        from lab.data.encoding import learned
        from lab.training.optimizers import factor

        training = self.plan.training
        began = time.perf_counter()
        share = factor(self.step, loaded.steps, training)
        for group in loaded.optimizer.param_groups:
            group["lr"] = group["peak_lr"] * share
        examples = loaded.data.train
        batches = [
            loaded.encoder.collate(
                [
                    loaded.encoder.encode(row.input, row.target)
                    for row in (examples[next(rows)] for _ in range(training.batch_size))
                ]
            )
            for _ in range(training.accumulation)
        ]
        counts = [learned(batch) for batch in batches]
        total = sum(counts) or 1
        tokens = sum(int(batch["attention_mask"].sum()) for batch in batches)
        value = 0.0
        for batch, count in zip(batches, counts):
            with loaded.ledger.watching():
                # The mean over all that is learned in the step, however it is spread over its passes.
                output = loaded.model(**{name: item.to(self.where) for name, item in batch.items()})
                loss = output.loss * (count / total)
                extra = self.method.loss(loaded.model, self.settings)
                whole = loss if extra is None else loss + extra / len(batches)
            value += loss.item()
            if not math.isfinite(value):
                self._diverged(loaded, f"The loss became {value:g} at step {self.step + 1}.", learned_badly=True)
            loaded.ledger.loss_made(output.get("logits"))
            del output, loss, extra  # the logits themselves are not needed any more
            whole.backward()
            del whole
        trained = [item for group in loaded.optimizer.param_groups for item in group["params"]]
        norm = torch.nn.utils.clip_grad_norm_(trained, training.clip or math.inf).item()
        if not math.isfinite(norm):
            self._diverged(loaded, f"The gradient became {norm:g} at step {self.step + 1}.", learned_badly=False)
        loaded.optimizer.step()
        self.step += 1
        self.method.after_step(loaded.model, self.settings, self.step, loaded.steps)
        loaded.optimizer.zero_grad(set_to_none=True)
        self.memory = loaded.ledger.peak()
        loaded.ledger.cleared()
        self.seconds += time.perf_counter() - began
        return Step(
            step=self.step,
            loss=value,
            lr=training.learning_rate * share,
            grad_norm=norm,
            tokens=tokens,
            seconds=self.seconds,
            memory=self.memory,
        )

    def _diverged(self, loaded: Loaded, message: str, learned_badly: bool) -> None:
        """Keep the last good state and say so. Raises LabError always."""
        kept = "Nothing was kept: it went wrong before the first checkpoint."
        if learned_badly and (self.folder / "checkpoint").is_dir():
            self._restore(loaded)
        if self.step and not (learned_badly and not (self.folder / "checkpoint").is_dir()):
            self._save(loaded)
            kept = f"The adapter of step {self.step} was kept."
        rate = self.plan.training.learning_rate
        raise LabError(f"{message} {kept}", f"Lower the learning rate (now {rate:g}), or clip the gradient.")

    # -- evaluating and saving --------------------------------------------------------------------

    def _evaluate(self, loaded: Loaded, model: Any, is_base: bool = False) -> Iterator[Event]:
        import torch

        yield Stage("Evaluating the base" if is_base else "Evaluating")
        began = time.perf_counter()
        loss, score, metrics, general = loaded.evaluator.evaluate(model)
        if self.stop.is_set() and not is_base:
            return
        yield Evaluated(self.step, loss, score, metrics, general, is_base, time.perf_counter() - began)
        if loaded.data.task != CLASSIFY:
            prompt = self.plan.training.sample or next(iter(loaded.data.prompts), loaded.data.validation[0].input)
            model.eval()
            with torch.inference_mode():
                reply = loaded.evaluator.write([prompt], model)[0]
            loaded.model.train()
            yield Sample(self.step, prompt, reply, is_base)
        if not is_base:
            facts = self.method.report(loaded.model)
            if facts:
                yield Reported(self.step, facts)
            yield Stage("Training")

    def _checkpoint(self, loaded: Loaded) -> Saved:
        from lab.training import checkpoint

        size = checkpoint.save(
            self.folder / "checkpoint",
            self.step,
            self.seconds,
            self.method.state(loaded.model),
            loaded.optimizer,
        )
        return Saved(self.step, "checkpoint", size)

    def _restore(self, loaded: Loaded) -> None:
        from lab.training import checkpoint

        step, seconds, tensors, plain = checkpoint.read(self.folder / "checkpoint")
        self.method.restore(loaded.model, checkpoint.part(tensors, "state"))
        checkpoint.restore_optimizer(loaded.optimizer, tensors, plain)
        checkpoint.restore_random(tensors)
        self.step, self.seconds = step, seconds

    def _save(self, loaded: Loaded) -> Saved:
        """Write the adapter whole or not at all."""
        part, whole = self.folder / "adapter.part", self.folder / "adapter"
        shutil.rmtree(part, ignore_errors=True)
        self.method.save(loaded.model, part)
        readme = part / "README.md"  # peft's template, all placeholders; a card is made when one is published
        readme.unlink(missing_ok=True)
        shutil.rmtree(whole, ignore_errors=True)
        part.rename(whole)
        return Saved(self.step, "adapter", sum(f.stat().st_size for f in whole.glob("**/*") if f.is_file()))

    # -- faults -----------------------------------------------------------------------------------

    def explain(self, problem: Exception) -> tuple[str, str]:
        """One sentence and a hint for an exception that is not the lab's own."""
        from lab.models import room
        from lab.training.estimate import relief

        text = str(problem)
        if room.exhausted(problem):
            return room.EXHAUSTED, relief(self.memory, self.plan)
        if getattr(problem, "errno", None) == errno.ENOSPC or "No space left" in text:
            return "The disk is full: the run could not be saved.", "Make room, then resume the run."
        if isinstance(problem, PermissionError):
            return f"The folder of the run cannot be written: {problem.strerror}.", "Check its permissions."
        log.exception("training failed")
        first = text.strip().splitlines()[0] if text.strip() else ""
        return (
            f"Something unexpected went wrong ({type(problem).__name__}: {first[:200]}).",
            "The log has the details.",
        )


def count_of(parameter: Any) -> int:
    """Elements of a parameter; a 4-bit one packs two in a byte, and says its real shape in its quantization state."""
    state = getattr(parameter, "quant_state", None)
    return math.prod(state.shape) if state is not None else parameter.numel()
