"""3.1 and 3.2: where the adapters sit, how they are made, and how far they push."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import gradio as gr

from lab import methods
from lab.errors import LabError
from lab.insight import activations, blocks
from lab.knobs import build
from lab.methods.bottleneck.method import ACTIVATIONS, Bottleneck, BottleneckSettings
from lab.plan import Plan
from lab.plots import adapters as plots
from lab.runs import Run
from lab.ui.controls import Radio, Slider, Textbox
from lab.ui.exhibits import found
from lab.ui.exhibits.parts import data_choice, live, shape_of, table, trial
from lab.ui.exhibits.watch import Measurement, Trials, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit
from lab.ui.listeners import listen

TAB = "adapters"
SENTENCE = "Where does Ada live, Jonas?"
PLACEMENTS = [("Pfeiffer", "pfeiffer"), ("Houlsby", "houlsby"), ("Parallel", "parallel")]


def settings(placement: str, factor: Any, activation: str = "relu") -> BottleneckSettings:
    """Checked settings. Raises LabError for a value out of bounds."""
    return build(BottleneckSettings, {"placement": placement, "reduction_factor": factor, "activation": activation})


@lru_cache(maxsize=32)
def _norms(lab: Lab, run: Run, text: str) -> tuple[activations.Norms, ...]:
    loaded = lab.engine.model(run.id)
    with loaded.lock:
        return tuple(activations.norms(loaded.model, found.ids(loaded, text)))


def placements(lab: Lab, model: gr.Dropdown) -> Trials:
    """3.1: the block, drawn from the model, and the norms once adapters were trained. Returns the trials."""

    def plans(model: str, data: str, steps: float, placement: str, factor: float, activation: str) -> dict[str, Plan]:
        given = {"placement": placement, "reduction_factor": factor, "activation": activation}
        return {placement: trial(model, "bottleneck", data, int(steps), given)}

    trials = Trials(lab, "Adapters", plans)
    with exhibit("One block of the model", elem_id="exhibit-placement"):
        placement = Radio(PLACEMENTS, value="houlsby", label="Placement", elem_id="placement")
        factor = Slider(1, 64, 16, step=1, label="Reduction factor d/m", elem_id="placement-factor")
        layer = Slider(0, 5, 0, step=1, label="Layer", elem_id="placement-layer")
        said = gr.Markdown("", elem_id="placement-count", elem_classes="lab-lesson-text")
        picture = Figure(label="One block of the model with its adapters", elem_id="placement-picture")
        words = Textbox(SENTENCE, label="Your sentence", elem_id="placement-text")
        with gr.Row():
            data = data_choice(elem_id="placement-data", value="persona")
            steps = Slider(5, 200, 40, step=5, label="Steps", elem_id="placement-steps")

        def draw(model: str, placement: str, factor: float, layer: float, words: str) -> Any:
            chosen, shape = settings(placement, factor), shape_of(model)
            method = Bottleneck()
            number = min(int(layer), max(shape.layers - 1, 0))
            parts = blocks.block(shape, chosen, number)
            reason = method.compatible(chosen, shape, Plan().precision)
            if reason:
                raise LabError(reason.message, reason.hint)
            trained = method.trainable(chosen, shape)
            count = f"**{trained:,}** of {shape.total:,} parameters would be trained: {trained / shape.total:.2%}."
            here = [item for item in seen(model, placement, words) if item.layer == number]
            return count, plots.block(parts, here), gr.Slider(maximum=max(shape.layers - 1, 1))

        def seen(model: str, placement: str, words: str) -> list[activations.Norms]:
            """The norms of the run that was trained for this base and placement; none if there is none."""
            run = found.done(trials.runs(trials.last())).get(placement)
            if run is None or run.plan.model != model:
                return []
            return list(_norms(lab, run, words))

        controls = [model, placement, factor, layer, words]
        live(lab, TAB, draw, controls, [said, picture, layer])
        bars = Figure(label="Norms of the activations before and after each adapter", elem_id="placement-norms")

        def show(runs: Mapping[str, Run]) -> Any:
            finished = found.done(runs)
            if not finished:
                return found.outcomes(runs), gr.skip()
            run = next(iter(finished.values()))
            return found.outcomes(runs), plots.norms(_norms(lab, run, SENTENCE))

        results = gr.Markdown("", elem_id="placement-results", elem_classes="lab-lesson-text")
        activation = gr.State("relu")
        button(
            lab,
            TAB,
            "Train these adapters and measure",
            trials,
            [model, data, steps, placement, factor, activation],
            [results, bars],
            show,
            "placement-train",
        )

        def again(words: str) -> Any:
            return plots.norms(_norms(lab, found.newest(trials), words))

        listen(words.submit, _or_sentence(again), words, bars)
        listen(bars.change, _or_skip(draw, 3), controls, [said, picture, layer])
    return trials


def _or_sentence(work: Callable[..., Any]) -> Callable[..., Any]:
    def answered(*arguments: Any) -> Any:
        try:
            return work(*arguments)
        except LabError as error:
            return f"{error.message} {error.hint}"

    return answered


def _or_skip(work: Callable[..., Any], count: int) -> Callable[..., Any]:
    def answered(*arguments: Any) -> Any:
        try:
            return work(*arguments)
        except LabError:
            return [gr.skip()] * count

    return answered


def module(lab: Lab, model: gr.Dropdown, trials: Trials) -> None:
    """3.2: the bottleneck's shapes, the non-linearity, and a count on the real model."""
    with exhibit("Down, bend, up", elem_id="exhibit-module"):
        with gr.Row():
            factor = Slider(1, 64, 16, step=1, label="Reduction factor d/m", elem_id="module-factor")
            bend = Radio(list(ACTIVATIONS), value="relu", label="Non-linearity f", elem_id="module-activation")
        shapes = gr.Markdown("", elem_id="module-shapes", elem_classes="lab-lesson-text")
        picture = Figure(label="The non-linearity and the values that reach it", elem_id="module-picture")

        def draw(model: str, factor: float, bend: str) -> Any:
            chosen, shape = settings("pfeiffer", factor, bend), shape_of(model)
            terms = Bottleneck().terms(chosen, shape)[:4]
            rows = [[item.name, " × ".join(map(str, item.shape)), item.formula, f"{item.count:,}"] for item in terms]
            total = sum(item.count for item in terms)
            d, m = terms[2].shape
            rows.append(["**together**", "", f"2·{m}·{d} + {d} + {m}", f"**{total:,}**"])
            xs, ys = blocks.curve(bend)
            inner, silent = reached(model)
            note = f"\n\nIn the trained adapters, {silent:.0%} of the units are silent." if inner else ""
            return table(["", "shape", "formula", "numbers"], rows) + note, plots.bend(xs, ys, bend, inner)

        def reached(model: str) -> tuple[list[float], float]:
            """The values before the non-linearity in the newest trained adapters, and the share of silent units."""
            try:
                run = found.newest(trials)
                if run.plan.model != model:
                    return [], 0.0
                told = _norms(lab, run, SENTENCE)
            except LabError:
                return [], 0.0
            return [value for item in told for value in item.inner[:400]], sum(i.silent for i in told) / len(told)

        live(lab, TAB, draw, [model, factor, bend], [shapes, picture])

        def count(model: str, factor: float, bend: str, stop: Any) -> Iterator[str]:
            from lab.insight.applied import apply
            from lab.plan import GENERATE

            given = {"reduction_factor": factor, "activation": bend}
            told = apply(methods.with_values(methods.default_plan("bottleneck", model=model), given), GENERATE)
            yield table(
                ["", "numbers"],
                [
                    ["by the formula", f"{told.formula:,}"],
                    ["counted on the model", f"{told.trainable:,}"],
                    ["the base, frozen", f"{told.original:,}"],
                    ["share that learns", f"{told.trainable / told.total:.3%}"],
                ],
            )

        counted = gr.Markdown("", elem_id="module-counted", elem_classes="lab-lesson-text")
        button(
            lab,
            TAB,
            "Put them in and count",
            Measurement(count),
            [model, factor, bend],
            [counted],
            lambda items: items[-1],
            "module-count",
        )
