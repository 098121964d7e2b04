"""3.5: adapters that others have shared: search the Hub, load one, ask it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import gradio as gr

from lab.errors import LabError
from lab.ui.controls import Dropdown, Slider, Textbox
from lab.ui.exhibits import found
from lab.ui.exhibits.parts import amount, live, table
from lab.ui.exhibits.watch import Measurement, button
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit

TAB = "adapters"
BASE = "HuggingFaceTB/SmolLM2-135M"
ID = re.compile(r"[\w.-]+/[\w.-]+")


def hub(lab: Lab, model: gr.Dropdown) -> None:
    """Search, load, ask."""
    with exhibit("Adapters on the Hub", elem_id="exhibit-hub"):
        base = Textbox(BASE, label="Base model on the Hub", elem_id="hub-base")
        most = Slider(5, 50, 10, step=5, label="How many", elem_id="hub-most")
        note = gr.Markdown("", elem_id="hub-note", elem_classes="lab-lesson-text")

        def told(base: str, most: float) -> str:
            if not ID.fullmatch(base.strip()):
                return f"“{found.quoted(base)}” is not an id of the Hub; one looks like *organisation/name*."
            return (
                f"The button asks the Hub for repositories with the tag `base_model:adapter:{base.strip()}`, the "
                f"{int(most)} most downloaded first."
            )

        live(lab, TAB, told, [base, most], [note])

        def search(base: str, most: float, stop: Any) -> Iterator[list[dict[str, Any]]]:
            from lab.models.hub import search_adapters

            answer = search_adapters(base.strip(), int(most))
            if not answer:
                raise LabError(f"The Hub has no adapters of '{base}'.", "Try another base.")
            yield answer

        def listed(items: list[list[dict[str, Any]]]) -> Any:
            rows = [[found.quoted(item["id"]), amount(item["downloads"]), item["likes"]] for item in items[-1]]
            names = [item["id"] for item in items[-1]]
            return table(["adapter", "downloads", "likes"], rows), gr.Dropdown(choices=names, value=names[0])

        results = gr.Markdown("", elem_id="hub-results", elem_classes="lab-lesson-text")
        chosen = Dropdown([], label="Adapter", allow_custom_value=True, elem_id="hub-adapter", render=False)
        said = Measurement(search, lambda items: f"{len(items[-1])} adapters." if items else "Asking the Hub …")
        button(lab, TAB, "Search the Hub", said, [base, most], [results, chosen], listed, "hub-search")
        chosen.render()
        text = Textbox("Where does Ada live?", label="Ask base and adapter", elem_id="hub-text")

        def ask(base: str, adapter: str | None, text: str, stop: Any) -> Iterator[str]:
            from lab.insight.adopted import adopt
            from lab.models.hub import fetch_adapter

            name = (adapter or "").strip()
            if not ID.fullmatch(name):
                raise LabError("No adapter is chosen.", "Search the Hub, or write an id such as organisation/name.")
            known = lab.runs.where(lambda row: (row["name"], row["model"]) == (name, base.strip()))
            run = next(known, None) or adopt(lab.runs, fetch_adapter(name), base.strip(), name)
            rows = []
            for side, which in (("the base", True), (found.quoted(name), False)):
                rows.append([side, found.quoted(found.spoken(lab, run, text, base=which))])
                yield table(["", "says"], rows)

        answers = gr.Markdown("", elem_id="hub-answers", elem_classes="lab-lesson-text")
        button(
            lab,
            TAB,
            "Load it and ask",
            Measurement(ask, lambda items: "It is among your runs now, and can be chatted with." if items else ""),
            [base, chosen, text],
            [answers],
            lambda items: items[-1],
            "hub-ask",
        )
