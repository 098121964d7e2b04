"""Methods that train a selection of the base's own parameters and add none.

What was learned is saved as the new values of those parameters: `selection.safetensors`, with the names it holds.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.errors import LabError, Reason
from lab.methods.base import Method, Term, head_terms, swapped
from lab.models.shape import ModelShape, Parameter
from lab.plan import Precision, Training

WEIGHTS = "selection.safetensors"


class SelectionMethod(Method):
    """Trains those of the base's own parameters that `selects` names, and the classification head."""

    mergeable = True
    changes_base = True
    inference = "none: the changed weights take the place of the old"

    @abstractmethod
    def selects(self, parameter: Parameter, settings: Any, shape: ModelShape) -> bool:
        """Whether the parameter is trained."""

    def selected(self, settings: Any, shape: ModelShape) -> list[Parameter]:
        """The parameters of the base that are trained, the head left out."""
        head = {item.name for item in shape.head_parameters()}
        return [item for item in shape.parameters if item.name not in head and self.selects(item, settings, shape)]

    def terms(self, settings: Any, shape: ModelShape) -> list[Term]:
        chosen = []
        for item in self.selected(settings, shape):
            module, _, name = item.name.rpartition(".")
            chosen.append(Term(name, module, item.shape, "·".join(map(str, item.shape))))
        return chosen + head_terms(shape)

    def apply(self, model: Any, settings: Any, shape: ModelShape) -> Any:
        import torch

        trained = {item.name for item in (*self.selected(settings, shape), *shape.head_parameters())}
        originals: dict[str, torch.Tensor] = {}
        for name, item in model.named_parameters():
            item.requires_grad_(name in trained)
            if item.requires_grad:
                originals[name] = item.detach().to("cpu", copy=True)
        model.originals = originals
        return model

    def save(self, model: Any, folder: Path) -> None:
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: item.contiguous().cpu() for name, item in self.state(model).items()}
        save_file(tensors, str(folder / WEIGHTS), metadata={"format": "pt"})
        (folder / "selection.json").write_text(
            json.dumps({"method": self.key, "parameters": sorted(tensors)}, indent=1), encoding="utf-8"
        )

    def load(self, base: Any, folder: Path) -> Any:
        import torch
        from safetensors.torch import load_file

        if not (folder / WEIGHTS).is_file():
            raise LabError(f"The trained weights ({WEIGHTS}) are missing.", "Train again, or choose another run.")
        try:
            tensors = load_file(str(folder / WEIGHTS))
        except Exception:
            raise LabError(f"{WEIGHTS} is damaged.", "Train again, or choose another run.") from None
        own = dict(base.named_parameters())
        for name, value in tensors.items():
            if name not in own or own[name].shape != value.shape:
                have = tuple(own[name].shape) if name in own else "nothing of that name"
                raise LabError(
                    f"These weights belong to another base: '{name}' is {tuple(value.shape)}, the base has {have}.",
                    "Choose the base that the run was trained on.",
                )
        originals = {name: own[name].detach().to("cpu", copy=True) for name in tensors}
        with torch.no_grad():
            for name, value in tensors.items():
                own[name].copy_(value)
        base.originals = originals
        return base

    def source(self, settings: Any, shape: ModelShape) -> tuple[str, ...]:
        trained = [*self.selected(settings, shape), *shape.head_parameters()]
        if len(trained) == len(shape.parameters):
            return ("model.requires_grad_(True)",)
        listed = "".join(f"    {item.name!r},\n" for item in trained)
        return (
            f"trained = {{\n{listed}}}",
            "for name, parameter in model.named_parameters():\n    parameter.requires_grad_(name in trained)",
        )

    @contextmanager
    def disabled(self, model: Any) -> Iterator[Any]:
        with swapped(model, model.originals):
            yield model

    def compatible(
        self, settings: Any, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        if precision.quantized:
            from lab.models.precision import quantized_modules

            coarse = {f"{item.name}.weight" for item in quantized_modules(shape)}
            if any(item.name in coarse for item in self.selected(settings, shape)):
                return Reason(
                    f"Weights stored as {precision.weights} cannot be trained: they are too coarse for a gradient.",
                    "Choose fp32, bf16 or fp16 as the base precision, or a method that adds parameters.",
                )
        if not self.terms(settings, shape):
            return self.empty(settings, shape)
        return super().compatible(settings, shape, precision, training)

    def empty(self, settings: Any, shape: ModelShape) -> Reason:
        """What to say where nothing of the model is selected."""
        return Reason(
            f"{self.title} finds nothing to train in {shape.architecture}.", "Choose another method or model."
        )
