"""`docs/methods.md` from the descriptors: `python -m lab.methods.docs` (`--check`)."""

from __future__ import annotations

import sys
from dataclasses import asdict
from functools import cache
from typing import Any

from lab.errors import LabError
from lab.knobs import Knob, knobs
from lab.methods import METHODS, method, others
from lab.methods.base import FAMILIES, Method
from lab.models.shape import ModelShape, derive
from lab.paths import PACKAGE
from lab.plan import CLASSIFY, GENERATE, QUANTIZED, WEIGHTS, Precision

PAGE = PACKAGE.parent / "docs" / "methods.md"

#: Architectures of the tables: each at the size that transformers takes by default.
ARCHITECTURES = {
    "Llama": "LlamaConfig",
    "Mistral": "MistralConfig",
    "Qwen2": "Qwen2Config",
    "Gemma": "GemmaConfig",
    "GPT-2": "GPT2Config",
    "BERT": "BertConfig",
    "RoBERTa": "RobertaConfig",
    "DistilBERT": "DistilBertConfig",
    "T5": "T5Config",
}

PLAIN = Precision()

#: What the counts are of.
EXAMPLES = {"Llama 7B": ("Llama", GENERATE), "BERT base": ("BERT", CLASSIFY)}

INTRODUCTION = """# Methods

Written by `python -m lab.methods.docs` from the methods' own descriptions; `tests/methods/test_docs.py` tells when it
is out of date. What is claimed here is what `tests/methods/` holds every method to: its formula is counted against
the real parameters of every architecture below, its output at the start against the base's, its gradients on
quantized bases against whole weights, its files by reading them in another process with stock peft.

A method is one of four choices that are made apart: model, **method**, precision and data. QLoRA is the method LoRA
on a base in NF4. For classification every method also trains the new head; the counts include it.
"""


@cache
def shape(name: str, task: str) -> ModelShape | None:
    """The shape of an architecture for a task; None where it has no model for it."""
    import transformers

    try:
        return derive(getattr(transformers, ARCHITECTURES[name])(), task)
    except LabError:
        return None


def works(method: Method, name: str, task: str, precision: Precision = PLAIN) -> bool:
    found = shape(name, task)
    return found is not None and method.compatible(method.Settings(), found, precision) is None


def architectures(method: Method) -> str:
    """Where it works with its default settings, by task."""
    parts = []
    for task in (CLASSIFY, GENERATE):
        names = [name for name in ARCHITECTURES if works(method, name, task)]
        parts.append(f"{task}: {', '.join(names) or 'none'}")
    return "; ".join(parts)


def precisions(method: Method) -> str:
    """The base precisions on which it works somewhere."""
    return ", ".join(
        weights
        for weights in WEIGHTS
        if any(
            works(method, name, task, Precision(weights=weights))
            for name in ("Qwen2", "BERT")
            for task in method.tasks
        )
    )


def count(method: Method, example: str) -> str:
    name, task = EXAMPLES[example]
    found = shape(name, task)
    if found is None or not works(method, name, task):
        return "–"
    return f"{method.trainable(method.Settings(), found):,}"


def describe(key: str) -> dict[str, Any]:
    """A method as plain JSON values: what the page says of it, its settings, and its counts on the embedded models.

    `counts` holds, for each embedded model and task, the number of trained parameters with default settings, or
    the reason why it does not work there.
    """
    from lab.models import loading
    from lab.models.catalogue import models

    item = method(key)
    counts: dict[str, dict[str, Any]] = {}
    for name in models():
        for task in item.tasks:
            found = loading.shape(name, task)
            reason = item.compatible(item.Settings(), found, Precision())
            number = item.trainable(item.Settings(), found) if reason is None else reason.message
            counts.setdefault(name, {})[task] = number
    return {
        "key": item.key,
        "title": item.title,
        "family": item.family,
        "summary": item.summary,
        "formula": item.formula,
        "lesson": item.lesson,
        "mergeable": item.mergeable,
        "inference": item.inference,
        "not_identity": item.not_identity,
        "changes_base": item.changes_base,
        "tasks": list(item.tasks),
        "precisions": [name for name in WEIGHTS if name in item.quantized or name not in QUANTIZED],
        "training": dict(item.training),
        "settings": [asdict(one) for one in knobs(item.Settings)],
        "paper": asdict(item.paper) if item.paper else None,
        "counts": counts,
    }


def setting(item: Knob) -> str:
    default = ", ".join(item.default) if isinstance(item.default, tuple) else str(item.default)
    allowed = ", ".join(f"`{choice}`" for choice in item.choices)
    if not allowed and item.low is not None and item.high is not None:
        allowed = "" if item.kind not in ("int", "float") else f"{item.low:g} to {item.high:g}"
    return f"| `{item.name}` | {f'`{default}`' if default else 'empty'} | {allowed} | {item.help} |"


def section(method: Method) -> str:
    lines = [f"## {method.title}", "", f"`{method.key}` · {method.summary}", ""]
    facts = {
        "Trained": method.formula,
        "At the start": f"not the base: {method.not_identity}"
        if method.not_identity
        else "the base's output, exactly",
        "Merges into the base": "yes" if method.mergeable else "no",
        "At inference": method.inference,
        "Changes the base's own weights": "yes; they are put back to compare with the base"
        if method.changes_base
        else "no",
        "Base precisions": precisions(method),
        "Architectures": architectures(method),
        "Its own training defaults": ", ".join(f"{name} {value:g}" for name, value in method.training.items()),
    }
    lines += [f"- **{name}:** {value}" for name, value in facts.items() if value]
    if method.paper:
        paper = method.paper
        place = f", {paper.place}" if paper.place else ""
        lines.append(f"- **Source:** {paper.authors} {paper.year}, [{paper.title}]({paper.url}){place}")
    rows = [setting(item) for item in knobs(method.Settings)]
    if rows:
        lines += ["", "| Setting | Default | Allowed | What it does |", "|---|---|---|---|", *rows]
    return "\n".join(lines)


def page() -> str:
    """The whole of `docs/methods.md`."""
    ordered = sorted(METHODS.values(), key=lambda item: FAMILIES.index(item.family))
    table = [
        f"| Method | Family | Trained | {' | '.join(EXAMPLES)} | Merges | Begins as the base |",
        "|---|---|---|" + "---:|" * len(EXAMPLES) + "---|---|",
    ]
    for item in ordered:
        cells = [f"[{item.title}](#{anchor(item.title)})", item.family, item.formula]
        cells += [count(item, example) for example in EXAMPLES]
        cells += ["yes" if item.mergeable else "no", "no" if item.not_identity else "yes"]
        table.append(f"| {' | '.join(cells)} |")
    rest = ", ".join(f"`{key}`" for key in others())
    last = (
        "## Everything else that peft registers\n\n"
        "These types of the installed peft are reached under their names, with the fields of their configurations as "
        "settings; what they train is counted by building them. Where a type does not fit a model, that is "
        f"said before a run starts, in peft's own words.\n\n{rest}"
    )
    parts = [INTRODUCTION, "\n".join(table), *(section(item) for item in ordered), last]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def anchor(title: str) -> str:
    """The address of a heading, as GitHub makes it."""
    return "".join(letter for letter in title.lower().replace(" ", "-") if letter.isalnum() or letter == "-")


def main(arguments: list[str]) -> int:
    written = page()
    if "--check" in arguments:
        current = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
        print("docs/methods.md is current." if current == written else "docs/methods.md is out of date.")
        return int(current != written)
    PAGE.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
