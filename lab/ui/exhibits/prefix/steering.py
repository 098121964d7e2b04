"""4.2: the attention that a sentence pays to the prefix, and what each part of the prefix is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import gradio as gr

from lab.errors import LabError
from lab.insight import ablation
from lab.insight import attention as looking
from lab.plan import Plan
from lab.plots import prefix as plots
from lab.runs import Run
from lab.ui.controls import Dropdown, Radio, Slider, Textbox
from lab.ui.exhibits import found
from lab.ui.exhibits.parts import data_choice, live, trial
from lab.ui.exhibits.prefix.anatomy import KINDS, settings
from lab.ui.exhibits.watch import Measurement, Trials, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit

TAB = "prefix"
ALL = "all"
SENTENCE = "Where does Ada live, Jonas?"


@lru_cache(maxsize=16)
def _attention(lab: Lab, run: Run, text: str) -> looking.Attention:
    loaded = lab.engine.model(run.id)
    with loaded.lock:
        return looking.attention(loaded.model, loaded.encoder.tokenizer, found.ids(loaded, text))


def steering(lab: Lab, model: gr.Dropdown) -> Trials:
    """Train a prefix, look at the attention, take parts out. Returns the trials."""

    def plans(model: str, kind: str, data: str, tokens: float, steps: float) -> dict[str, Plan]:
        chosen = settings(kind, int(tokens))
        return {kind: trial(model, kind, data, int(steps), {"virtual_tokens": chosen.virtual_tokens})}

    trials = Trials(lab, "Prefix", plans)
    with exhibit("Attention to the prefix", elem_id="exhibit-attention"):
        kind = Radio(KINDS[:2], value="prefix", label="Method", elem_id="attention-kind")
        with gr.Row():
            data = data_choice(value="persona", elem_id="attention-data")
            tokens = Slider(1, 50, 10, step=1, label="Virtual tokens n", elem_id="attention-tokens")
            steps = Slider(5, 300, 60, step=5, label="Steps", elem_id="attention-steps")
        results = gr.Markdown("", elem_id="attention-results", elem_classes="lab-lesson-text")
        words = Textbox(SENTENCE, label="Your sentence", elem_id="attention-text", render=False)
        with gr.Row(render=False) as choices:
            layer = Dropdown([ALL], value=ALL, label="Layer", elem_id="attention-layer")
            head = Dropdown([ALL], value=ALL, label="Head", elem_id="attention-head")
        maps = Figure(label="Attention to the prefix by layer and head", elem_id="attention-heads", render=False)
        bars = Figure(label="Attention of each token to the prefix", elem_id="attention-tokens-bars", render=False)
        grid = Figure(label="Attention of each token to each virtual token", elem_id="attention-each", render=False)
        pictures = [maps, bars, grid, layer, head]

        def draw(words: str, layer: str, head: str) -> Any:
            told = _attention(lab, found.newest(trials), words)
            shares = told.by_head()
            lists = [[ALL, *map(str, range(len(shares)))], [ALL, *map(str, range(len(shares[0])))]]
            chosen = [
                None if item == ALL or item not in names else int(item) for item, names in zip((layer, head), lists)
            ]
            return (
                plots.heads(shares, *chosen),
                plots.tokens(told.tokens, told.by_token(*chosen), told.even()),
                plots.each(told.tokens, told.to_each(*chosen)),
                *[
                    gr.Dropdown(choices=names, value=ALL if item is None else str(item))
                    for names, item in zip(lists, chosen)
                ],
            )

        def show(runs: Mapping[str, Run]) -> Any:
            if not found.done(runs):
                return [found.outcomes(runs), *[gr.skip()] * len(pictures)]
            return [found.outcomes(runs), *draw(SENTENCE, ALL, ALL)]

        inputs = [model, kind, data, tokens, steps]
        button(lab, TAB, "Train a prefix and look", trials, inputs, [results, *pictures], show, "attention-train")
        words.render()
        choices.render()
        for picture in pictures[:3]:
            picture.render()
        live(lab, TAB, draw, [words, layer, head], pictures, at_open=False)
    return trials


def ablating(lab: Lab, trials: Trials) -> None:
    """Take one layer's prefix, or one virtual token, out at a time."""
    with exhibit("Take parts out", elem_id="exhibit-ablation"):
        count = Slider(2, 64, 16, step=2, label="Held-out rows", elem_id="ablation-rows")
        picture = Figure(label="Change of the loss without a layer or a virtual token", elem_id="ablation-picture")

        def measure(count: float, stop: Any) -> Iterator[ablation.Ablated]:
            run = found.newest(trials)
            batch, shape, loaded = found.rows(run, int(count)), found.shape(run), lab.engine.model(run.id)
            with loaded.lock:
                yield from ablation.ablate(loaded.model, shape, batch)

        def progress(items: list[ablation.Ablated]) -> str:
            if not items:
                return "Measuring the whole prefix …"
            last = items[-1]
            return f"{len(last.layers)} layers and {len(last.tokens)} virtual tokens taken out, one at a time."

        button(
            lab,
            TAB,
            "Measure the change in loss",
            Measurement(measure, progress),
            [count],
            [picture],
            lambda items: plots.ablation(items[-1]),
            "ablation-measure",
        )


def check(text: str) -> str:
    """The text. Raises LabError for an empty one."""
    if not text.strip():
        raise LabError("There is nothing to answer.", "Write a message.")
    return text
