"""Why an adapter is kept in high precision: the same training with its weights rounded after every step.

The optimizer computes in 32 bits throughout; only the stored weights differ. An update is lost where it was not zero
and the weight, after rounding, is no nearer to where it should have gone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lab.errors import LabError
from lab.plan import Plan

#: How the adapter's weights are stored, with the bits of each.
STORED = {"fp32": 32, "bf16": 16, "fp16": 16, "int8": 8}


@dataclass(frozen=True)
class Point:
    """One step: the loss, the share of this step's updates that were lost, and of all so far."""

    stored: str
    step: int
    loss: float
    lost: float
    lost_sofar: float


def rounded(values: Any, stored: str) -> Any:
    """The values as this type holds them, in 32 bits. int8 has one scale a row.

    The scale is the power of two at which the row's largest magnitude fits into 127 steps: so the steps stay where
    they are while the row grows a little.
    """
    import torch

    if stored == "int8":
        largest = values.abs().amax(-1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)
        scale = torch.exp2(torch.ceil(torch.log2(largest / 127)))
        return (values / scale).round().clamp(-127, 127) * scale
    return values.to({"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[stored]).float()


def lost(before: Any, target: Any, after: Any) -> int:
    """How many weights should have moved and, after rounding, are no nearer to where they should be.

    Usually such a weight stays what it was; where a row of int8 takes a larger scale, its neighbours shift too.
    """
    return int(((target != before) & ((after - target).abs() >= (target - before).abs())).sum())


def training(plan: Plan, stored: str, steps: int, stop: threading.Event) -> Iterator[Point]:
    """Train the plan's method for `steps` steps with its weights stored as `stored`.

    Draws from generators of its own, so it disturbs no training beside it. Raises LabError for a plan that cannot
    run, or whose method trains the base's own weights.
    """
    import torch

    from lab.data.encoding import order
    from lab.models import loading
    from lab.models.randomness import alone
    from lab.training.job import resolve
    from lab.training.optimizers import factor

    job = resolve(plan)
    data, encoder = job.data, job.encoder
    if job.method.changes_base:
        raise LabError(f"{job.method.title} has no adapter whose precision could be chosen.", "Choose LoRA.")
    with alone(plan.seed):
        model = loading.load(plan.model, data.task, job.num_labels, plan.precision, job.device)
        model = job.method.apply(model, job.settings, job.shape).train()
    learned = [item for item in model.parameters() if item.requires_grad]
    with torch.no_grad():
        for item in learned:
            item.copy_(rounded(item, stored))
    optimizer = torch.optim.AdamW(learned, lr=plan.training.learning_rate, weight_decay=0.0)
    rows = order(len(data.train), plan.seed)
    lost_total = attempted_total = 0
    for step in range(1, steps + 1):
        if stop.is_set():
            return
        for group in optimizer.param_groups:
            group["lr"] = plan.training.learning_rate * factor(step - 1, steps, plan.training)
        examples = [data.train[next(rows)] for _ in range(plan.training.batch_size)]
        batch = encoder.collate([encoder.encode(item.input, item.target) for item in examples])
        loss = model(**{name: item.to(job.device) for name, item in batch.items()}).loss
        loss.backward()
        before = [item.detach().clone() for item in learned]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        now_gone = now_asked = 0
        with torch.no_grad():
            for old, item in zip(before, learned):
                after = rounded(item, stored)
                now_gone += lost(old, item, after)
                now_asked += int((item != old).sum())
                item.copy_(after)
        lost_total, attempted_total = lost_total + now_gone, attempted_total + now_asked
        yield Point(
            stored, step, float(loss.detach()), now_gone / max(now_asked, 1), lost_total / max(attempted_total, 1)
        )
