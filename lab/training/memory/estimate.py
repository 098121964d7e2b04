"""What a plan will need, before anything is loaded. Plain arithmetic on a shape; importing this loads no torch.

Weights, adapter, gradients and optimizer are exact; activations are an estimate for the usual block of attention
and feed-forward, calibrated against the ledger (`docs/gpu.md` has the figures).
"""

from __future__ import annotations

from typing import Any

from lab.events import Memory
from lab.methods.base import Method
from lab.models.precision import base_bytes
from lab.models.shape import ModelShape
from lab.plan import CLASSIFY, Plan, Precision, Training

#: Bytes of optimizer state for each trained parameter.
OPTIMIZER_BYTES = {"adamw": 8.0, "adamw8bit": 2.0 + 16 / 256, "paged_adamw8bit": 2.0 + 16 / 256, "sgd": 4.0}

#: bitsandbytes keeps the state of a tensor with fewer elements in 32 bits.
EIGHT_BIT_FROM = 4096


def estimate(shape: ModelShape, method: Method, settings: Any, precision: Precision, training: Training) -> Memory:
    """Bytes at the peak of a step, by category (`device` stays 0)."""
    terms = method.terms(settings, shape)
    trained = sum(term.count for term in terms)
    width = {"fp32": 4, "bf16": 2, "fp16": 2}.get(precision.weights, 4)
    # peft keeps what it adds in 32 bits; a method that trains the base's own weights trains them as they are.
    each = width if method.changes_base else 4
    eight_bit = "8bit" in training.optimizer
    state = sum(
        term.count
        * (
            8.0
            if eight_bit and term.count < EIGHT_BIT_FROM
            else OPTIMIZER_BYTES[training.optimizer] * (each / 4 if not eight_bit else 1)
        )
        for term in terms
    )
    weights, adapter = base_bytes(shape, precision), 0 if method.changes_base else trained * each
    saved, gradients = activations(shape, precision, training, trained), trained * each
    return Memory(
        weights=weights,
        adapter=adapter,
        gradients=gradients,
        optimizer=int(state),
        activations=saved,
        at_once=weights + adapter + int(state) + max(saved, gradients),
    )


def activations(shape: ModelShape, precision: Precision, training: Training, trained: int) -> int:
    """Bytes that the backward pass needs of one forward pass, roughly.

    A block of width h and feed-forward f keeps, for each token, the inputs of its projections, its norms and its
    attention: about 10h + 4f numbers where the weights are frozen (a frozen linear map need not keep its input)
    and 14h + 4f where they are trained. The output layer keeps the logits and their softmax in 32 bits.
    """
    tokens = training.batch_size * min(training.max_length, shape.max_length or training.max_length)
    width = 2 if precision.weights in ("bf16", "fp16") or precision.compute in ("bf16", "fp16") else 4
    full = trained > shape.total // 2
    block = ((14 if full else 10) * shape.hidden + 4 * shape.intermediate) * width
    kept = shape.layers * (shape.hidden * width) + block if training.gradient_checkpointing else shape.layers * block
    logits = 0 if shape.task == CLASSIFY else 2 * 4 * shape.vocabulary
    return int(tokens * (kept + logits))


def relief(memory: Memory, plan: Plan) -> str:
    """What to change when memory ran out, from the ledger of the last step that fitted."""
    training = plan.training
    parts = {
        "activations": memory.activations,
        "weights": memory.weights,
        "optimizer": memory.optimizer + memory.gradients,
    }
    largest = max(parts, key=lambda name: parts[name]) if memory.total else "activations"
    share = (
        f"{largest.capitalize()} take {parts[largest] / memory.total:.0%} of what was counted: "
        if memory.total
        else ""
    )
    if largest == "weights" and not plan.precision.quantized:
        return f"{share}store the base in 4 bits (NF4), or take a smaller model."
    if largest == "optimizer":
        return f"{share}take a method that trains less, or the 8-bit optimizer."
    steps = []
    if training.batch_size > 1:
        steps.append(f"halve the batch size (now {training.batch_size}) and double the accumulation")
    if not training.gradient_checkpointing:
        steps.append("turn on gradient checkpointing")
    steps.append(f"shorten the sequence (now {training.max_length})")
    return f"{share}{', or '.join(steps)}."
