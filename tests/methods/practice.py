"""A training of a few steps, small enough to be repeated for every method."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from lab.methods.base import Method
from lab.plan import GENERATE, Training
from tests import tiny


def training(method: Method) -> Training:
    return replace(Training(), **method.training)


def begin(method: Method, settings: Any, model: Any) -> Any:
    """The optimizer that the loop would make."""
    options = training(method)
    return torch.optim.AdamW(method.groups(model, settings, options), lr=options.learning_rate, weight_decay=0.0)


def steps(
    method: Method, settings: Any, model: Any, optimizer: Any, batch: dict, first: int, last: int, total: int
) -> list[float]:
    """Steps `first`+1 to `last` of `total`, as the loop makes them; their losses."""
    losses = []
    model.train()
    for step in range(first + 1, last + 1):
        loss = model(**batch).loss
        losses.append(loss.item())
        extra = method.loss(model, settings)
        (loss if extra is None else loss + extra).backward()
        optimizer.step()
        method.after_step(model, settings, step, total)
        optimizer.zero_grad(set_to_none=True)
    model.eval()
    return losses


def gradients(model: Any, batch: dict) -> dict[str, torch.Tensor]:
    """The gradient of the loss for every trained parameter, in evaluation mode.

    Some types draw random numbers in training, and int8 on a CPU rounds its inputs in evaluation only, as it does
    on a GPU always. cuDNN alone insists on training mode for its recurrent networks.
    """
    model.eval()
    for module in model.modules():
        if isinstance(module, torch.nn.RNNBase):
            module.train()
    model.zero_grad(set_to_none=True)
    model(**batch).loss.backward()
    found = {name: item.grad.clone() for name, item in model.named_parameters() if item.grad is not None}
    model.zero_grad(set_to_none=True)
    model.eval()
    return found


def logits(model: Any, batch: dict) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(**batch).logits


def last(values: torch.Tensor, task: str) -> torch.Tensor:
    """The logits of the text's own positions: virtual tokens may stand before them."""
    return values[:, -5:] if task == GENERATE else values


def reply(model: Any, family: str, new: int = 4) -> torch.Tensor:
    """The likeliest continuation of two prompts, one of them padded on the left."""
    prompts = tiny.batch(family, GENERATE)["input_ids"][1:].clone()
    mask = torch.ones_like(prompts)
    prompts[0, :2], mask[0, :2] = 0, 0
    with torch.no_grad():
        return model.eval().generate(
            input_ids=prompts,
            attention_mask=mask,
            max_new_tokens=new,
            do_sample=False,
            pad_token_id=0,
            eos_token_id=None,
        )
