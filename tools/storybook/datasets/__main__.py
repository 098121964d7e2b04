"""Builds the four sets: `python -m tools.storybook.datasets [--out assets/data]`. The same files each time."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tools.storybook.datasets import data_to_text, intent, persona, sentiment
from tools.storybook.datasets.grammar import Example

SETS = {"sentiment": sentiment, "intent": intent, "data_to_text": data_to_text, "persona": persona}
DATA = Path(__file__).resolve().parents[3] / "assets" / "data"


def files(name: str, splits: dict[str, list[Example]]) -> dict[str, str]:
    """File name -> content of one set, the hand-written README apart."""
    lines = {
        f"{split}.jsonl": "".join(json.dumps(e.row, ensure_ascii=False) + "\n" for e in examples)
        for split, examples in splits.items()
    }
    return {**lines, "data.json": json.dumps(SETS[name].CARD, indent=2, ensure_ascii=False) + "\n"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.storybook.datasets", description=__doc__)
    parser.add_argument("--out", type=Path, default=DATA, help="folder of the sets (default: assets/data)")
    out = parser.parse_args().out
    for name, module in SETS.items():
        splits = module.build()
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files(name, splits).items():
            (folder / file).write_text(content, encoding="utf-8", newline="\n")
        print(f"{name}: " + ", ".join(f"{split} {len(examples)}" for split, examples in splits.items()))


if __name__ == "__main__":
    main()
