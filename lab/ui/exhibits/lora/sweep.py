"""2.6: ranks and target modules as a grid, and how much the subspaces of different ranks and seeds share."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import gradio as gr

from lab import methods
from lab.plan import CLASSIFY
from lab.plots.spectrum import heat
from lab.ui.controls import CheckboxGroup, Slider
from lab.ui.exhibits.found import done
from lab.ui.exhibits.parts import data_choice, live, module_choice, sentence, shape_of, table, trial
from lab.ui.exhibits.watch import Trials, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit
from lab.ui.listeners import listen

RANKS = (1, 2, 4, 8, 16, 32, 64)

ALL = "every matrix"

#: Sets of target modules by what they do.
SETS: dict[str, tuple[str, ...]] = {
    "query": ("query", "qkv"),
    "query and value": ("query", "value", "qkv"),
    "attention": ("query", "key", "value", "qkv", "output"),
    "feed-forward": ("gate", "up", "down"),
    ALL: (),
}


def targets(model: str, name: str) -> tuple[str, ...]:
    """The module names of a set in this model."""
    return ("all-linear",) if name == ALL else shape_of(model).with_role(*SETS[name])


def parameters(model: str, ranks: list[int], sets: list[str]) -> Any:
    """Trained parameters of the grid, by formula."""
    if not ranks or not sets:
        return "Choose at least one rank and one set of modules."
    method, shape = methods.METHODS["lora"], shape_of(model)
    values = [
        [
            method.trainable(method.Settings(rank=rank, target_modules=targets(model, name)), shape)
            for rank in sorted(ranks)
        ]
        for name in sets
    ]
    return heat(values, sets, [str(rank) for rank in sorted(ranks)], "Trained parameters", ".3s", x="rank r")


def grid(runs: dict[str, Any]) -> tuple[Any, str]:
    """The score of each cell that was trained."""
    scores, rows, base = {}, [], None
    for label, run in runs.items():
        name, _, rank = label.rpartition(" r=")
        history = run.history()
        base = history.base.score if history.base else base
        scores[name, int(rank)] = history.last.score if history.last else None
        if history.last:
            rows.append([label, f"{history.started.trainable:,}", f"{history.last.score:.1%}"])
    names = list(dict.fromkeys(name for name, _ in scores))
    ranks = sorted({rank for _, rank in scores})
    values = [[scores.get((name, rank)) for rank in ranks] for name in names]
    figure = heat(values, names, [str(rank) for rank in ranks], "Score", ".0%", x="rank r")
    rows.sort(key=lambda row: float(row[2][:-1]), reverse=True)
    words = table(["", "trained", "score"], rows) if rows else ""
    return figure, words + (f"\n\nThe base scores {base:.1%}." if base is not None else "")


def place(lab: Lab, model: gr.Dropdown) -> None:
    """The sweep and the subspaces."""

    def plans(name: str, ranks: list[int], sets: list[str], data: str, steps: float) -> dict[str, Any]:
        return {
            f"{which} r={rank}": trial(
                name,
                "lora",
                data,
                int(steps),
                {"rank": rank, "alpha": 2 * rank, "target_modules": targets(name, which)},
            )
            for which in sets
            for rank in sorted(ranks)
        }

    with exhibit("Ranks × target modules", elem_id="lora-sweep"):
        ranks = CheckboxGroup(list(RANKS), value=[1, 4, 16], label="Ranks", elem_id="sweep-ranks")
        sets = CheckboxGroup(list(SETS), value=["query and value", ALL], label="Target modules", elem_id="sweep-sets")
        first = Figure(label="Trained parameters by rank and target modules")
        live(lab, "lora", parameters, [model, ranks, sets], [first])
        with gr.Row():
            data = data_choice(CLASSIFY, elem_id="sweep-data")
            steps = Slider(4, 300, 40, step=4, label="Steps of each", elem_id="sweep-steps")
        second = Figure("Press the button to train every cell.", label="Score by rank and target modules")
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="sweep-words")
        button(lab, "lora", "Train the grid", Trials(lab, "2.6 Grid", plans), [model, ranks, sets, data, steps],
               [second, words], grid, "sweep-train")  # fmt: skip
    _subspaces(lab, model)


@lru_cache(maxsize=64)
def _phis(first: Any, second: Any, module: str, _times: tuple[int, int]) -> list[list[float]] | None:
    from lab.insight.adapter_files import factors
    from lab.insight.spectrum import phis

    one, two = factors(first.adapter), factors(second.adapter)
    return phis(one[module][0], two[module][0]) if module in one and module in two else None


def _subspaces(lab: Lab, model: gr.Dropdown) -> None:
    def plans(name: str, low: float, high: float, data: str, steps: float) -> dict[str, Any]:
        def one(rank: int, seed: int) -> Any:
            return trial(name, "lora", data, int(steps), {"rank": rank, "alpha": 2 * rank}, seed=seed)

        found = [(int(low), 0), (int(high), 0), (int(high), 1)]
        return {f"rank {rank}, seed {seed}": one(rank, seed) for rank, seed in found}

    trials = Trials(lab, "2.6 Subspaces", plans)

    def draw(module: str, i: float, j: float) -> tuple[Any, Any, str]:
        from lab.insight.spectrum import expected_phi

        found = done(trials.runs(trials.last()))
        if len(found) < 3 or not module:
            return "Train the three adapters first.", "", ""
        small, large, other = sorted(
            found.items(), key=lambda item: (item[1].plan.settings["rank"], item[1].plan.seed)
        )
        figures, rows = [], []
        width = next((m.inputs for m in shape_of(small[1].plan.model).projections if m.name == module), 0)
        for one, two in ((small, large), (large, other)):
            times = tuple(run.adapter.stat().st_mtime_ns for _, run in (one, two))
            values = _phis(one[1], two[1], module, times)
            if values is None:
                return f"'{module}' has no adapter: query and value have.", "", ""
            up, across = [str(n + 1) for n in range(len(values))], [str(n + 1) for n in range(len(values[0]))]
            figures.append(
                heat(values, up, across, f"φ: {one[0]} and {two[0]}", ".2f", 0, 1, "j", "i", written=False)
            )
            a, b = min(int(i), len(values)), min(int(j), len(values[0]))
            rows.append([f"{one[0]} · {two[0]}", f"φ({a}, {b})", f"{values[a - 1][b - 1]:.3f}",
                         f"{expected_phi(a, b, width):.3f}"])  # fmt: skip
        return *figures, table(["", "", "measured", "random"], rows)

    with exhibit("Do ranks and seeds learn the same directions?", elem_id="lora-subspaces"):
        with gr.Row():
            low = Slider(1, 16, 8, step=1, label="Smaller rank", elem_id="phi-low")
            high = Slider(2, 64, 32, step=1, label="Larger rank", elem_id="phi-high")
        with gr.Row():
            data = data_choice(CLASSIFY, elem_id="phi-data")
            steps = Slider(4, 300, 40, step=4, label="Steps", elem_id="phi-steps")
        trained = gr.State(0)
        button(lab, "lora", "Train the three adapters", trials, [model, low, high, data, steps], [trained],
               lambda runs: len(done(runs)), "phi-train")  # fmt: skip
        module = module_choice(lab, "lora", model, "phi-module", roles=("query", "value", "qkv"))
        with gr.Row():
            i = Slider(1, 64, 1, step=1, label="i", elem_id="phi-i")
            j = Slider(1, 64, 1, step=1, label="j", elem_id="phi-j")
        first = Figure(label="Overlap of the subspaces of two ranks")
        second = Figure(label="Overlap of the subspaces of two seeds")
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="phi-words")
        live(lab, "lora", draw, [module, i, j], [first, second, words])
        listen(trained.change, sentence(draw, 3), [module, i, j], [first, second, words])
