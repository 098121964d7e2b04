"""Presses every button of the exercises on the embedded base: `python -m benchmarks.exercises [--only 2.4 …]`.

Prints, by item, what stands on the page afterwards: the figures in `docs/exercises.md` come from here. Controls stand
where they stand when a person first opens the tab. `--keep` writes what the pictures and tables show into
`assets/examples`, where the page finds it: a person who opens a tab sees it, marked as an example, before pressing.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gradio as gr
import plotly.graph_objects as go

from lab.models.catalogue import DEFAULT
from lab.ui import controls, examples
from lab.ui.figure import Figure
from lab.ui.tabs import TABS
from tests.ui.exercise import Exercise

#: By item: the tab, and its buttons in the order of pressing.
ITEMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "1.1": ("why", ("cost-measure",)),
    "1.2": ("why", ("map-measure",)),
    "1.3": ("why", ("benefit-compute", "benefit-storage", "benefit-forget", "benefit-tasks")),
    "1.4 update": ("why", ("spectrum-train",)),
    "1.4 size": ("why", ("size-train",)),
    "2.1": ("lora", ("flow-check",)),
    "2.2": ("lora", ("count-measure",)),
    "2.3": ("lora", ("code-run",)),
    "2.4": ("lora", ("versus-train",)),
    "2.5": ("lora", ("files-train", "files-merge")),
    "2.6 grid": ("lora", ("sweep-train",)),
    "2.6 subspaces": ("lora", ("phi-train",)),
    "3.1": ("adapters", ("placement-train",)),
    "3.2": ("adapters", ("module-count",)),
    "3.3 bytes": ("adapters", ("tasks-weigh",)),
    "3.3 switch": ("adapters", ("switch-train", "switch-measure")),
    "3.4": ("adapters", ("latency-measure",)),
    "4.1": ("prefix", ("numbers-count",)),
    "4.2": ("prefix", ("attention-train", "ablation-measure")),
    "4.3": ("prefix", ("where-save",)),
    "4.4": ("prefix", ("families-train",)),
    "4.5": ("prefix", ("styles-train", "styles-speak", "styles-measure")),
    "4.6": ("prefix", ("prompts-train", "nearest-find")),
    "5.1": ("qlora", ("bits-time",)),
    "5.2": ("qlora", ("sum-measure",)),
    "5.3": ("qlora", ("levels-measure",)),
    "5.4": ("qlora", ("rounding-train",)),
    "5.5": ("qlora", ("loading-weigh", "loading-train")),
}


BUTTONS = {button for _, buttons in ITEMS.values() for button in buttons}

#: Those that take time itself: on a machine that does other work their example would mislead.
TIMED = {"latency-measure", "bits-time"}

PACKAGES = ("torch", "transformers", "peft", "bitsandbytes")


def texts(tab: Exercise) -> dict[str, str]:
    """Every named text that the tab holds."""
    return {name: found for name in tab.by_name if isinstance(found := tab.get(name), str)}


def pictures(tab: Exercise, button: str) -> dict[int, Any]:
    """What the figures and texts of the button's section hold, by the component's number, in the page's order."""
    found: dict[int, Any] = {}
    for item in controls.inside(tab.section(button)):
        value = tab.value(item)
        if isinstance(item, Figure) and isinstance(value, go.Figure):
            found[item._id] = {"label": item.label_text, "figure": json.loads(value.to_json())}
        elif isinstance(item, gr.Markdown) and value and str(item.elem_id).removesuffix("-said") not in BUTTONS:
            found[item._id] = value
    return found


def example(tab: Exercise, button: str, said: str, before: dict[int, Any]) -> examples.Example:
    """What pressing the button changed, with the settings that its listener was given."""
    given = tab.settings(button)
    after = pictures(tab, button)
    return examples.Example(
        made=datetime.date.today().isoformat(),
        machine=f"{os.cpu_count()} processors",
        versions={name: version(name) for name in PACKAGES},
        settings={name: value for name, (_, value) in given.items()},
        labels={name: str(item.label) for name, (item, _) in given.items()},
        said=said,
        parts=tuple(value for key, value in after.items() if value != before.get(key)),
    )


def measure(item: str, folder: Path, build: dict[str, Callable], keep: bool = False) -> None:
    """Press an item's buttons; print what was said and every text that changed; keep it as an example if asked."""
    name, buttons = ITEMS[item]
    tab = Exercise(build[name], name, folder, DEFAULT)
    try:
        tab.open()
        before = texts(tab)
        print(f"\n## {item}", flush=True)
        for pressed in buttons:
            began, drawn = time.perf_counter(), pictures(tab, pressed)
            said = tab.press(pressed)
            print(f"[{pressed}, {time.perf_counter() - began:.0f} s] {said}", flush=True)
            if keep and pressed in TIMED and os.getloadavg()[0] > 1.5:
                print("Not kept: this machine does other work, and a time would mislead.", flush=True)
            elif keep:
                examples.keep(pressed, example(tab, pressed, said, drawn))
        for place, words in texts(tab).items():
            if words != before.get(place) and len(words) < 3000:
                print(f"({place}) {words}", flush=True)
    finally:
        tab.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exercises", description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", default=list(ITEMS), choices=list(ITEMS), metavar="ITEM")
    parser.add_argument("--keep", action="store_true", help="write what is shown into assets/examples")
    asked = parser.parse_args()
    build = {tab.name: tab.build for tab in TABS}
    for item in asked.only:
        with tempfile.TemporaryDirectory() as folder:
            measure(item, Path(folder), build, asked.keep)


if __name__ == "__main__":
    main()
