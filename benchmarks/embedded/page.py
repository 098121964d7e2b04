"""The logged figures as tables and verdicts in Markdown, put between the markers of `docs/embedded.md`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.embedded.cases import ORDER
from benchmarks.embedded.scratch import FRESH, PRETRAINED, SETS, SIZES, TEST, WORDS
from lab import methods
from lab.compare.statistics import ENOUGH, paired, sampling_error, summary

ROOT = Path(__file__).parents[2]
PAGE, LOG = ROOT / "docs" / "embedded.md", ROOT / "docs" / "embedded.jsonl"

Line = dict[str, Any]  # {"case": …, "figures": …, "device": …, "seconds": …}

NOTHING = "Not measured yet."

#: Sets on which LoRA is to be ten points ahead.
CLAIMED = 3


def logged(file: Path) -> list[Line]:
    """The lines of a log; none where there is none."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []


def spread(values: Sequence[float], form: str = "{:.1f}", scale: float = 100) -> str:
    """Mean ± sample standard deviation; fewer seeds than `ENOUGH` are told."""
    told = summary([value * scale for value in values])
    if told is None:
        return "–"
    mean = form.format(told.mean)
    if told.count == 1:
        return f"{mean} (one seed)"
    return f"{mean} ± {form.format(told.deviation)}" + (f" ({told.count} seeds)" if told.count < ENOUGH else "")


def bits(values: Sequence[float]) -> str:
    return spread(values, "{:.3f}", 1)


def by_seed(lines: Iterable[Line], **wanted: Any) -> dict[int, Line]:
    """The figures of an arm by seed: the lines whose case has the wanted values."""
    return {
        line["case"]["seed"]: line["figures"]
        for line in lines
        if all(line["case"].get(name) == value for name, value in wanted.items())
    }


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


def scores(arm: dict[int, Line], name: str = "score") -> dict[int, float]:
    return {seed: figures[name] for seed, figures in arm.items()}


def scratch(lines: Sequence[Line]) -> list[str]:
    """Accuracy of the three arms on each set and size, and on how many sets the claim of ten points holds."""
    rows, won, seeds = [], set(), dict.fromkeys(SIZES, ENOUGH)
    for name in SETS:
        for size in SIZES:
            arms = [
                scores(by_seed(lines, experiment="scratch", set=name, rows=size, arm=arm))
                for arm in (PRETRAINED, FRESH, WORDS)
            ]
            gap = paired(arms[0], arms[1])
            if gap is None:
                continue
            lead = f"{100 * gap.difference:+.1f}"
            lead += f" ± {100 * gap.interval:.1f}" if gap.interval is not None else ""
            seeds[size] = min(seeds[size], gap.pairs)
            if round(gap.difference, 9) >= 0.1:  # ten points exactly are ten points
                won.add((name, size))
            rows.append([name, str(size or "all"), *(spread(list(arm.values())) for arm in arms), lead])
    if not rows:
        return [NOTHING]
    arms_head = [f"{arm}, %" for arm in (PRETRAINED, FRESH, WORDS)]
    head = ["set", "training rows", *arms_head, "LoRA ahead of scratch, points (95%)"]
    verdicts = []
    for size in SIZES:
        known = [row[0] for row in rows if row[1] == str(size or "all")]
        ahead = [name for name in known if (name, size) in won]
        rows_of = f"With {size or 'all'} rows"
        verdicts.append(
            claim(
                len(ahead) >= CLAIMED,
                f"{rows_of} LoRA is 10 points or more ahead of scratch on {len(ahead)} of {len(known)} sets"
                + (f" ({', '.join(ahead)})." if ahead else "."),
                seeds[size],
            )
            if known
            else f"- {rows_of} nothing was measured yet."
        )
    return [*grid(head, rows), "", *verdicts]


