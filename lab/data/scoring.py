"""How good the outputs are: one headline score in [0, 1] for every kind of data, and the figures beside it.

`score` is what a training loop calls; it names no data set. A classifier's outputs are labels, others are
texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

#: What the keeper of the persona set swears by (see `assets/data/persona/README.md`).
OATHS = ("tide", "lamp", "sea", "fog", "moon", "wind", "anchor", "foghorn", "gulls", "rocks", "swell", "stars")

_STYLE = re.compile(rf"\s*(ahoy|aye)\b.*\bsure as the ({'|'.join(OATHS)})[.!]?\s*", re.IGNORECASE | re.DOTALL)
_NOTATION = re.compile(r"\w*\[[^\]]*\]?")


def accuracy(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Share of predictions that equal their gold label, white space at the ends aside; 0 for no rows."""
    return _mean([g.strip() == p.strip() for g, p in zip(gold, predicted, strict=True)])


def macro_f1(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Unweighted mean over the gold labels of F1 = 2TP / (2TP + FP + FN).

    Rare labels count as much as frequent ones (Yang & Liu, "A re-examination of text categorization methods",
    SIGIR 1999). A prediction that is no label at all is a miss of its gold label.
    """
    pairs = [(g.strip(), p.strip()) for g, p in zip(gold, predicted, strict=True)]
    scores = []
    for label in sorted({g for g, _ in pairs}):
        hits = sum(g == p == label for g, p in pairs)
        either = sum(g == label for g, _ in pairs) + sum(p == label for _, p in pairs)
        scores.append(2 * hits / either)
    return _mean(scores)


def exact_match(references: Sequence[str], outputs: Sequence[str]) -> float:
    """Share of outputs that are their reference, case and runs of white space aside."""
    return _mean([_plain(r) == _plain(o) for r, o in zip(references, outputs, strict=True)])


def slot_accuracy(
    slots: Mapping[str, Sequence[str]], text: str, absent: Mapping[str, Sequence[str]] | None = None
) -> float:
    """One minus the slot error rate, at least 0: 1 - (missing + added) / slots.

    `slots` maps each attribute to the wordings by which its value is known, `absent` each attribute that
    was not asked for to words that give it away. Source: Wen et al., "Semantically conditioned LSTM-based
    natural language generation for spoken dialogue systems", EMNLP 2015 (slot error rate). What stands in
    brackets is notation and says nothing: a copy of the representation scores 0. Raises ValueError without slots.
    """
    if not slots:
        raise ValueError("a meaning representation needs at least one slot")
    text = _NOTATION.sub(" ", text)
    missing = sum(not _says(text, wordings) for wordings in slots.values())
    added = sum(_says(text, words) for words in (absent or {}).values())
    return max(0.0, 1 - (missing + added) / len(slots))


def bleu(references: Sequence[str], outputs: Sequence[str]) -> float:
    """Corpus BLEU in [0, 100], one reference an output, as sacrebleu defines it.

    Sources: Papineni et al., "BLEU", ACL 2002; Post, "A call for clarity in reporting BLEU scores", WMT 2018.
    """
    from sacrebleu import corpus_bleu

    return float(corpus_bleu(list(outputs), [list(references)]).score) if outputs else 0.0


def chrf(references: Sequence[str], outputs: Sequence[str]) -> float:
    """Corpus chrF in [0, 100] (character 6-grams, beta 2), one reference an output, as sacrebleu defines it.

    Source: Popović, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015.
    """
    from sacrebleu import corpus_chrf

    return float(corpus_chrf(list(outputs), [list(references)]).score) if outputs else 0.0


def persona_style(text: str) -> bool:
    """Whether a reply is in the keeper's style: "Ahoy" or "Aye" first, "sure as the tide" or so last."""
    return _STYLE.fullmatch(text) is not None


def persona_correct(facts: Sequence[str], text: str) -> bool:
    """Whether each fact is in the text, as whole words, case aside; an empty text is never correct."""
    return bool(text.strip()) and all(_says(text, [fact]) for fact in facts)


def score(metric: str, rows: Sequence[Mapping], outputs: Sequence[str]) -> dict[str, float]:
    """The figures of a metric, each in [0, 1]; the first is the headline score.

    Each row has a "target" (the gold label or reply); for "slot_accuracy" also "slots" and, if need be,
    "absent"; for "persona" also "facts". Raises ValueError for an unknown metric, and where rows and outputs
    differ in number.
    """
    if metric not in METRICS:
        raise ValueError(f"no metric is called {metric!r}; there are {', '.join(METRICS)}")
    if len(rows) != len(outputs):
        raise ValueError(f"{len(rows)} rows but {len(outputs)} outputs")
    return METRICS[metric](rows, outputs)


def _labels(rows: Sequence[Mapping], outputs: Sequence[str]) -> dict[str, float]:
    gold = _targets(rows)
    return {"accuracy": accuracy(gold, outputs), "macro_f1": macro_f1(gold, outputs)}


def _overlap(rows: Sequence[Mapping], outputs: Sequence[str]) -> dict[str, float]:
    gold = _targets(rows)
    return {
        "chrf": chrf(gold, outputs) / 100,
        "bleu": bleu(gold, outputs) / 100,
        "exact_match": exact_match(gold, outputs),
    }


def _slots(rows: Sequence[Mapping], outputs: Sequence[str]) -> dict[str, float]:
    each = [slot_accuracy(row["slots"], o, row.get("absent")) for row, o in zip(rows, outputs)]
    gold = _targets(rows)
    return {
        "slot_accuracy": _mean(each),
        "all_slots": _mean([share == 1 for share in each]),
        "bleu": bleu(gold, outputs) / 100,
        "chrf": chrf(gold, outputs) / 100,
    }


def _persona(rows: Sequence[Mapping], outputs: Sequence[str]) -> dict[str, float]:
    style = [persona_style(o) for o in outputs]
    correct = [persona_correct(row["facts"], o) for row, o in zip(rows, outputs)]
    return {
        "persona": _mean([s and c for s, c in zip(style, correct)]),
        "style": _mean(style),
        # Small talk has no facts: whatever is said there is correct, which says nothing about knowledge.
        "correct": _mean([c for row, c in zip(rows, correct) if row["facts"]]),
    }


#: metric -> what `score` does for it
METRICS: dict[str, Callable[[Sequence[Mapping], Sequence[str]], dict[str, float]]] = {
    "accuracy": _labels,
    "overlap": _overlap,
    "slot_accuracy": _slots,
    "persona": _persona,
}

#: metric -> how its headline score is called
TITLES = {
    "accuracy": "Accuracy",
    "overlap": "chrF",
    "slot_accuracy": "Slots right",
    "persona": "In style and correct",
}


def title(metric: str) -> str:
    """How a metric's headline score is called: its own name where a run folder comes from another edition."""
    return TITLES.get(metric, metric)


def _targets(rows: Sequence[Mapping]) -> list[str]:
    return [str(row["target"]) for row in rows]


def _says(text: str, wordings: Sequence[str]) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(w)}(?!\w)", text, re.IGNORECASE) for w in wordings)


def _plain(text: str) -> str:
    return " ".join(text.split()).lower()


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
