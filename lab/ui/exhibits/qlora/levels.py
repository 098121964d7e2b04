"""5.3: the levels of NF4, FP4, int4 and int8, double quantization, and paged optimizers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import gradio as gr

from lab.insight import cost
from lab.insight import quantization as q
from lab.insight.presets import preset
from lab.plan import Precision, Training
from lab.plots.quantization import STORED, bars, families, paging
from lab.ui.controls import Radio, Slider
from lab.ui.exhibits.parts import live, module_choice, percent, size, table
from lab.ui.exhibits.qlora.sum import trained
from lab.ui.exhibits.watch import Measurement, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit

#: The formats: name, kind and bits.
FORMATS = (("NF4", "normal", 4), ("FP4", "float", 4), ("int4", "integer", 4), ("int8", "integer", 8))
SHADES = {"NF4": STORED["nf4"][0], "FP4": STORED["fp4"][0], "int4": "#e69f00", "int8": STORED["int8"][0]}

LENGTHS = (128, 256, 512, 1024, 2048, 4096, 8192, 16384)


@lru_cache(maxsize=2)
def bell(size_: int = 2**17) -> Any:
    """Normal numbers, always the same."""
    import torch

    return torch.randn(size_ // 256, 256, generator=torch.Generator().manual_seed(0))


@lru_cache(maxsize=128)
def errors(model: str, module: str, block: int) -> list[tuple[str, float, float]]:
    """Each format's error on normal numbers and on the matrix (not a number where there is none)."""
    from lab.insight.weights import matrix

    w = matrix(model, module)[:512] if module else None
    found = []
    for name, kind, bits in FORMATS:
        grid = q.levels(kind, bits)
        real = q.quantize(w, grid, block).error(w) if w is not None else float("nan")
        found.append((name, q.quantize(bell(), grid, block).error(bell()), real))
    return found


def compare(model: str, module: str, block: float) -> tuple[Any, Any, str]:
    """Levels under the bell curve, errors as bars and as a table."""
    block = 2 ** int(block)
    rows = errors(model, module or "", block)
    # A normal number's share of its block's largest: about one over the largest of `block` normal numbers.
    spread = 1 / float(bell()[: 2**15 // 256].reshape(-1, min(block, 256)).abs().amax(1).mean())
    figure = families([(name, q.levels(kind, bits), SHADES[name]) for name, kind, bits in FORMATS], spread)
    picture = bars([name for name, _, _ in rows], [a for _, a, _ in rows], "Error on normal numbers", ".1%")
    told = [[name, percent(a), percent(b) if b == b else "–"] for name, a, b in rows]
    return figure, picture, table(["", "normal numbers", "this matrix"], told)


def doubled(block: float, block2: float, billions: float) -> str:
    """Bits of a parameter with and without double quantization."""
    one, two = 2 ** int(block), 2 ** int(block2)
    single, double = q.bits_per_parameter(4, one), q.bits_per_parameter(4, one, two)
    saved = (single - double) * billions * 1e9 / 8
    return (
        f"4 + 32/{one} = **{single:.4g}** bits a parameter become 4 + 8/{one} + 32/({one}·{two}) = **{double:.4g}**: "
        f"{size(saved)} less for {billions:g}B parameters."
    )


def library(model: str, module: str, stop: threading.Event) -> Iterator[Any]:
    """bitsandbytes itself on the matrix."""
    from lab.errors import LabError
    from lab.insight.weights import matrix

    if not module:
        raise LabError("There is no matrix to quantize.", "Choose one from the list.")
    w = matrix(model, module)
    for name, kind, double in (("NF4", "nf4", False), ("NF4, double", "nf4", True), ("FP4", "fp4", False),
                               ("FP4, double", "fp4", True), ("int8, a row", "int8", False)):  # fmt: skip
        error, count = q.library_error(w, kind, double)
        yield name, error, 8 * count / w.numel()


def told(items: list[Any]) -> str:
    """Error and bits as the library has them."""
    return table(["bitsandbytes", "error", "bits a weight"], [[n, percent(e), f"{b:.4g}"] for n, e, b in items])


def page(capacity: float, length: float, optimizer: str) -> tuple[Any, str]:
    """What a step of LLaMA 65B in NF4 needs by sequence length, and what a paged optimizer moves out."""
    shape, count = preset("LLaMA 65B"), trained("LLaMA 65B", 64)
    base, scheme = Precision("nf4", True, "bf16"), cost.SCHEMES["bf16"]

    def at(tokens: int) -> Any:
        training = Training(batch_size=1, max_length=tokens, gradient_checkpointing=True)
        return cost.training_memory(shape, count, False, base, scheme, optimizer, training)

    room = capacity * 1e9
    found = [at(min(tokens, shape.max_length)) if tokens <= shape.max_length else None for tokens in LENGTHS]
    kept = [(tokens, memory) for tokens, memory in zip(LENGTHS, found) if memory is not None]
    figure = paging(
        [t for t, _ in kept], [cost.total(m) for _, m in kept], [cost.paged(m, room) for _, m in kept], room
    )
    now = at(int(length))
    needs, out = cost.total(now), cost.paged(now, room)
    if needs <= room:
        verdict = "All of it fits; nothing is moved."
    elif needs - out <= room:
        verdict = f"{size(out)} of optimizer state go out for the peak and come back after it."
    else:
        verdict = f"Even without its {size(out)} of optimizer state it is {size(needs - out - room)} too much."
    return figure, f"{int(length)} tokens need {size(needs)}, {size(now.optimizer)} of it optimizer state. {verdict}"


def place(lab: Lab, model: gr.Dropdown) -> None:
    """The three techniques."""
    with exhibit("NF4, FP4, int4, int8", elem_id="qlora-levels"):
        module = module_choice(lab, "qlora", model, "levels-module")
        block = Slider(4, 12, 6, step=1, label="Block size, as a power of two (6 is 64)", elem_id="levels-block")
        figure = Figure(label="Levels of four formats under the normal distribution")
        picture = Figure(label="Error of each format on normal numbers")
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="levels-words")
        live(lab, "qlora", compare, [model, module, block], [figure, picture, words])
        said = gr.Markdown(elem_classes="lab-lesson-text", elem_id="levels-measured")
        button(lab, "qlora", "Quantize with bitsandbytes", Measurement(library), [model, module], [said], told,
               "levels-measure")  # fmt: skip
    with exhibit("Double quantization", elem_id="qlora-double"):
        one = Slider(4, 10, 6, step=1, label="Weights in a block, as a power of two", elem_id="double-block")
        two = Slider(4, 12, 8, step=1, label="Constants in a block, as a power of two", elem_id="double-block2")
        billions = Slider(1, 175, 65, step=1, label="Parameters, billions")
        sums = gr.Markdown(doubled(6, 8, 65), elem_classes="lab-lesson-text", elem_id="double-words")
        live(lab, "qlora", doubled, [one, two, billions], [sums], at_open=False)
    with exhibit("Paged optimizers", elem_id="qlora-paged"):
        capacity = Slider(36, 80, 42, step=1, label="Memory of the card, GB", elem_id="paged-capacity")
        length = Slider(64, 2048, 512, step=64, label="Sequence length", elem_id="paged-length")
        optimizer = Radio([("AdamW", "adamw"), ("8-bit AdamW", "adamw8bit")], value="adamw", label="Optimizer")
        chart = Figure(label="Memory needed by sequence length, and optimizer state moved out")
        verdict = gr.Markdown(elem_classes="lab-lesson-text", elem_id="paged-words")
        live(lab, "qlora", page, [capacity, length, optimizer], [chart, verdict])
