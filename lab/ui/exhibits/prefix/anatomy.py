"""4.1 and 4.3: where the vectors stand, how many numbers they are, and what is in a saved prefix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from lab import methods
from lab.insight.families import place
from lab.plan import GENERATE
from lab.plots import prefix as plots
from lab.ui.controls import Checkbox, Number, Radio, Slider
from lab.ui.exhibits.parts import live, shape_of, table
from lab.ui.exhibits.watch import Measurement, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit

TAB = "prefix"
KINDS = [("Prefix tuning", "prefix"), ("Prompt tuning", "prompt"), ("P-tuning", "ptuning")]


def settings(key: str, tokens: Any, **given: Any) -> Any:
    """Checked settings. Raises LabError for a number of tokens out of bounds."""
    from lab.knobs import build

    return build(methods.METHODS[key].Settings, {"virtual_tokens": tokens, **given})


def numbers(lab: Lab, model: gr.Dropdown) -> None:
    """4.1: the five factors, and a count on the real model."""
    with exhibit("How many numbers", elem_id="exhibit-numbers"):
        with gr.Row():
            tokens = Number(20, precision=0, label="Virtual tokens n", elem_id="numbers-tokens")
            projection = Checkbox(False, label="Learn through a network", elem_id="numbers-projection")
        said = gr.Markdown("", elem_id="numbers-said", elem_classes="lab-lesson-text")
        picture = Figure(label="Virtual tokens in every layer, before the text", elem_id="numbers-picture")

        def draw(model: str, tokens: float, projection: bool) -> Any:
            chosen, shape = settings("prefix", tokens, projection=projection), shape_of(model)
            n, layers = chosen.virtual_tokens, shape.decoder_layers
            kept = n * layers * 2 * shape.kv_heads * shape.head_dim
            trained = methods.METHODS["prefix"].trainable(chosen, shape)
            words = (
                f"{n} tokens × {layers} layers × 2 (key, value) × {shape.kv_heads} heads × {shape.head_dim} = "
                f"**{kept:,}** numbers, {kept / shape.total:.2%} of the model."
            )
            if projection:
                words += f" While training, the network in front makes it **{trained:,}**."
            return words, plots.places(layers, n, True)

        live(lab, TAB, draw, [model, tokens, projection], [said, picture])

        def count(model: str, tokens: float, projection: bool, stop: Any) -> Iterator[str]:
            from lab.insight.applied import apply

            chosen = {"virtual_tokens": settings("prefix", tokens).virtual_tokens, "projection": projection}
            plan = methods.with_values(methods.default_plan("prefix", model=model), chosen)
            told = apply(plan, GENERATE)
            rows = [
                ["by the formula", f"{told.formula:,}"],
                ["counted on the model", f"{told.trainable:,}"],
                ["the base, frozen", f"{told.original:,}"],
            ]
            yield table(["", "numbers"], rows)

        result = gr.Markdown("", elem_id="numbers-counted", elem_classes="lab-lesson-text")
        work = Measurement(count)
        inputs = [model, tokens, projection]
        button(lab, TAB, "Put it in and count", work, inputs, [result], lambda items: items[-1], "numbers-count")


def where(lab: Lab, model: gr.Dropdown) -> None:
    """4.3: the places of three methods, and the tensor that each really saves."""
    with exhibit("Where they stand", elem_id="exhibit-where"):
        with gr.Row():
            kind = Radio(KINDS, value="prefix", label="Method", elem_id="where-kind")
            tokens = Slider(1, 100, 12, step=1, label="Virtual tokens n", elem_id="where-tokens")
        said = gr.Markdown("", elem_id="where-said", elem_classes="lab-lesson-text")
        picture = Figure(label="Where the learned vectors stand", elem_id="where-picture")

        def draw(model: str, kind: str, tokens: float) -> Any:
            shape = shape_of(model)
            told = place(kind, {"virtual_tokens": int(tokens)}, shape)
            everywhere = told.layers > 0
            each = f"{int(tokens)} × {shape.kv_heads} × {shape.head_dim}"
            words = (
                f"In each of {shape.decoder_layers} layers {each} keys and as many values."
                if everywhere
                else f"{int(tokens)} × {shape.hidden} at the input; each layer computes keys and values from them."
            )
            words += f" Kept: **{told.kept:,}** numbers. Cache: {told.cache:,} bytes a sequence."
            return words, plots.places(shape.decoder_layers, int(tokens), everywhere)

        live(lab, TAB, draw, [model, kind, tokens], [said, picture])

        def save(model: str, kind: str, tokens: float, stop: Any) -> Iterator[str]:
            import tempfile
            from pathlib import Path

            from lab.insight.adapter_files import entries
            from lab.insight.weights import whole

            method, shape = methods.METHODS[kind], shape_of(model)
            chosen = settings(kind, int(tokens))
            plan = methods.default_plan(kind, model=model)
            with tempfile.TemporaryDirectory() as folder:
                method.save(method.apply(whole(plan, GENERATE, 2), chosen, shape), Path(folder))
                found = entries(Path(folder))
            rows = [[item.name, " × ".join(map(str, item.shape)), f"{item.bytes:,}"] for item in found]
            words = ""
            if place(kind, {"virtual_tokens": int(tokens)}, shape).layers:
                wide = found[0].shape[-1]
                words = (
                    f"\n\nEach row holds {wide} = {shape.decoder_layers} layers × 2 × {shape.kv_heads} heads × "
                    f"{wide // (2 * shape.decoder_layers * shape.kv_heads)}."
                )
            yield table(["tensor", "shape", "bytes"], rows) + words

        result = gr.Markdown("", elem_id="where-saved", elem_classes="lab-lesson-text")
        work = Measurement(save)
        inputs = [model, kind, tokens]
        button(lab, TAB, "Save one and look inside", work, inputs, [result], lambda items: items[-1], "where-save")
