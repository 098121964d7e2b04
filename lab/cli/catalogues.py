"""The commands that list what there is: methods, models, data."""

from __future__ import annotations

import argparse
import json

from lab.knobs import knobs


def methods_command(parsed: argparse.Namespace) -> int:
    from lab import methods
    from lab.methods.docs import describe

    for key in methods.METHODS:
        if parsed.json:
            print(json.dumps(describe(key), ensure_ascii=False))
        else:
            item = methods.METHODS[key]
            print(f"{key:<14} {item.title}: {item.summary}")
            print("".join(f"{'':<15}{k.name} = {k.default!r}\n" for k in knobs(item.Settings)), end="")
    return 0


def models_command(parsed: argparse.Namespace) -> int:
    from lab.models.catalogue import models

    for card in models().values():
        print(
            json.dumps({"name": card.name, "title": card.title, "note": card.note})
            if parsed.json
            else f"{card.name:<14} {card.title}. {card.note}"
        )
    return 0


def data_command(parsed: argparse.Namespace) -> int:
    from lab.data.catalogue import datasets

    for card in datasets().values():
        told = {"name": card.name, "title": card.title, "task": card.task, "summary": card.summary}
        print(json.dumps(told) if parsed.json else f"{card.name:<14} {card.task:<9} {card.title}. {card.summary}")
    return 0