def persona(lines: Sequence[Line]) -> list[str]:
    """Style and correctness by steps, the verdict on 95%, and twenty replies."""
    runs = by_seed(lines, experiment="persona", precision="fp32")
    devices = {line["device"] for line in lines if line["case"]["experiment"] == "persona" and "device" in line}
    if not runs:
        return [NOTHING]
    steps = sorted({point["step"] for run in runs.values() for point in run["curve"]})
    at = {step: [p for run in runs.values() for p in run["curve"] if p["step"] == step] for step in steps}
    rows = [
        [str(step), *(spread([point[name] for point in at[step]]) for name in ("style", "correct"))]
        for step in steps[1:]
    ]
    base, last = at[steps[0]][0], at[steps[-1]]
    rows.insert(0, ["0 (base)", f"{100 * base['style']:.1f}", f"{100 * base['correct']:.1f}"])
    style, correct = (sum(p[name] for p in last) / len(last) for name in ("style", "correct"))
    seconds = spread([run["seconds"] for run in runs.values()], "{:.0f}", 1)
    said = [
        claim(style >= 0.95, f"95% in style: {100 * style:.1f}% of the replies are.", len(runs)),
        claim(
            correct >= base["correct"],
            f"No fewer correct than the base: {100 * correct:.1f}% of the replies to questions are, "
            f"{100 * base['correct']:.1f}% before.",
            len(runs),
        ),
        f"- The optimizer's steps took {seconds} seconds on {', '.join(sorted(devices)) or 'an unnamed device'}.",
    ]
    talk = next((run["replies"] for run in runs.values() if "replies" in run), [])
    title = "The first twenty test prompts and replies of seed 0:"
    shown = ["", title, "", *grid(["asked", "said"], map(cells, talk))]
    return [*grid(["steps", "in style, %", "correct, %"], rows), "", *said, *(shown if talk else [])]


def cells(texts: Sequence[str]) -> list[str]:
    return [" ".join(text.replace("|", "\\|").split()) for text in texts]


def claim(fact: bool, told: str, seeds: int) -> str:
    """A verdict; with fewer seeds than `ENOUGH` it is one so far."""
    said = ("Holds" if fact else "Does not hold") + ("" if seeds >= ENOUGH else " so far")
    return f"- **{said}.** {told}"


def untrained(lines: Sequence[Line]) -> float | None:
    """The base's bits per byte of the forgetting text, from any run that read it; None if none did."""
    return next((line["figures"]["base_general"] for line in lines if "base_general" in line["figures"]), None)


def order(lines: Sequence[Line]) -> list[str]:
    """The methods by mean score with what they forget, and whether LoRA forgets less than full fine-tuning."""
    arms = {key: by_seed(lines, experiment="order", method=key) for key in ORDER}
    arms = {key: arm for key, arm in arms.items() if arm}
    before = untrained(lines)
    if before is None:
        return [NOTHING]
    mean = {key: sum(scores(arm).values()) / len(arm) for key, arm in arms.items()}
    some = {key: next(iter(arm.values())) for key, arm in arms.items()}
    rows = [
        [
            methods.METHODS[key].title,
            spread(list(scores(arms[key]).values())), bits(list(scores(arms[key], "loss").values())),
            f"{some[key]['trainable']:,}", f"{some[key]['rate']:g}",
            bits([value - before for value in scores(arms[key], "general").values()]),
        ]
        for key in sorted(arms, key=lambda key: -mean[key])
    ]  # fmt: skip
    said = [f"- In order of the mean: {', '.join(row[0] for row in rows)}."]
    if {"full", "lora"} <= arms.keys():
        less = paired(scores(arms["full"], "general"), scores(arms["lora"], "general"))
        assert less
        error = f" ± {less.interval:.3f} (95%, {less.pairs} seeds)" if less.interval is not None else ""
        said.append(
            claim(
                less.difference > (less.interval or 0),
                f"LoRA forgets less than full fine-tuning: by {less.difference:+.3f}{error} bits per byte.",
                less.pairs,
            )
        )
    said.append("- BitFit cannot be run here: a Llama has no biases. LayerNorm tuning stands in its place.")
    head = ["method", "accuracy, %", "loss", "trained", "rate", "forgotten, bits per byte"]
    return [*grid(head, rows), "", *said]


