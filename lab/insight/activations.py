"""What bottleneck adapters do to the activations of a text: their norms before and after each adapter."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lab.errors import LabError


@dataclass(frozen=True)
class Norms:
    """One adapter on one text; every figure is the mean over the tokens.

    `before` is the Euclidean norm of the sub-layer's output, `added` that of what the adapter adds, `after` that of
    their sum. `cosine` tells the direction of the change: 1 stretches the output, 0 is at right angles to it.
    `silent` is the share of the bottleneck's units whose non-linearity gives less than a hundredth of the largest
    unit's magnitude (for ReLU mostly exact zeros), `inner` the values before the non-linearity.
    """

    module: str
    layer: int | None
    before: float
    added: float
    after: float
    cosine: float
    silent: float
    inner: tuple[float, ...]

    @property
    def share(self) -> float:
        """Length of what is added against that of what was there."""
        return self.added / self.before if self.before else 0.0


@contextmanager
def _watching(model: Any) -> Any:
    """Within the context, what each adapter's sub-layer gives, what comes after it and what is inside."""
    from lab.methods.bottleneck.tuner import BottleneckLayer

    recorded: dict[str, dict[str, Any]] = {}
    handles = []
    for name, layer in model.named_modules():
        if not isinstance(layer, BottleneckLayer):
            continue
        record = recorded.setdefault(name, {})
        active = layer.active_adapters[0]
        if active not in layer.bottleneck_down:
            continue

        def keep(key: str, record: dict[str, Any] = record) -> Any:
            return lambda _module, _given, out: record.__setitem__(key, out.detach().float())

        handles += [
            layer.base_layer.register_forward_hook(keep("before")),
            layer.bottleneck_down[active].register_forward_hook(keep("inner")),
            layer.bottleneck_act[active].register_forward_hook(keep("fired")),
            layer.register_forward_hook(keep("after")),
        ]
    try:
        yield recorded
    finally:
        for handle in handles:
            handle.remove()


def norms(model: Any, ids: list[int]) -> list[Norms]:
    """The norms at every adapter of `model` for one text, in the order of the computation.

    Raises LabError for a model without bottleneck adapters and for an empty text.
    """
    import re

    import torch

    if not ids:
        raise LabError("There is no text to send through the model.", "Write a sentence.")
    where = next(model.parameters()).device
    with _watching(model) as recorded, torch.inference_mode():
        input_ids = torch.tensor([ids], device=where)
        model(input_ids=input_ids, attention_mask=torch.ones_like(input_ids))
    layers = []
    for name, record in recorded.items():
        if "after" not in record:
            continue
        before, after = record["before"].flatten(0, -2), record["after"].flatten(0, -2)
        added, fired = after - before, record["fired"].flatten(0, -2).abs()
        layer = re.search(r"\.(\d+)\.", name)
        layers.append(
            Norms(
                module=name.removeprefix("base_model.model."),
                layer=int(layer.group(1)) if layer else None,
                before=float(before.norm(dim=-1).mean()),
                added=float(added.norm(dim=-1).mean()),
                after=float(after.norm(dim=-1).mean()),
                cosine=float(torch.nn.functional.cosine_similarity(before, added, dim=-1).mean()),
                silent=float((fired <= 0.01 * fired.max()).float().mean()) if float(fired.max()) else 1.0,
                inner=tuple(record["inner"].flatten()[:2000].tolist()),
            )
        )
    if not layers:
        raise LabError("This run has no bottleneck adapters.", "Choose a run of the method 'bottleneck'.")
    return layers
