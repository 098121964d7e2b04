"""The training loop: a plan goes in, events come out.

`train` is a plain generator. It knows no thread, no widget and no method by name: whoever pulls its events decides
where it runs and when it pauses. A failure is its last event, never an exception.
"""

from __future__ import annotations

import logging
import math
import shutil
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from lab.compat.torch import out_of_memory
from lab.errors import REMOVED, LabError, unwritable
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
from lab.runs import Run
from lab.training import fingerprint

if TYPE_CHECKING:
    from lab.history import History
    from lab.training.evaluation import Evaluator
    from lab.training.job import Job
    from lab.training.step import Batch, NotFinite, OptimizerStep

log = logging.getLogger(__name__)


def train(plan: Plan, stop: threading.Event, folder: Path, resume: bool = False) -> Iterator[Event]:
    """Train by the plan; what is learned is written to `folder/adapter`.

    `stop` ends the run after the step that is being made; what was learned by then is kept. `resume` goes on from
    `folder/checkpoint`. The last event is always `Finished`. A folder whose run is done is left as it is.
    """
    from lab.models import room

    began = time.monotonic()
    run = Session(plan, stop, folder)
    status, error, hint = FAILED, "", ""
    try:
        Run(folder).check_unfinished()
        folder.mkdir(parents=True, exist_ok=True)
        status = yield from run.events(Run(folder).history() if resume else None)
    except LabError as problem:
        error, hint = problem.message, problem.hint
    except Exception as problem:
        error, hint = run.explain(problem)
    yield Finished(status, run.step, error, hint, run.earlier + time.monotonic() - began, run.earlier)
    room.tidy()  # the hooks of model and ledger hold each other: the next training needs their memory


@dataclass
class Loaded:
    """What a training works with, once everything is loaded."""

    job: Job
    model: Any
    step: OptimizerStep
    evaluator: Evaluator


