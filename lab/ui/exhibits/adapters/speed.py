"""3.4: how much longer a pass takes with LoRA or adapters, by batch and length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from lab.errors import LabError
from lab.insight import latency
from lab.insight.latency import VARIANTS, Timing
from lab.plots import adapters as plots
from lab.ui.controls import CheckboxGroup, Slider
from lab.ui.exhibits.parts import duration, live, shape_of, table
from lab.ui.exhibits.watch import Measurement, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit

TAB = "adapters"
ROUNDS = 7


def speed(lab: Lab, model: gr.Dropdown) -> None:
    """The four models take turns on the same tokens."""
    with exhibit("The price of a pass", elem_id="exhibit-latency"):
        with gr.Row():
            batches = CheckboxGroup(["1", "4", "16"], value=["1", "16"], label="Batch", elem_id="latency-batch")
            lengths = CheckboxGroup(
                ["16", "128", "256"], value=["16", "128"], label="Tokens", elem_id="latency-length"
            )
        with gr.Row():
            rank = Slider(1, 64, 8, step=1, label="LoRA's rank r", elem_id="latency-rank")
            factor = Slider(1, 64, 16, step=1, label="Adapter's factor d/m", elem_id="latency-factor")
        said = gr.Markdown("", elem_id="latency-products", elem_classes="lab-lesson-text")

        def draw(model: str, rank: float, factor: float) -> str:
            from lab.insight.families import place

            shape = shape_of(model)
            lora = place("lora", {"rank": int(rank)}, shape)
            adapter = place("bottleneck", {"reduction_factor": factor, "placement": "houlsby"}, shape)
            whole = 2 * sum(item.inputs * item.outputs for item in shape.projections)
            rows = [["base", f"{whole:,}", ""], ["LoRA, unmerged", f"{lora.flops:,}", f"{lora.flops / whole:+.1%}"]]
            rows += [
                ["LoRA, merged", "0", "+0%"],
                ["bottleneck", f"{adapter.flops:,}", f"{adapter.flops / whole:+.1%}"],
            ]
            return "By the sums alone, floating-point operations a token:\n\n" + table(["", "operations", ""], rows)

        live(lab, TAB, draw, [model, rank, factor], [said])

        def measure(
            model: str, batches: Sequence[str], lengths: Sequence[str], rank: float, factor: float, stop: Any
        ) -> Iterator[list[Timing]]:
            if not batches or not lengths:
                raise LabError("There is nothing to time.", "Choose a batch size and a length.")
            shape = shape_of(model)
            sizes = [int(item) for item in lengths]
            if shape.max_length and max(sizes) > shape.max_length:
                raise LabError(f"This model reads {shape.max_length} tokens.", "Choose a shorter length.")
            models = latency.variants(model, int(rank), factor)
            yield from latency.measure(models, shape.vocabulary, [int(item) for item in batches], sizes, ROUNDS)

        def progress(items: list[list[Timing]]) -> str:
            timings = items[-1] if items else []
            rounds = sum(len(item.seconds[latency.BASE]) for item in timings)
            return f"{rounds} rounds of four passes measured." if rounds else "Loading four copies of the model …"

        def show(items: list[list[Timing]]) -> Any:
            timings = items[-1]
            rows = [
                [f"{item.batch} × {item.length}", *[duration(item.median(name)) for name in VARIANTS]]
                for item in timings
            ]
            return plots.latency(timings), table(["batch × tokens", *VARIANTS], rows)

        picture = Figure(label="Slowdown against the base by batch and length", elem_id="latency-picture")
        numbers = gr.Markdown("", elem_id="latency-numbers", elem_classes="lab-lesson-text")
        button(
            lab,
            TAB,
            "Measure on this machine",
            Measurement(measure, progress),
            [model, batches, lengths, rank, factor],
            [picture, numbers],
            show,
            "latency-measure",
        )
