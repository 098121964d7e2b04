"""What the embedded base is worth, beside simpler models of the same bytes: `python -m benchmarks.base --corpus DIR`.

Prints a table in Markdown. The figure of the model that was trained for a tenth of the time is the one that its build
logged (`curve.jsonl`): it needs the GPU of the build. Without `--corpus` only what needs no corpus is measured.
"""

from __future__ import annotations

import argparse
import json
import lzma
import multiprocessing
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.ngram import KneserNey
from lab.errors import LabError
from tools.storybook import corpus, measure, prepare
from tools.storybook.base import OUT

PROSE = OUT.parents[1] / "forgetting" / "prose.txt"


def ngram_bits(folder: Path, valid: str, order: int = 5) -> float:
    """Bits per byte of a Kneser-Ney model over the base's own tokens, trained on the same books."""
    with multiprocessing.get_context("spawn").Pool() as pool:
        books = pool.map(prepare.book_ids, [(OUT, book) for book in corpus.books(folder, corpus.TRAIN)])
        pieces = pool.map(prepare.book_ids, [(OUT, valid)])
    train = np.array([i for book in books for i in book], dtype=np.int64)
    model = KneserNey(train, json.loads((OUT / "config.json").read_text())["vocab_size"], order)
    probabilities = model.probabilities(np.array(pieces[0], dtype=np.int64))
    return float(-np.log2(probabilities[1:-1]).sum() / len(valid.encode("utf-8")))


def logged(run: str) -> dict[str, float]:
    """The last line that the build logged of a run."""
    lines = [json.loads(line) for line in (OUT / "curve.jsonl").read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["run"] == run][-1]


def books(folder: Path, model: Any, tokenizer: Any) -> Iterator[tuple[str, str]]:
    """The rows about the validation books."""
    valid = "\n\n".join(corpus.books(folder, corpus.VALID))
    raw = valid.encode("utf-8")
    yield "xz -9, bits per byte", f"{8 * len(lzma.compress(raw, preset=9)) / len(raw):.3f}"
    yield "5-gram over the same tokens, Kneser-Ney, bits per byte", f"{ngram_bits(folder, valid):.3f}"
    for run, title in (("tenth", "same network, a tenth of the training"), ("base", "the base")):
        bits = logged(run)["valid_bits_per_byte"]
        yield f"{title}, bits per byte in windows of 1,024 (logged by the build)", f"{bits:.3f}"
    bits = measure.bits_per_byte(model, tokenizer, valid)
    yield "the base, bits per byte with 512 to 1,023 tokens before each (measured now)", f"{bits:.3f}"


def skills(model: Any, tokenizer: Any, where: str) -> Iterator[tuple[str, str]]:
    """The rows that need no corpus."""
    yield "parameters", f"{sum(item.numel() for item in model.parameters()):,}"
    rate = measure.tokens_per_second(model, tokenizer)
    yield f"tokens a second, batch 1, {where}, {torch.get_num_threads()} threads", f"{rate:.0f}"
    yield "forgetting text, bits per byte", f"{measure.bits_per_byte(model, tokenizer, PROSE.read_text('utf-8')):.3f}"
    yield "attributes of a made-up thing listed exactly", f"{measure.reads(model, tokenizer):.1%}"
    share, by_kind, _ = measure.world(model, tokenizer)
    weakest = min(by_kind, key=by_kind.__getitem__)
    yield (
        "held-out questions about its world answered",
        f"{share:.1%} (weakest kind: {weakest}, {by_kind[weakest]:.0%})",
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.base", description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, help="the corpus folder of the build")
    told = parser.parse_args(arguments)
    try:
        if told.corpus:
            corpus.check(told.corpus)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    where = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForCausalLM.from_pretrained(OUT, dtype=torch.float32).to(where).eval()
    tokenizer = AutoTokenizer.from_pretrained(OUT)
    print("| | |\n|---|---|")
    for name, value in skills(model, tokenizer, where):
        print(f"| {name} | {value} |", flush=True)
    for name, value in books(told.corpus, model, tokenizer) if told.corpus else ():
        print(f"| {name} | {value} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
