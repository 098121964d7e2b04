"""Makes the embedded base: `python -m tools.storybook.base CORPUS_FOLDER [--out DIR] [--work DIR]`.

What the work folder already holds is not done again: tokenizer, ids, weights (which go on from the last checkpoint).
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields, replace
from pathlib import Path

from lab.errors import LabError
from tools.storybook import corpus, prepare

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "assets" / "models" / "storybook"


def build(folder: Path, out: Path, work: Path, recipe: dict[str, float], parts: int, baseline: bool) -> None:
    """From the corpus folder to the model in `out`; raises LabError if a file of the corpus is missing."""
    corpus.check(folder)
    work.mkdir(parents=True, exist_ok=True)
    tokenizer, ids = work / "tokenizer", work / "ids.safetensors"
    if not (tokenizer / "tokenizer_config.json").is_file():
        print("tokenizer", flush=True)
        prepare.make_tokenizer(folder, tokenizer, parts)
    if not ids.is_file():
        print("ids", flush=True)
        print(json.dumps(prepare.make_ids(folder, tokenizer, ids, parts)), flush=True)
    from safetensors.torch import load_file

    from tools.storybook import export, pretrain

    shape = {key: int(recipe.pop(key)) for key in list(recipe) if key in pretrain.Shape.__dataclass_fields__}
    plain = pretrain.Recipe()
    types = {item.name: type(getattr(plain, item.name)) for item in fields(plain)}
    chosen = replace(
        plain, shape=replace(plain.shape, **shape), **{key: types[key](value) for key, value in recipe.items()}
    )
    loaded = load_file(ids)
    if not (work / "base.safetensors").is_file():
        pretrain.train(chosen, loaded, work)
    if baseline and not (work / "tenth.safetensors").is_file():
        pretrain.train(chosen.shorter(0.1), loaded, work, "tenth")
    export.export(work, tokenizer, chosen.shape, out)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.storybook.base", description=__doc__.splitlines()[0])
    parser.add_argument(
        "corpus", type=Path, help="folder with books.train.part1.txt and so on, as they are or as .xz"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="where the model goes (default: %(default)s)")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "work" / "base", help="tokenizer, ids, curve and checkpoint"
    )
    parser.add_argument("--parts", type=int, default=prepare.PARTS, help="how many parts of written text to draw")
    parser.add_argument("--baseline", action="store_true", help="also train the same for a tenth of the time")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="NAME=NUMBER", help="change the recipe: epochs=2 layers=4"
    )
    told = parser.parse_args(arguments)
    try:
        recipe = {key: float(value) for key, value in (item.split("=") for item in told.set)}
        build(told.corpus, told.out, told.work, recipe, told.parts, told.baseline)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
