"""4.5: styles as prefixes, and the line between two of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from lab.data import catalogue
from lab.errors import LabError
from lab.insight.mixture import losses, mixed
from lab.plan import GENERATE, Plan
from lab.plots import prefix as plots
from lab.ui.controls import CheckboxGroup, Slider, Textbox
from lab.ui.exhibits import found
from lab.ui.exhibits.parts import table, trial
from lab.ui.exhibits.prefix.steering import SENTENCE, check
from lab.ui.exhibits.watch import Measurement, button
from lab.ui.figure import Figure
from lab.ui.lab import Lab
from lab.ui.lesson import exhibit

TAB = "prefix"
LINE = [place / 8 for place in range(9)]


def styles(lab: Lab, model: gr.Dropdown) -> None:
    """Train a prefix for each style; the same prompt under each, and under a mixture."""

    def plans(model: str, names: list[str], tokens: float, steps: float) -> dict[str, Plan]:
        if len(names) < 2:
            raise LabError("A mixture needs two styles.", "Choose two data sets or more.")
        given = {"task": GENERATE, "virtual_tokens": int(tokens)}
        return {name: trial(model, "prefix", name, int(steps), given) for name in names}

    trials = found.Series(lab, "Style", plans)
    with exhibit("One prompt, several prefixes", elem_id="exhibit-styles"):
        known = [(card.title, name) for name, card in catalogue.datasets().items()]
        names = CheckboxGroup(known, value=["persona", "data_to_text"], label="Styles", elem_id="styles-names")
        with gr.Row():
            tokens = Slider(1, 50, 20, step=1, label="Virtual tokens n", elem_id="styles-tokens")
            steps = Slider(5, 400, 100, step=5, label="Steps each", elem_id="styles-steps")
        results = gr.Markdown("", elem_id="styles-results", elem_classes="lab-lesson-text")
        button(
            lab,
            TAB,
            "Train a prefix for each",
            trials,
            [model, names, tokens, steps],
            [results],
            lambda runs: found.outcomes(runs),
            "styles-train",
        )
        prompt = Textbox(SENTENCE, label="The same prompt", elem_id="styles-prompt")
        weight = Slider(0, 1, 0.5, step=0.05, label="Weight w of the second style", elem_id="styles-weight")
        said = gr.Markdown("", elem_id="styles-said", elem_classes="lab-lesson-text")

        def pair() -> list[tuple[str, Any]]:
            runs = list(found.done(trials.runs(trials.last())).items())
            if len(runs) < 2:
                raise LabError("Two trained prefixes are needed.", "Press the button above first.")
            return sorted(runs)[:2]

        def speak(prompt: str, weight: float, stop: Any) -> Iterator[str]:
            (first, one), (second, two) = pair()
            check(prompt)
            rows = [["no prefix: the base", found.quoted(found.spoken(lab, one, prompt, base=True))]]
            for label, run in found.done(trials.runs(trials.last())).items():
                yield table(["under", "the model says"], rows)
                rows.append([label, found.quoted(found.spoken(lab, run, prompt))])
            yield table(["under", "the model says"], rows)
            label = f"{1 - weight:.0%} {first} + {weight:.0%} {second}"
            rows.append([label, found.quoted(mixture(one.id, two.id, prompt, weight))])
            yield table(["under", "the model says"], rows)

        def mixture(first: str, second: str, prompt: str, weight: float) -> str:
            from lab.chat.engine import Options
            from lab.chat.writing import write

            other = lab.engine.model(second)
            loaded = lab.engine.model(first)
            text = ""
            with loaded.lock, mixed(loaded.model, other.model, float(weight)):
                for text in write(loaded, found.ids(loaded, prompt), Options(), 40):  # noqa: B007
                    pass
            return text

        button(
            lab,
            TAB,
            "Let each answer, and the mixture",
            Measurement(speak),
            [prompt, weight],
            [said],
            lambda items: items[-1],
            "styles-speak",
        )
        picture = Figure(label="Loss on both styles along the line between two prefixes", elem_id="styles-line")

        def along(weight: float, stop: Any) -> Iterator[Any]:
            (first, one), (second, two) = pair()
            batches = [found.rows(one, 16), found.rows(two, 16)]
            other, loaded = lab.engine.model(two.id), lab.engine.model(one.id)
            with loaded.lock:
                for rows in losses(loaded.model, other.model, batches, LINE):
                    yield dict(zip((first, second), rows)), weight

        button(
            lab,
            TAB,
            "Measure the loss along the line",
            Measurement(along, lambda items: f"{len(items)} of {len(LINE)} mixtures measured."),
            [weight],
            [picture],
            lambda items: plots.mixture(LINE, *items[-1]),
            "styles-measure",
        )
