"""The receipt of an artifact: it is loaded again in a fresh process and held against the run.

Run as a module, this file is that process: it is handed a run, an artifact's key and its file, and prints what the
model in the file computes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import artifacts, methods
from lab.artifacts.base import LoadableArtifact
from lab.errors import LabError
from lab.plan import CLASSIFY
from lab.runs import Run

if TYPE_CHECKING:
    import torch

#: Prompts that both models are given, and tokens of a reply.
PROMPTS, REPLY = 10, 16

#: Seconds after which the fresh process counts as hung.
PATIENCE = 600


@dataclass(frozen=True)
class Outputs:
    """What a model computes for the prompts: the logits of the next token or of the labels, and its replies.

    `logits` is (prompts, vocabulary or labels), in fp32 on the CPU; `replies` are texts, or labels of a classifier.
    """

    logits: torch.Tensor
    replies: tuple[str, ...]


@dataclass(frozen=True)
class Receipt:
    """How far an artifact, loaded in a fresh process, is from the run that it was written from."""

    artifact: str
    prompts: int
    largest_difference: float  # of any logit
    equal_replies: int
    tolerance: float
    seconds: float

    @property
    def holds(self) -> bool:
        return self.largest_difference <= self.tolerance and self.equal_replies == self.prompts

    def sentence(self) -> str:
        """What a person reads."""
        return (
            f"Loaded again in a fresh process: largest difference of logits {self.largest_difference:.2g}, "
            f"{self.equal_replies} of {self.prompts} replies equal."
        )


def receipt(run: Run, key: str, file: Path) -> Receipt:
    """Load the artifact in a fresh process and compare it with the run's own adapter.

    Raises LabError if the kind holds no model, or if the fresh process cannot load the file.
    """
    chosen = _loadable(key)
    start = time.monotonic()
    own = outputs(run, lambda base: methods.method(run.plan.method).load(base, run.adapter))
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "outputs.safetensors"
        command = [sys.executable, "-m", __name__, str(run.folder.resolve()), key, str(file.resolve()), str(result)]
        try:
            child = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            raise LabError("The artifact could not be loaded again in ten minutes.", "Export it again.") from None
        if child.returncode or not result.is_file():
            lines = child.stdout.strip().splitlines() or child.stderr.strip().splitlines() or ["it ended silently"]
            raise LabError(f"The artifact cannot be loaded again: {lines[-1][:300]}", "Export it again.")
        fresh = _read(result)
    equal = sum(first == second for first, second in zip(own.replies, fresh.replies))
    same_shape = own.logits.shape == fresh.logits.shape
    difference = float((own.logits - fresh.logits).abs().max()) if same_shape else float("inf")
    return Receipt(key, len(own.replies), difference, equal, chosen.tolerance, time.monotonic() - start)


def checked(run: Run, key: str, file: Path) -> Receipt:
    """The receipt. Raises LabError and removes the file if the artifact is not what the run learned."""
    try:
        proof = receipt(run, key, file)
    except LabError:
        file.unlink(missing_ok=True)
        raise
    if not proof.holds:
        file.unlink(missing_ok=True)
        raise LabError(
            f"The exported file is not what the run learned, so it was removed. {proof.sentence()}",
            "Export it again; if it happens twice, report it.",
        )
    return proof


def outputs(run: Run, load: Callable[[Any], Any]) -> Outputs:
    """What a model computes for the first validation rows; `load` puts it on a fresh copy of the run's base."""
    import torch

    from lab.models import loading
    from lab.models.randomness import alone
    from lab.training.evaluation import generate
    from lab.training.job import resolve

    job = resolve(run.plan)
    with alone(run.plan.seed):  # what a method draws at random is drawn alike in both processes
        base = loading.load(run.plan.model, job.data.task, job.num_labels, run.plan.precision, job.device)
        model = load(base).eval()
    texts = [item.input for item in job.data.validation[:PROMPTS]]
    logits, replies = [], []
    with torch.inference_mode():
        for text in texts:
            ids = job.encoder.text(text) if job.data.task == CLASSIFY else job.encoder.prompt(text)
            batch = {"input_ids": torch.tensor([ids], device=job.device)}
            batch["attention_mask"] = torch.ones_like(batch["input_ids"])
            if job.shape.family == "encoder-decoder":
                batch["decoder_input_ids"] = torch.full((1, 1), model.config.decoder_start_token_id)
            scores = model(**batch).logits.float().cpu()
            logits.append(scores[0] if scores.dim() == 2 else scores[0, -1])
            if job.data.task == CLASSIFY:
                replies.append(job.data.labels[int(logits[-1].argmax())])
            else:
                replies += generate(model, job.encoder, [ids], job.device, REPLY)
    return Outputs(torch.stack(logits), tuple(replies))


def _loadable(key: str) -> LoadableArtifact:
    chosen = artifacts.artifact(key)
    if not isinstance(chosen, LoadableArtifact):
        raise LabError(f"{chosen.title} holds no model, so there is nothing to load again.", "")
    return chosen


def _read(file: Path) -> Outputs:
    from safetensors import safe_open

    with safe_open(str(file), framework="pt") as opened:
        return Outputs(opened.get_tensor("logits"), tuple(json.loads(opened.metadata()["replies"])))


def main(arguments: list[str]) -> int:
    """The fresh process; the exit status."""
    from safetensors.torch import save_file

    folder, key, file, result = arguments
    run = Run(Path(folder))
    try:
        fresh = outputs(run, lambda base: _loadable(key).load(run, Path(file), base))
    except LabError as error:
        print(f"{error.message} {error.hint}".strip())
        return 1
    save_file({"logits": fresh.logits.contiguous()}, result, metadata={"replies": json.dumps(fresh.replies)})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