class Session:
    """One training from its plan to its adapter, or from a checkpoint on.

    `step` is the last step that was made and `evaluated` the last whose evaluation is whole; `seconds` are those of
    all steps and `earlier` those of the sessions before this one.
    """

    def __init__(self, plan: Plan, stop: threading.Event, folder: Path) -> None:
        self.plan, self.stop, self.folder = plan, stop, folder
        self.step = 0
        self.evaluated = -1
        self.seconds = self.earlier = 0.0
        self.memory = Memory()

    # -- the course of a run ----------------------------------------------------------------------

    def events(self, history: History | None) -> Generator[Event, None, str]:
        """The events from the first stage to the last save; returns the status.

        `history` is what is known of a run that goes on from its checkpoint, None for one that starts.
        """
        from lab.models.randomness import taking_turns

        self.earlier = history.seconds if history else 0.0
        loaded = yield from self._load()
        if (self.folder / "run.json").is_file():  # a bare folder may be trained into as well
            yield from fingerprint.note(Run(self.folder), resumed=history is not None)
        if history:
            yield from self._resume(loaded, history)
        yield self._started(loaded)
        if not history:
            yield from self._evaluate_base(loaded)
        yield Stage("Training")
        with taking_turns():
            rows = self._rows(loaded)
        job = loaded.job
        if self._lacks_evaluation(job):
            yield from self._evaluate(loaded, loaded.model)
        while self.step < job.steps and not self.stop.is_set():
            with taking_turns():
                step = self._one_step(loaded, rows)
            yield step
            if self._lacks_evaluation(job):
                yield from self._evaluate(loaded, loaded.model)
            if self.step % job.save_every == 0 and self.step < job.steps:
                yield self._checkpoint(loaded)
        yield Stage("Saving the adapter")
        if self.step < job.steps or self._lacks_evaluation(job):
            yield self._checkpoint(loaded)  # a stopped run can be taken up again
            yield self._save(loaded)
            return STOPPED
        yield self._save(loaded)
        shutil.rmtree(self.folder / "checkpoint", ignore_errors=True)
        return DONE

    def _resume(self, loaded: Loaded, history: History) -> Iterator[Event]:
        """Go back to where the checkpoint was written; an evaluation of the base that is missing is made first."""
        from lab.models.randomness import taking_turns

        if history.base is None:  # what the checkpoint holds may hide the base
            yield from self._evaluate_base(loaded)
        yield Stage("Going on from the checkpoint")
        with taking_turns():
            self._restore(loaded)
        if any(item.step == self.step and not item.base for item in history.evaluations):
            self.evaluated = self.step

    def _lacks_evaluation(self, job: Job) -> bool:
        """Whether the evaluation that is due after this step has not been made to its end."""
        due = self.step > 0 and (self.step % job.eval_every == 0 or self.step == job.steps)
        return due and self.evaluated != self.step

    def _load(self) -> Generator[Event, None, Loaded]:
        import torch

        from lab.models import loading, room
        from lab.models.randomness import taking_turns
        from lab.training.evaluation import Evaluator
        from lab.training.job import resolve
        from lab.training.memory.ledger import Ledger, held, storages
        from lab.training.optimizers import optimizer
        from lab.training.step import OptimizerStep

        plan, training = self.plan, self.plan.training
        yield Stage("Reading the data")
        job = resolve(plan)
        for note in job.data.notes:
            yield Warned(note)
        yield Stage("Loading the base")
        job.check()
        for warning in job.warnings:
            yield Warned(warning.message, warning.hint)
        method = job.method
        room.ensure(job.device, job.estimate.at_once)
        with taking_turns():
            torch.manual_seed(plan.seed)
            model = loading.load(plan.model, job.data.task, job.num_labels, plan.precision, job.device)
            base = storages(held(model))
            model = method.apply(model, job.settings, job.shape)
        model.train()
        if training.gradient_checkpointing:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
            model.enable_input_require_grads()
        chosen = optimizer(method.groups(model, job.settings, training), training, job.device)
        for group in chosen.param_groups:
            group["peak_lr"] = group["lr"]
        step = OptimizerStep(
            model,
            chosen,
            job.device,
            training.clip,
            regularizer=lambda: method.loss(model, job.settings),
            after_update=lambda: method.after_step(model, job.settings, self.step + 1, job.steps),
            meter=Ledger(model, base, chosen, job.device),
        )
        evaluator = Evaluator(
            job.data, job.encoder, job.device, training.eval_rows, training.reply_rows, lambda: self.stop.is_set()
        )
        return Loaded(job, model, step, evaluator)

    def _started(self, loaded: Loaded) -> Started:
        from lab.data import sampling
        from lab.models.precision import device_title

        job = loaded.job
        sizes = {name: count_of(item) for name, item in loaded.model.named_parameters()}
        wanted = {name for name, item in loaded.model.named_parameters() if item.requires_grad}
        return Started(
            steps=job.steps,
            total=sum(sizes.values()),
            trainable=sum(sizes[name] for name in wanted),
            task=job.data.task,
            metric=job.data.metric,
            device=device_title(),
            train_rows=len(job.data.train),
            eval_rows=len(loaded.evaluator.examples),
            labels=tuple(job.data.labels),
            first_step=self.step,
            reply_rows=0 if job.data.task == CLASSIFY else len(loaded.evaluator.replies),
            train_total=job.data.train_total,
            eval_total=len(job.data.validation),
            sampling=sampling.describe(job.data.by_label),
        )

    def _rows(self, loaded: Loaded) -> Iterator[int]:
        """The row numbers still to be seen. Seeds torch too, so that dropout is that of an unbroken run."""
        import torch

        from lab.data.encoding import order

        rows = order(len(loaded.job.data.train), self.plan.seed)
        for _ in range(self.step * loaded.job.rows_per_step):
            next(rows)
        if self.step == 0:
            torch.manual_seed(self.plan.seed)
        return rows

    # -- one step ---------------------------------------------------------------------------------

    def _one_step(self, loaded: Loaded, rows: Iterator[int]) -> Step:
        from lab.training.optimizers import factor
        from lab.training.step import NotFinite

        training = self.plan.training
        began = time.perf_counter()
        share = factor(self.step, loaded.job.steps, training)
        for group in loaded.step.optimizer.param_groups:
            group["lr"] = group["peak_lr"] * share
        try:
            result = loaded.step([self._batch(loaded.job, rows) for _ in range(training.accumulation)])
        except NotFinite as error:
            self._diverged(loaded, error)
        self.step += 1
        self.memory = result.memory
        self.seconds += time.perf_counter() - began
        return Step(
            step=self.step,
            loss=result.loss,
            lr=training.learning_rate * share,
            grad_norm=result.grad_norm,
            tokens=result.tokens,
            seconds=self.seconds,
            memory=result.memory,
        )

    def _batch(self, job: Job, rows: Iterator[int]) -> Batch:
        """The next rows as a batch."""
        examples = [job.data.train[next(rows)] for _ in range(self.plan.training.batch_size)]
        return job.encoder.collate([job.encoder.encode(item.input, item.target) for item in examples])

    def _diverged(self, loaded: Loaded, error: NotFinite) -> NoReturn:
        """Keep the last good state and say so. Raises LabError always."""
        message = f"{error} at step {self.step + 1}."
        saved = "Nothing was kept: it went wrong before the first checkpoint."
        weights_are_bad = error.quantity == "loss"  # an earlier update spoiled them; a bad gradient was not applied
        has_checkpoint = (self.folder / "checkpoint").is_dir()
        if weights_are_bad and has_checkpoint:
            self._restore(loaded)
        if self.step and (has_checkpoint or not weights_are_bad):
            self._save(loaded)
            saved = f"The adapter of step {self.step} was kept."
        rate = self.plan.training.learning_rate
        raise LabError(f"{message} {saved}", f"Lower the learning rate (now {rate:g}), or clip the gradient.")

    # -- evaluating and saving --------------------------------------------------------------------

    def _evaluate_base(self, loaded: Loaded) -> Iterator[Event]:
        with loaded.job.method.disabled(loaded.model) as base:
            yield from self._evaluate(loaded, base, is_base=True)

    def _evaluate(self, loaded: Loaded, model: Any, is_base: bool = False) -> Iterator[Event]:
        """The events of an evaluation; none but its stage if it is stopped before its end."""
        import torch

        yield Stage("Evaluating the base" if is_base else "Evaluating")
        began = time.perf_counter()
        scores = loaded.evaluator.evaluate(model)
        if scores is None:
            return
        seconds = time.perf_counter() - began
        yield Evaluated(
            self.step, scores.loss, scores.score, scores.metrics, scores.general, base=is_base, seconds=seconds
        )
        if not is_base:
            self.evaluated = self.step
        if loaded.job.data.task != CLASSIFY:
            prompt = self.plan.training.sample or next(
                iter(loaded.job.data.prompts), loaded.job.data.validation[0].input
            )
            model.eval()
            with torch.inference_mode():
                reply = loaded.evaluator.write([prompt], model)[0]
            loaded.model.train()
            yield Sample(self.step, prompt, reply, is_base)
        if not is_base:
            facts = loaded.job.method.report(loaded.model)
            if facts:
                yield Reported(self.step, facts)
            yield Stage("Training")

    def _checkpoint(self, loaded: Loaded) -> Saved:
        from lab.training import checkpoint

        size = checkpoint.save(
            self.folder / "checkpoint",
            self.step,
            self.seconds,
            loaded.job.method.state(loaded.model),
            loaded.step.optimizer,
        )
        return Saved(self.step, "checkpoint", size)

    def _restore(self, loaded: Loaded) -> None:
        from lab.training import checkpoint

        step, seconds, tensors, plain = checkpoint.read(self.folder / "checkpoint")
        loaded.job.method.restore(loaded.model, checkpoint.part(tensors, "state"))
        checkpoint.restore_optimizer(loaded.step.optimizer, tensors, plain)
        checkpoint.restore_random(tensors)
        self.step, self.seconds = step, seconds

    def _save(self, loaded: Loaded) -> Saved:
        """Write the adapter whole or not at all."""
        from lab.training.checkpoint import replaced

        whole = self.folder / "adapter"
        with replaced(whole) as part:
            loaded.job.method.save(loaded.model, part)
            readme = part / "README.md"  # peft's template, all placeholders; a card is made when one is published
            readme.unlink(missing_ok=True)
        return Saved(self.step, "adapter", sum(f.stat().st_size for f in whole.glob("**/*") if f.is_file()))

    # -- faults -----------------------------------------------------------------------------------

    def explain(self, problem: Exception) -> tuple[str, str]:
        """One sentence and a hint for an exception that is not the lab's own."""
        from lab.models import room
        from lab.training.memory.estimate import relief

        text = str(problem)
        if out_of_memory(problem):
            return room.EXHAUSTED, relief(self.memory, self.plan)
        if not self.folder.is_dir():
            return REMOVED
        if error := unwritable(problem):
            return error.message, error.hint
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