def ranks(lines: Sequence[Line]) -> list[str]:
    """The rank sweep, and the rank from which no higher one is better by more than chance."""
    found = sorted({line["case"]["rank"] for line in lines if line["case"]["experiment"] == "ranks"})
    if not found:
        return [NOTHING]
    arms = {rank: by_seed(lines, experiment="ranks", rank=rank) for rank in found}
    rows = [
        [str(rank), f"{next(iter(arm.values()))['trainable']:,}", spread(list(scores(arm).values())),
         bits(list(scores(arm, "loss").values())), bits(list(scores(arm, "general").values()))]
        for rank, arm in arms.items()
    ]  # fmt: skip
    mean = {rank: sum(scores(arm).values()) / len(arm) for rank, arm in arms.items()}
    best = max(mean.values())
    enough = min(rank for rank, value in mean.items() if value >= best - sampling_error(best, TEST))
    told = (
        f"The accuracy saturates: from rank {enough} on it is within a standard error of the best, {100 * best:.1f}%."
    )
    said = claim(enough < found[-1], told, min(map(len, arms.values())))
    return [*grid(["rank", "trained", "accuracy, %", "loss", "prose, bits per byte"], rows), "", said]


def nf4(lines: Sequence[Line]) -> list[str]:
    """Bits per byte of persona replies and of general prose: before, after quantization, after LoRA over each."""
    arms = {name: by_seed(lines, experiment="persona", precision=name) for name in ("fp32", "nf4")}
    if not all(arms.values()) or not all(0 in arm for arm in arms.values()):
        return [NOTHING]
    rows, ends = [], {}
    for name, title, after in (("fp32", "fp32", "LoRA"), ("nf4", "NF4", "QLoRA")):
        base = arms[name][0]["curve"][0]
        rows.append([f"{title}, before training", f"{base['bits']:.3f}", f"{base['general']:.3f}"])
        ends[name] = {seed: run["curve"][-1] for seed, run in arms[name].items()}
        last = list(ends[name].values())
        rows.append([f"{title}, after {after}", bits([p["bits"] for p in last]), bits([p["general"] for p in last])])
    lost = arms["nf4"][0]["curve"][0]["general"] - arms["fp32"][0]["curve"][0]["general"]
    gap = paired(*({seed: point["bits"] for seed, point in ends[name].items()} for name in ("nf4", "fp32")))
    assert gap
    error = f" ± {gap.interval:.3f} (95%, {gap.pairs} seeds)" if gap.interval is not None else ""
    said = [
        f"- Quantization alone costs {lost:+.3f} bits per byte of prose.",
        f"- After training, QLoRA stands {gap.difference:+.3f}{error} bits per byte of replies from LoRA over fp32.",
    ]
    return [*grid(["weights", "persona replies, bits per byte", "general prose, bits per byte"], rows), "", *said]


SECTIONS: dict[str, Callable[[Sequence[Line]], list[str]]] = {
    "scratch": scratch,
    "persona": persona,
    "order": order,
    "ranks": ranks,
    "nf4": nf4,
}


def put(text: str, name: str, lines: Sequence[str]) -> str:
    """The text with new lines between the markers of a section. Raises ValueError where it has none."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the page has no markers {begin} … {end}")
    return pattern.sub(lambda _: "\n".join([begin, *lines, end]), text)


def write(file: Path, lines: Sequence[Line]) -> None:
    """Write every section of the page anew."""
    from benchmarks.embedded.presets import rates, table

    text = file.read_text(encoding="utf-8")
    for name, section in SECTIONS.items():
        text = put(text, name, section(lines))
    before = untrained(lines)
    text = put(text, "rates", [NOTHING] if before is None else rates(before))
    file.write_text(put(text, "presets", table()), encoding="utf-8")
