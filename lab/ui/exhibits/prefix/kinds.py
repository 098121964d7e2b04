"""4.4 and 4.6: the families side by side, the three kinds of virtual tokens, and their nearest words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from lab.insight.families import place
from lab.insight.neighbours import Neighbours, neighbours
from lab.plan import Plan
from lab.plots import prefix as plots
from lab.runs import Run
from lab.ui.controls import Radio, Slider
from lab.ui.exhibits import found
from lab.ui.exhibits.parts import data_choice, live, shape_of, size, table, trial
from lab.ui.exhibits.prefix.anatomy import KINDS, settings
from lab.ui.exhibits.watch import Measurement, Trials, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit

TAB = "prefix"
HEAD = ["", "where", "trained", "merged", "positions", "cache", "FLOP a token"]


def _table(shown: list[Any]) -> str:
    rows = [
        [item.title, item.reason, "–", "–", "–", "–", "–"]
        if item.reason
        else [
            item.title,
            item.where,
            f"{item.trainable:,}",
            "yes" if item.mergeable else "no",
            item.context,
            size(item.cache) if item.cache else "none",
            "0 once merged" if item.mergeable else f"{item.flops:,}",
        ]
        for item in shown
    ]
    return table(HEAD, rows)


def families(lab: Lab, model: gr.Dropdown) -> None:
    """4.4: LoRA, adapters and a prefix on one model: counts at once, training by a click."""
    with exhibit("Three families on your model", elem_id="exhibit-families"):
        rank = Slider(1, 64, 8, step=1, label="LoRA: rank r", elem_id="families-rank")
        factor = Slider(1, 64, 16, step=1, label="Adapter: reduction factor d/m", elem_id="families-factor")
        tokens = Slider(1, 100, 20, step=1, label="Prefix: virtual tokens n", elem_id="families-tokens")
        picture = Figure(label="Trained parameters of three methods", elem_id="families-picture")
        facts = gr.Markdown("", elem_id="families-facts", elem_classes="lab-lesson-text")

        def given(rank: float, factor: float, tokens: float) -> dict[str, dict[str, Any]]:
            return {
                "lora": {"rank": int(rank)},
                "bottleneck": {"reduction_factor": float(factor)},
                "prefix": {"virtual_tokens": int(tokens)},
            }

        def draw(model: str, rank: float, factor: float, tokens: float) -> Any:
            shape = shape_of(model)
            shown = [place(key, chosen, shape) for key, chosen in given(rank, factor, tokens).items()]
            return plots.counts(shown), _table(shown)

        live(lab, TAB, draw, [model, rank, factor, tokens], [picture, facts])

        def plans(model: str, data: str, steps: float, rank: float, factor: float, tokens: float) -> dict[str, Plan]:
            return {key: trial(model, key, data, int(steps), own) for key, own in given(rank, factor, tokens).items()}

        with gr.Row():
            data = data_choice(value="persona", elem_id="families-data")
            steps = Slider(5, 300, 60, step=5, label="Steps", elem_id="families-steps")
        curves = Figure(label="Training loss of the three methods", elem_id="families-curves")
        results = gr.Markdown("", elem_id="families-results", elem_classes="lab-lesson-text")
        button(
            lab,
            TAB,
            "Train all three on the same rows",
            Trials(lab, "Families", plans),
            [model, data, steps, rank, factor, tokens],
            [results, curves],
            _results,
            "families-train",
        )


def _results(runs: Mapping[str, Run]) -> Any:
    histories = found.histories(runs)
    started = any(history.steps for history in histories.values())
    return found.outcomes(runs), plots.curves(histories) if started else gr.skip()


def prompts(lab: Lab, model: gr.Dropdown) -> Trials:
    """4.6: prompt tuning, P-tuning and prefix tuning. Returns the trials."""

    def given(tokens: float) -> dict[str, dict[str, Any]]:
        return {key: {"virtual_tokens": settings(key, int(tokens)).virtual_tokens} for _, key in KINDS}

    def plans(model: str, data: str, steps: float, tokens: float) -> dict[str, Plan]:
        return {key: trial(model, key, data, int(steps), own) for key, own in given(tokens).items()}

    trials = Trials(lab, "Prompts", plans)
    with exhibit("Three kinds of virtual tokens", elem_id="exhibit-prompts"):
        tokens = Slider(1, 100, 20, step=1, label="Virtual tokens n", elem_id="prompts-tokens")
        picture = Figure(label="Trained parameters of three prompt methods", elem_id="prompts-picture")
        facts = gr.Markdown("", elem_id="prompts-facts", elem_classes="lab-lesson-text")

        def draw(model: str, tokens: float) -> Any:
            shape = shape_of(model)
            shown = [place(key, own, shape) for key, own in given(tokens).items()]
            return plots.counts(shown), _table(shown)

        live(lab, TAB, draw, [model, tokens], [picture, facts])
        with gr.Row():
            data = data_choice(value="persona", elem_id="prompts-data")
            steps = Slider(5, 300, 60, step=5, label="Steps", elem_id="prompts-steps")
        curves = Figure(label="Training loss of the three methods", elem_id="prompts-curves")
        results = gr.Markdown("", elem_id="prompts-results", elem_classes="lab-lesson-text")
        inputs = [model, data, steps, tokens]
        button(lab, TAB, "Train all three", trials, inputs, [results, curves], _results, "prompts-train")
    return trials


def nearest(lab: Lab, trials: Trials) -> None:
    """4.6: the nearest vocabulary tokens of the learned vectors, with their cosine."""
    with exhibit("Nearest words", elem_id="exhibit-nearest"):
        kind = Radio(KINDS, value="prompt", label="Method", elem_id="nearest-kind")
        count = Slider(1, 10, 4, step=1, label="Words each", elem_id="nearest-count")

        def measure(kind: str, count: float, stop: Any) -> Iterator[tuple[str, Neighbours]]:
            run = found.newest(trials, kind)
            loaded = lab.engine.model(run.id)
            with loaded.lock:
                yield kind, neighbours(loaded.model, loaded.encoder.tokenizer, int(count))

        def show(items: list[tuple[str, Neighbours]]) -> Any:
            kind, told = items[-1]
            rows = [
                [number, " · ".join(f"{found.quoted(word.text)} {word.cosine:.2f}" for word in row), f"{norm:.2f}"]
                for number, (row, norm) in enumerate(zip(told.rows, told.norms), 1)
            ]
            mean = sum(row[0].cosine for row in told.rows) / len(told.rows)
            words = (
                f"Nearest word: cosine {mean:.2f} on average. A word and its nearest other word: {told.words:.2f}; a "
                f"random direction: {told.chance:.2f}. A word's vector is {told.word_norm:.2f} long.\n\n"
            )
            return plots.cosines(told, kind), words + table(["virtual token", "nearest words", "length"], rows)

        picture = Figure(label="Cosine of each learned vector with its nearest word", elem_id="nearest-picture")
        words = gr.Markdown("", elem_id="nearest-words", elem_classes="lab-lesson-text")
        work = Measurement(measure)
        button(lab, TAB, "Find the nearest words", work, [kind, count], [picture, words], show, "nearest-find")
