"""2.5: what lies in a saved adapter, and what merging does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr

from lab.plots.spectrum import matrix
from lab.ui.controls import Dropdown
from lab.ui.exhibits.found import done, saved
from lab.ui.exhibits.parts import live, percent, sentence, size, table, trial
from lab.ui.exhibits.watch import Measurement, Trials, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit
from lab.ui.listeners import listen

#: Rows of the table, and rows and columns of a heat map, that are shown at most.
ROWS, SIDE = 12, 256

TEXTS = ["The sea was calm that morning.", "What is the name of the lighthouse keeper?", "It was a poor film."]


def place(lab: Lab, model: gr.Dropdown) -> None:
    """The inspector."""

    def fill(now: str | None = None) -> Any:
        found = saved(lab)
        names = [(f"{run.name} ({size(run.bytes)})", key) for key, run in found.items()]
        return gr.Dropdown(choices=names, value=now if now in found else names[0][1] if names else None)

    def inspect(run_id: str | None) -> tuple[str, Any]:
        from lab.insight.adapter_files import disk, entries
        from lab.insight.weights import about
        from lab.models import loading

        if not run_id:
            return "No run has saved an adapter yet: train one with the button.", gr.Dropdown(choices=[], value=None)
        run = lab.runs.get(run_id)
        listed = entries(run.adapter)
        rows = [
            [f"`{item.name.removeprefix('base_model.model.')}`", "×".join(map(str, item.shape)), item.dtype,
             f"{item.bytes:,}"]
            for item in listed[:ROWS]
        ]  # fmt: skip
        if len(listed) > ROWS:
            rest = listed[ROWS:]
            rows.append([f"and {len(rest)} more", "", "", f"{sum(item.bytes for item in rest):,}"])
        whole = 4 * loading.shape(run.plan.model, *about(run)).total
        files = ", ".join(f"`{name}` {size(count)}" for name, count in disk(run.adapter).items())
        words = (
            f"{table(['tensor', 'shape', 'type', 'bytes'], rows)}\n\n{files}. Together **{size(run.bytes)}**, "
            f"{percent(run.bytes / whole)} of the {size(whole)} of a full 32-bit checkpoint."
        )
        names = [item.name for item in listed if len(item.shape) == 2]
        return words, gr.Dropdown(choices=names, value=names[0] if names else None)

    def heat(run_id: str | None, name: str | None) -> Any:
        from lab.insight.adapter_files import tensors

        if not run_id or not name:
            return "Choose a run and a tensor."
        found = tensors(lab.runs.get(run_id).adapter).get(name)
        if found is None or found.dim() != 2:
            return "This run has no such matrix."
        shown = found.float()[:SIDE, :SIDE]
        cut = "" if shown.shape == found.shape else f", its first {shown.shape[0]}×{shown.shape[1]}"
        short = ".".join(name.split(".")[-4:-1])
        return matrix([[float(f"{v:.3g}") for v in row] for row in shown.tolist()],
                      f"{short}: {found.shape[0]}×{found.shape[1]}{cut}")  # fmt: skip

    def merge(run_id: str | None, stop: threading.Event) -> Iterator[Any]:
        from lab.errors import LabError
        from lab.insight.adapter_files import merge as merged

        if not run_id:
            raise LabError("There is no run to merge.", "Train one with the button above.")
        yield merged(lab.runs.get(run_id), TEXTS)

    def told(items: list[Any]) -> str:
        found = items[-1]
        rows = [
            ["the adapter moves a logit by up to", f"{found.moved:.4g}"],
            ["merged against side by side, at most", f"{found.difference:.1e}"],
            ["same choice at", f"{found.agreement:.1%}"],
            ["adapter on the disk", size(found.adapter_bytes)],
            ["merged model in memory", size(found.model_bytes)],
        ]
        return table([f"on {len(TEXTS)} sentences", ""], rows)

    with exhibit("Inside a saved adapter", elem_id="lora-files"):
        run = Dropdown([], label="Run", elem_id="files-run")
        trained = gr.State(0)
        trials = Trials(lab, "2.5 Adapter", lambda m: {"LoRA": trial(m, "lora", "persona", 20)})
        button(
            lab, "lora", "Train a small one", trials, [model], [trained], lambda runs: len(done(runs)), "files-train"
        )
        words = gr.Markdown(elem_classes="lab-lesson-text", elem_id="files-words")
        tensor = Dropdown([], label="Tensor", elem_id="files-tensor")
        figure = Figure(label="Heat map of the chosen tensor")
        lab.opened("lora", fill, run, run)
        listen(trained.change, lambda: fill(), None, run)
        listen(run.change, sentence(inspect, 2), run, [words, tensor])
        live(lab, "lora", heat, [run, tensor], [figure], at_open=False)
        said = gr.Markdown(elem_classes="lab-lesson-text", elem_id="files-merged")
        button(lab, "lora", "Merge and compare the logits", Measurement(merge), [run], [said], told, "files-merge")
