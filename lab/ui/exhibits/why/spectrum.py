"""1.4: the spectrum of the update of full fine-tuning, and the score against the number of trained parameters."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import gradio as gr

from lab import methods
from lab.data import scoring
from lab.methods.base import FAMILIES
from lab.plan import CLASSIFY
from lab.plots.spectrum import energy, scores
from lab.plots.style import HELD_OUT, NEUTRAL, colour
from lab.ui.controls import CheckboxGroup, Slider
from lab.ui.exhibits.found import done
from lab.ui.exhibits.parts import amount, data_choice, live, module_choice, percent, sentence, table, trial
from lab.ui.exhibits.watch import Trials, button
from lab.ui.exhibits.why.calculator import whole
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit
from lab.ui.listeners import listen


@lru_cache(maxsize=64)
def _spectra(model: str, module: str) -> tuple[Any, Any]:
    from lab.insight.spectrum import random_like, spectrum
    from lab.insight.weights import matrix

    w = matrix(model, module)
    return spectrum(w), spectrum(random_like(w))


@lru_cache(maxsize=64)
def _delta(run: Any, module: str) -> Any:
    from lab.insight.spectrum import spectrum
    from lab.insight.weights import update

    return spectrum(update(run).delta(module))


def place(lab: Lab, model: gr.Dropdown) -> None:
    """Both experiments."""
    _spectrum(lab, model)
    _size(lab, model)


def _spectrum(lab: Lab, model: gr.Dropdown) -> None:
    trials = Trials(lab, "1.4 Update", lambda m, d, n: {whole().title: trial(m, whole().key, d, int(n))})

    def draw(name: str, module: str, rank: float) -> tuple[Any, str]:
        if not module:
            return "Choose a matrix.", ""
        w, random = _spectra(name, module)
        curves = [("W", w.energy(), NEUTRAL, "solid"), ("random matrix", random.energy(), NEUTRAL, "dot")]
        spectra = {"W": w, "random matrix": random}
        runs = [run for run in done(trials.runs(trials.last())).values() if run.plan.model == name]
        if runs:
            spectra = {"ΔW of full fine-tuning": _delta(runs[0], module), **spectra}
            curves.insert(
                0, ("ΔW of full fine-tuning", spectra["ΔW of full fine-tuning"].energy(), HELD_OUT, "solid")
            )
        r = int(rank)
        rows = [[k, percent(s.held(r)), s.rank_for(0.5), s.rank_for(0.9)] for k, s in spectra.items()]
        words = table(["", f"held at rank {r}", "rank for 50%", "rank for 90%"], rows)
        if not runs:
            words += "\n\nTrain the base in full to see the update beside its weight."
        return energy(curves, r, module), words

    with exhibit("How many directions carry the change?", elem_id="why-spectrum"):
        with gr.Row():
            data = data_choice(elem_id="spectrum-data", value="intent")
            steps = Slider(4, 300, 40, step=4, label="Steps of full fine-tuning", elem_id="spectrum-steps")
        module = module_choice(lab, "why", model, "spectrum-module")
        rank = Slider(1, 256, 8, step=1, label="Rank r", elem_id="spectrum-rank")
        figure = Figure(label="Energy held by rank: update, weight and random matrix")
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="spectrum-words")
        trained = gr.State(0)
        live(lab, "why", draw, [model, module, rank], [figure, words])
        button(lab, "why", "Train in full and decompose", trials, [model, data, steps], [trained],
               lambda runs: len(done(runs)), "spectrum-train")  # fmt: skip
        listen(trained.change, sentence(draw, 2), [model, module, rank], [figure, words])


def one_of_each() -> list[str]:
    """The first method of each family that can classify."""
    found: dict[str, str] = {}
    for item in methods.METHODS.values():
        if CLASSIFY in item.tasks:
            found.setdefault(item.family, item.key)
    return [found[family] for family in FAMILIES if family in found]


def scatter(runs: dict[str, Any]) -> tuple[Any, str]:
    """Score against trained parameters of the runs that have been evaluated."""
    points, rows, base, metric = [], [], None, "score"
    for label, run in runs.items():
        history = run.history()
        base = history.base.score if history.base else base
        if history.started and history.last:
            metric = history.started.metric
            points.append(
                (label, run.plan.method, history.started.trainable, history.last.score, colour(run.plan.method))
            )
            rows.append([label, amount(history.started.trainable), f"{history.last.score:.1%}"])
    if not points:
        return "Nothing has been evaluated yet.", ""
    rows.sort(key=lambda row: row[2], reverse=True)
    return scores(points, base, scoring.title(metric)), table(["", "trained parameters", "score"], rows)


def _size(lab: Lab, model: gr.Dropdown) -> None:
    with exhibit("How many parameters does a task need?", elem_id="why-size"):
        able = [(item.title, item.key) for item in methods.METHODS.values() if CLASSIFY in item.tasks]
        chosen = CheckboxGroup(able, value=one_of_each(), label="Methods", elem_id="size-methods")
        with gr.Row():
            data = data_choice(CLASSIFY, elem_id="size-data")
            steps = Slider(4, 300, 40, step=4, label="Steps", elem_id="size-steps")
        figure = Figure("Press the button: each method learns the same rows.", label="Score by trained parameters")
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="size-words")
        trials = Trials(
            lab,
            "1.4 Size",
            lambda m, keys, d, n: {methods.method(key).title: trial(m, key, d, int(n)) for key in keys},
        )
        button(
            lab,
            "why",
            "Train all of them",
            trials,
            [model, chosen, data, steps],
            [figure, words],
            scatter,
            "size-train",
        )
