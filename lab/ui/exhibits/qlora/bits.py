"""5.1: one real matrix in few bits: its levels, its error, its size, its speed, its outliers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import gradio as gr

from lab.insight import quantization as q
from lab.plots.quantization import bars, histogram
from lab.ui.controls import Dropdown, Slider
from lab.ui.exhibits.parts import duration, live, module_choice, percent, size, table
from lab.ui.exhibits.watch import Measurement, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit

BINS = 101

#: Most weights of a matrix that are looked at, so that a slider answers at once.
MOST = 2**19


@lru_cache(maxsize=16)
def weights(model: str, module: str, share: float, outlier: float) -> Any:
    """The first rows of the matrix, with outliers put in if there shall be any."""
    from lab.insight.weights import matrix

    w = matrix(model, module)
    w = w[: max(1, MOST // w.shape[1])]
    return q.with_outliers(w, share, outlier) if share else w


def look(
    model: str, module: str, kind: str, bits: float, block: float, share: float, outlier: float
) -> tuple[Any, str]:
    """The histogram with the levels, and the figures."""
    if not module:
        return "Choose a matrix.", ""
    import torch

    width, each = int(bits), 2 ** int(block)
    w, grid = weights(model, module, share / 100, outlier), q.levels(kind, width)
    found = q.quantize(w, grid, each)
    flat = w.flatten()
    scaled = flat / found.constants.repeat_interleave(each)[: flat.numel()].clamp(min=1e-30)
    counts = torch.histc(scaled, BINS, -1, 1).int().tolist()
    edges = [-1 + 2 * index / BINS for index in range(BINS + 1)]
    after = torch.bincount(found.codes, minlength=len(grid)).tolist()
    cost = q.bits_per_parameter(width, each)
    used = sum(count > 0 for count in after)
    rows = [
        ["levels", f"{len(grid)}, {used} of them used"],
        ["bits a weight, constants included", f"{cost:.4g}"],
        ["size of this matrix", f"{size(w.numel() * cost / 8)} instead of {size(4 * w.numel())}"],
        ["error, relative to the weights", percent(found.error(w))],
        ["largest error", f"{float((found.values - w).abs().max()):.3g}"],
    ]
    return histogram(edges, counts, grid, after), table([f"{w.shape[0]}×{w.shape[1]}", ""], rows)


def times(model: str, module: str, tokens: float, stop: threading.Event) -> Iterator[Any]:
    """One product with the matrix in each way of storing it."""
    from lab.errors import LabError
    from lab.insight.products import timings
    from lab.insight.weights import matrix

    if not module:
        raise LabError("There is no matrix to multiply with.", "Choose one from the list.")
    yield from timings(matrix(model, module), int(tokens))


def timed(items: list[Any]) -> tuple[Any, str]:
    """Median time and bytes of each way."""
    first = items[0]
    rows = [[t.way, duration(t.seconds), f"{t.seconds / first.seconds:.2f}×", size(t.bytes)] for t in items]
    figure = bars([t.way for t in items], [1e6 * t.seconds for t in items], "Median of a product, µs", ".3s")
    return figure, table(["stored in", "time", f"against {first.way}", "bytes"], rows)


def place(lab: Lab, model: gr.Dropdown) -> None:
    """The slider of bits."""
    with exhibit("A real matrix in few bits", elem_id="qlora-bits"):
        module = module_choice(lab, "qlora", model, "bits-module")
        kind = Dropdown(
            [(title.split(":")[0], key) for key, title in q.KINDS.items()], value="normal", label="Levels"
        )
        bits = Slider(2, 8, 4, step=1, label="Bits", elem_id="bits-bits")
        block = Slider(4, 12, 6, step=1, label="Block size, as a power of two (6 is 64)", elem_id="bits-block")
        with gr.Row():
            share = Slider(0, 1, 0, step=0.05, label="Outliers, %", elem_id="bits-outliers")
            outlier = Slider(4, 40, 20, step=1, label="Their size, deviations")
        figure = Figure(label="Histogram of the weights with the levels")
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="bits-words")
        live(lab, "qlora", look, [model, module, kind, bits, block, share, outlier], [figure, words])
        gr.Markdown("**Speed of a product**", elem_classes="lab-lesson-text")
        tokens = Slider(1, 512, 64, step=1, label="Rows that are multiplied at once", elem_id="bits-tokens")
        speed = Figure(label="Time of a product by the way the matrix is stored")
        said = gr.Markdown(elem_classes="lab-lesson-text", elem_id="bits-timed")
        button(lab, "qlora", "Time it on this device", Measurement(times), [model, module, tokens], [speed, said],
               timed, "bits-time")  # fmt: skip
