"""The shapes of well-known models, written out from their published dimensions: no library and no download.

`tests/insight/test_presets.py` holds each family against the real class of transformers.
"""

from __future__ import annotations

from functools import cache

from lab.models.shape import EMBEDDING, LINEAR, NORM, ModelShape, Module, Parameter
from lab.plan import GENERATE


class Preset(ModelShape):
    """A shape whose projections are told apart by the last part of their names (of hundreds, quickly)."""

    def short(self, module: Module) -> str:
        return module.suffix


def _linear(name: str, inputs: int, outputs: int, layer: int | None, role: str, bias: bool = False) -> Module:
    parameters = [Parameter(f"{name}.weight", (outputs, inputs))]
    if bias:
        parameters.append(Parameter(f"{name}.bias", (outputs,)))
    return Module(name, LINEAR, tuple(parameters), inputs, outputs, layer, role)


def _norm(name: str, size: int, layer: int | None, bias: bool = False) -> Module:
    parameters = [Parameter(f"{name}.weight", (size,))] + ([Parameter(f"{name}.bias", (size,))] if bias else [])
    return Module(name, NORM, tuple(parameters), layer=layer)


def _embedding(name: str, rows: int, size: int) -> Module:
    return Module(name, EMBEDDING, (Parameter(f"{name}.weight", (rows, size)),))


def llama(
    hidden: int, layers: int, heads: int, kv_heads: int, intermediate: int, vocabulary: int, longest: int, tied: bool
) -> ModelShape:
    """A Llama: rotary positions, grouped keys and values, a gated feed-forward, no biases."""
    size = hidden // heads
    modules = [_embedding("model.embed_tokens", vocabulary, hidden)]
    for number in range(layers):
        at = f"model.layers.{number}"
        modules += [
            _linear(f"{at}.self_attn.q_proj", hidden, heads * size, number, "query"),
            _linear(f"{at}.self_attn.k_proj", hidden, kv_heads * size, number, "key"),
            _linear(f"{at}.self_attn.v_proj", hidden, kv_heads * size, number, "value"),
            _linear(f"{at}.self_attn.o_proj", heads * size, hidden, number, "output"),
            _linear(f"{at}.mlp.gate_proj", hidden, intermediate, number, "gate"),
            _linear(f"{at}.mlp.up_proj", hidden, intermediate, number, "up"),
            _linear(f"{at}.mlp.down_proj", intermediate, hidden, number, "down"),
            _norm(f"{at}.input_layernorm", hidden, number),
            _norm(f"{at}.post_attention_layernorm", hidden, number),
        ]
    modules.append(_norm("model.norm", hidden, None))
    if not tied:
        modules.append(_linear("lm_head", hidden, vocabulary, None, ""))
    return _shape("LlamaForCausalLM", "llama", modules, hidden, layers, heads, kv_heads, intermediate, vocabulary,
                  longest, ("lm_head.weight",) if tied else ())  # fmt: skip


def gpt(hidden: int, layers: int, heads: int, vocabulary: int, longest: int) -> ModelShape:
    """A GPT of the second and third generation: learned positions, biases, a feed-forward of four widths.

    Query, key and value are separate maps here, as the LoRA paper counts them.
    """
    modules = [
        _embedding("model.embed_tokens", vocabulary, hidden),
        _embedding("model.embed_positions", longest, hidden),
    ]
    for number in range(layers):
        at = f"model.layers.{number}"
        modules += [
            _linear(f"{at}.self_attn.{name}", hidden, hidden, number, role, bias=True)
            for name, role in (("q_proj", "query"), ("k_proj", "key"), ("v_proj", "value"), ("out_proj", "output"))
        ]
        modules += [
            _linear(f"{at}.fc1", hidden, 4 * hidden, number, "up", bias=True),
            _linear(f"{at}.fc2", 4 * hidden, hidden, number, "down", bias=True),
            _norm(f"{at}.self_attn_layer_norm", hidden, number, bias=True),
            _norm(f"{at}.final_layer_norm", hidden, number, bias=True),
        ]
    modules.append(_norm("model.final_layer_norm", hidden, None, bias=True))
    return _shape("GPT", "gpt", modules, hidden, layers, heads, heads, 4 * hidden, vocabulary, longest,
                  ("lm_head.weight",))  # fmt: skip


def _shape(
    architecture: str,
    model_type: str,
    modules: list[Module],
    hidden: int,
    layers: int,
    heads: int,
    kv_heads: int,
    intermediate: int,
    vocabulary: int,
    longest: int,
    tied: tuple[str, ...],
) -> ModelShape:
    return Preset(
        architecture=architecture,
        model_type=model_type,
        family="decoder",
        task=GENERATE,
        labels=0,
        hidden=hidden,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=hidden // heads,
        intermediate=intermediate,
        vocabulary=vocabulary,
        max_length=longest,
        parameters=tuple(item for module in modules for item in module.parameters),
        modules=tuple(modules),
        tied=tied,
    )


#: Published dimensions: Brown et al. 2020, table 2.1; Touvron et al. 2023, table 2; the Llama 2 and 3 model cards.
_GPT = {"GPT-3 175B": (12288, 96, 96, 50257, 2048), "GPT-2 124M": (768, 12, 12, 50257, 1024)}
_LLAMA = {
    "LLaMA 65B": (8192, 80, 64, 64, 22016, 32000, 2048, False),
    "LLaMA 33B": (6656, 60, 52, 52, 17920, 32000, 2048, False),
    "LLaMA 13B": (5120, 40, 40, 40, 13824, 32000, 2048, False),
    "LLaMA 7B": (4096, 32, 32, 32, 11008, 32000, 2048, False),
    "Llama 2 70B": (8192, 80, 64, 8, 28672, 32000, 4096, False),
    "Llama 3.1 8B": (4096, 32, 32, 8, 14336, 128256, 131072, False),
    "Llama 3.2 3B": (3072, 28, 24, 8, 8192, 128256, 131072, True),
    "Llama 3.2 1B": (2048, 16, 32, 8, 8192, 128256, 131072, True),
}

PRESETS: tuple[str, ...] = ("GPT-3 175B", *_LLAMA, "GPT-2 124M")


@cache
def preset(name: str) -> ModelShape:
    """The shape of a preset. Raises KeyError for a name that is not in `PRESETS`."""
    return gpt(*_GPT[name]) if name in _GPT else llama(*_LLAMA[name])
