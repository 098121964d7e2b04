"""One linear map of a real model with a low-rank update beside it: h = Wx + (α/r)·BAx, number by number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lab.errors import LabError
from lab.insight.weights import base, matrix


@dataclass(frozen=True)
class Flow:
    """The vectors of one token on their way: x (k), Ax (r), (α/r)·BAx (d), Wx (d, with W's bias) and h (d)."""

    token: str
    x: tuple[float, ...]
    ax: tuple[float, ...]
    bax: tuple[float, ...]
    wx: tuple[float, ...]
    h: tuple[float, ...]
    scale: float

    @property
    def share(self) -> float:
        """Length of the update against that of Wx."""
        length = sum(value * value for value in self.wx) ** 0.5
        return sum(value * value for value in self.bax) ** 0.5 / length if length else 0.0


@lru_cache(maxsize=16)
def inputs(model: str, text: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The tokens of a text (as they are written) and what each linear map in the blocks is given for it.

    The map goes from a module's name to its input, (tokens, k). Raises LabError for an empty text.
    """
    import torch

    from lab.models import loading
    from lab.plan import GENERATE

    if not text.strip():
        raise LabError("There is no text to send through the model.", "Write a sentence.")
    tokenizer, network = loading.tokenizer(model), base(model)
    shape = loading.shape(model, GENERATE)
    longest = min(shape.max_length or 256, 256)
    ids = tokenizer(text, truncation=True, max_length=longest)["input_ids"]
    recorded: dict[str, Any] = {}

    def keep(name: str) -> Any:
        return lambda _module, arguments: recorded.__setitem__(name, arguments[0][0].detach().clone())

    handles = [
        network.get_submodule(item.name).register_forward_pre_hook(keep(item.name)) for item in shape.projections
    ]
    try:
        with torch.inference_mode():
            network(input_ids=torch.tensor([ids]))
    finally:
        for handle in handles:
            handle.remove()
    return tuple(tokenizer.decode([item]) for item in ids), recorded


def drawn(rank: int, inputs_: int, outputs: int, seed: int = 0, zero: bool = True) -> tuple[Any, Any]:
    """A fresh pair: A (r×k) uniform as peft draws it, B (d×r) zero, or random where the update shall be seen."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    bound = inputs_**-0.5
    a = (torch.rand(rank, inputs_, generator=generator) * 2 - 1) * bound
    b = torch.zeros(outputs, rank)
    return a, b if zero else (torch.rand(outputs, rank, generator=generator) * 2 - 1) * rank**-0.5


def flow(model: str, module: str, text: str, a: Any, b: Any, alpha: float, position: int = -1) -> Flow:
    """The token at `place` of a text through the map `module` with the pair (A, B).

    Raises LabError where the pair belongs to another matrix.
    """
    import torch

    tokens, module_inputs = inputs(model, text)
    w, rank = matrix(model, module), a.shape[0]
    if a.shape[1] != w.shape[1] or b.shape[0] != w.shape[0]:
        raise LabError(
            f"These matrices belong to a {b.shape[0]}×{a.shape[1]} matrix; '{module}' is {w.shape[0]}×{w.shape[1]}.",
            "Choose a run of this base.",
        )
    x = module_inputs[module][position]
    bias = getattr(base(model).get_submodule(module), "bias", None)
    with torch.inference_mode():
        wx = w @ x + (bias if bias is not None else 0)
        ax = a @ x
        bax = (b @ ax) * (alpha / rank)
    h = wx + bax
    plain = [tuple(item.tolist()) for item in (x, ax, bax, wx, h)]
    return Flow(tokens[position], plain[0], plain[1], plain[2], plain[3], plain[4], scale=alpha / rank)


def check(model: str, module: str, text: str, a: Any, b: Any, alpha: float) -> float:
    """The largest difference between our h and that of peft's own layer in the running model, over all tokens."""
    import copy

    import peft
    import torch

    from lab.compat.peft import quiet

    tokens, _ = inputs(model, text)
    network = copy.deepcopy(base(model))
    with quiet():
        config = peft.LoraConfig(r=a.shape[0], lora_alpha=alpha, target_modules=[module])  # type: ignore[arg-type]
        wrapped: Any = peft.get_peft_model(network, config).eval()
    layer = wrapped.base_model.model.get_submodule(module)
    with torch.no_grad():
        layer.lora_A["default"].weight.copy_(a)
        layer.lora_B["default"].weight.copy_(b)
    outputs: list[Any] = []
    layer.register_forward_hook(lambda _module, _given, out: outputs.append(out[0].detach()))
    from lab.models import loading

    ids = loading.tokenizer(model)(text, truncation=True, max_length=len(tokens))["input_ids"]
    with torch.inference_mode():
        wrapped(input_ids=torch.tensor([ids]))
    ours = torch.tensor([flow(model, module, text, a, b, alpha, position).h for position in range(len(tokens))])
    return float((outputs[0] - ours).abs().max())
