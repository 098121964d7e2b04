"""What lies in a saved adapter, tensor by tensor, and whether it does the same once merged."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.insight.weights import about, whole
from lab.runs import Run


@dataclass(frozen=True)
class Entry:
    """One tensor of a file: its name, dimensions, type and bytes."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int


def tensors(folder: Path) -> dict[str, Any]:
    """All tensors of an adapter's folder, by name. Raises LabError if it holds none."""
    from safetensors.torch import load_file

    weights: dict[str, Any] = {}
    for file in sorted(folder.glob("*.safetensors")):
        weights |= load_file(str(file))
    if not weights:
        raise LabError(f"'{folder.name}' holds no safetensors file.", "Choose a run that has saved an adapter.")
    return weights


def entries(folder: Path) -> list[Entry]:
    """The tensors of an adapter in the order of their names."""
    return [
        Entry(name, tuple(item.shape), str(item.dtype).removeprefix("torch."), item.nbytes)
        for name, item in sorted(tensors(folder).items())
    ]


def disk(folder: Path) -> dict[str, int]:
    """The files of an adapter with their bytes."""
    return {file.name: file.stat().st_size for file in sorted(folder.iterdir()) if file.is_file()}


def factors(folder: Path) -> dict[str, tuple[Any, Any]]:
    """The pairs (A, B) of a low-rank adapter by the name of the module that they stand beside.

    A is r×k and B d×r, as the paper has them. Raises LabError if the adapter has no such pairs.
    """
    weights = tensors(folder)
    pairs = {
        name.removesuffix(".lora_A.weight").removeprefix("base_model.model."): (
            item.float(),
            weights[name.replace(".lora_A.", ".lora_B.")].float(),
        )
        for name, item in weights.items()
        if name.endswith(".lora_A.weight") and name.replace(".lora_A.", ".lora_B.") in weights
    }
    if not pairs:
        raise LabError("This adapter has no matrices A and B.", "Choose a run of a low-rank method.")
    return pairs


@dataclass(frozen=True)
class Merged:
    """The same texts through base, base with adapter and merged model.

    `moved` is the largest change of a logit by the adapter, `difference` the largest between adapter and merged
    model, `agreement` the share of positions at which the two choose the same token or label.
    """

    moved: float
    difference: float
    agreement: float
    adapter_bytes: int
    model_bytes: int


def merge(run: Run, texts: list[str]) -> Merged:
    """Merge a copy of the run's adapter into its base and compare the logits on `texts`.

    Raises LabError for a method that cannot be merged, or that trains the base's own weights (nothing to merge).
    """
    import torch

    from lab import methods
    from lab.methods import combine
    from lab.models import loading
    from lab.training.memory.ledger import held, storages

    method = methods.method(run.plan.method)
    if method.changes_base or not method.mergeable:
        why = "trains the base's own weights" if method.changes_base else "cannot be merged into the base's weights"
        raise LabError(f"{method.title} {why}.", "Choose a run of a method that adds an update, such as LoRA.")
    task, labels = about(run)
    tokenizer = loading.tokenizer(run.plan.model)
    base = whole(run.plan, task, labels)
    size = sum(storages(held(base)).values())
    batch = tokenizer(texts, return_tensors="pt", padding=True)
    inputs = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}
    positions = inputs["attention_mask"].bool() if task != "classify" else ...
    with torch.inference_mode():
        plain = base(**inputs).logits[positions]
        adapted = method.load(base, run.adapter)
        before = adapted(**inputs).logits[positions]
        after = combine.merge(method, adapted)(**inputs).logits[positions]
    return Merged(
        moved=float((before - plain).abs().max()),
        difference=float((after - before).abs().max()),
        agreement=float((before.argmax(-1) == after.argmax(-1)).float().mean()),
        adapter_bytes=run.bytes,
        model_bytes=size,
    )


@dataclass(frozen=True)
class Shared:
    """Bytes in memory of several tasks: one base with all adapters on it, against a full copy for each."""

    base: int
    adapters: tuple[int, ...]

    @property
    def together(self) -> int:
        return self.base + sum(self.adapters)

    @property
    def copies(self) -> int:
        return self.base * len(self.adapters)


def shared(runs: list[Run]) -> Shared:
    """Put the adapters of the runs on one base, one after the other, and count what the model holds.

    Raises LabError for runs of different bases or of a method that has no adapter to put beside others.
    """
    import peft

    from lab import methods
    from lab.methods.combine import attach
    from lab.training.memory.ledger import held, storages

    if len({run.plan.model for run in runs}) != 1:
        raise LabError("These runs belong to different bases.", "Choose runs of one base.")
    task, labels = about(runs[0])
    model = whole(runs[0].plan, task, labels)
    sizes = [sum(storages(held(model)).values())]
    for number, run in enumerate(runs):
        if number == 0:
            model = methods.method(run.plan.method).load(model, run.adapter)
            if not isinstance(model, peft.PeftModel):
                raise LabError(
                    f"{methods.method(run.plan.method).title} changes the base itself: tasks cannot share it.",
                    "Choose a method that adds an adapter.",
                )
        else:
            attach(model, f"task{number}", run.adapter)
        sizes.append(sum(storages(held(model)).values()))
    return Shared(sizes[0], tuple(after - before for before, after in pairwise(sizes)))
