"""The result in words. Each sentence follows from the figures and carries its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.compare.results import EXCLUDED, MISSING, PUBLISHED, Arm, Outcome, arms
from lab.compare.statistics import ENOUGH, Summary, holm, paired, sampling_error
from lab.events import FAILED
from lab.methods import METHODS

#: A difference this unlikely to be chance is called one.
LEVEL = 0.05


@dataclass(frozen=True)
class Sentence:
    """One sentence. `kind` is "best", "tie", "cheap", "base", "fault" or "doubt"."""

    kind: str
    text: str


def verdict(outcomes: Sequence[Outcome]) -> list[Sentence]:
    """What can be said, the most important first. Published figures and marked members are never ranked."""
    own = [item for item in outcomes if item.status != PUBLISHED]
    ranked = [arm for arm in arms(own) if arm.by_seed("score")]
    said: list[Sentence] = []
    if not ranked:
        said.append(Sentence("doubt", "No member has been completed yet: there is nothing to compare."))
    elif len(ranked) == 1:
        said.append(Sentence("best", f"{ranked[0].name} scored {_score(ranked[0])}; there is nothing beside it."))
    else:
        said += _lead(ranked)
        said += _cheap(ranked)
        said += _below_base(ranked)
    said += _faults(own)
    said += _doubts(ranked)
    return said


def mean(arm: Arm) -> float:
    values = arm.by_seed("score").values()
    return sum(values) / len(values)


@dataclass(frozen=True)
class Apart:
    """Whether one arm can be told from another. `how` says by what."""

    told: bool
    how: str


def apart(first: Arm, others: Sequence[Arm]) -> list[Apart]:
    """For each of the others: can the first be told from it?

    With three common seeds or more by the paired t-test, corrected for the number of tests (Holm). With fewer by
    the sampling error of the held-out rows (1.96 standard errors of the difference); runs on the same rows are
    positively correlated, so this asks for more than is needed rather than less.
    """
    mine = first.by_seed("score")
    tests = [paired(mine, other.by_seed("score")) for other in others]
    tested = [index for index, test in enumerate(tests) if test and test.p is not None]
    corrected = dict(zip(tested, holm([tests[index].p for index in tested])))
    found = []
    for index, other in enumerate(others):
        if index in corrected:
            found.append(Apart(corrected[index] < LEVEL, f"paired t-test over {tests[index].pairs} seeds"))
            continue
        errors = [sampling_error(mean(arm), arm.complete[0].rows) for arm in (first, other)]
        wide = 1.96 * (errors[0] ** 2 + errors[1] ** 2) ** 0.5
        spread = max((max(v) - min(v) for arm in (first, other) if (v := arm.by_seed("score").values())), default=0)
        distance = abs(mean(first) - mean(other))
        found.append(Apart(distance > wide and distance > spread, "the sampling error of the held-out rows"))
    return found


def _lead(ranked: list[Arm]) -> list[Sentence]:
    order = sorted(ranked, key=lambda arm: (-mean(arm), arm.first.trainable or 0))  # of equals the leanest
    best, rest = order[0], order[1:]
    away = apart(best, rest)
    tied = [arm for arm, item in zip(rest, away) if not item.told]
    how = away[0].how
    if not tied:
        return [Sentence("best", f"{best.name} is ahead of the rest with {_score(best)} ({how}).")]
    listed = _listed([arm.name for arm in tied])
    kind = "mean" if len(best.complete) > 1 else "score"
    said = [
        Sentence(
            "tie",
            f"No winner can be named: {best.name} has the highest {kind}, {_score(best)}, but "
            f"{listed} {'is' if len(tied) == 1 else 'are'} within the spread ({how}).",
        )
    ]
    behind = len(rest) - len(tied)
    if behind:
        said.append(
            Sentence(
                "best", f"{behind} of {len(ranked)} {'is' if behind == 1 else 'are'} behind by more than chance."
            )
        )
    smallest = min((best, *tied), key=lambda arm: arm.first.trainable or float("inf"))
    if smallest.first.trainable and smallest is not best:
        said.append(
            Sentence(
                "cheap",
                f"Of those that cannot be told from the best, {smallest.name} trains the fewest parameters: "
                f"{smallest.first.trainable:,} ({_share(smallest.first.share)} of the model's).",
            )
        )
    return said


def _cheap(ranked: list[Arm]) -> list[Sentence]:
    """How each leaner arm stands to the baseline that trains everything."""
    whole = next((arm for arm in ranked if _is_whole(arm)), None)
    if whole is None:
        return []
    lean = [arm for arm in ranked if arm is not whole and (arm.first.trainable or 0) < (whole.first.trainable or 0)]
    said = []
    order = sorted(lean, key=mean, reverse=True)
    for arm, item in list(zip(order, apart(whole, order)))[:3]:
        part = (arm.first.trainable or 0) / (whole.first.trainable or 1)
        gap = mean(arm) - mean(whole)
        where = "within the spread of" if not item.told else "above" if gap > 0 else "below"
        by = "" if not item.told else f" by {abs(gap) * 100:.1f} points"
        cost = f"at {_share(part)} of its trained parameters"
        less = _less(arm.of("memory"), whole.of("memory"))
        text = f"{arm.name} is {where} {_lower(whole.name)}{by} {cost}{less}."
        said.append(Sentence("cheap", text))
    return said


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _is_whole(arm: Arm) -> bool:
    found = METHODS.get(arm.first.method)
    return found is not None and found.family == "baseline" and (arm.first.share or 0) > 0.99


def _less(mine: Summary | None, other: Summary | None) -> str:
    if mine is None or other is None or not other.mean:
        return ""
    share = mine.mean / other.mean
    return f" and {share:.0%} of its peak memory" if share < 0.995 else ""


def _below_base(ranked: list[Arm]) -> list[Sentence]:
    """Arms that did not gain on the base by more than the sampling error of its rows."""
    flat = []
    for arm in ranked:
        base = arm.first.score_base
        if base is not None and mean(arm) - base <= 1.96 * sampling_error(base, arm.first.rows):
            flat.append(arm.name)
    if not flat:
        return []
    verb = "does" if len(flat) == 1 else "do"
    return [Sentence("base", f"{_listed(flat)} {verb} not score above the untrained base by more than chance.")]


def _faults(own: Sequence[Outcome]) -> list[Sentence]:
    said = []
    for state, words in (
        (FAILED, "failed"),
        (EXCLUDED, "could not be run"),
        (MISSING, "lost its run (the folder was deleted)"),
    ):
        names = list(dict.fromkeys(item.arm for item in own if item.status == state))
        if names:
            first = next(item.reason for item in own if item.status == state and item.arm == names[0])
            because = f": {first}" if len(names) == 1 and first else ""
            said.append(Sentence("fault", f"{_listed(names)} {words}{because}".rstrip(".") + "."))
    marked = [item for item in own if item.marks]
    if marked:
        why = _listed(list(dict.fromkeys(mark for item in marked for mark in item.marks)))
        count = len(marked)
        said.append(Sentence("fault", f"{count} {'run is' if count == 1 else 'runs are'} not comparable ({why})."))
    return said


def _doubts(ranked: list[Arm]) -> list[Sentence]:
    if not ranked:
        return []
    fewest = min(len(arm.by_seed("score")) for arm in ranked)
    rows = ranked[0].complete[0].rows
    error = 196 * sampling_error(mean(ranked[0]), rows) if rows else 0
    said = []
    if fewest == 1:
        said.append(
            Sentence(
                "doubt",
                f"One seed each: how much luck there is between runs is unknown. {rows} held-out rows alone leave "
                f"about ±{error:.1f} points.",
            )
        )
    elif fewest < ENOUGH:
        said.append(Sentence("doubt", f"{fewest} seeds are too few for a paired test; {ENOUGH} or more allow one."))
    budgets = {item.steps for arm in ranked for item in arm.complete}
    if budgets and max(budgets) < 100:
        said.append(
            Sentence("doubt", f"{max(budgets)} steps are few: methods that learn slowly may catch up with more.")
        )
    return said


def _score(arm: Arm) -> str:
    found = arm.of("score")
    spread = f" ± {found.deviation * 100:.1f} points over {found.count} seeds" if found.count > 1 else ""
    return f"{found.mean:.1%}{spread}"


def _share(part: float | None) -> str:
    if part is None:
        return "?"
    return f"{part:.0%}" if part >= 0.1 else f"{part:.1%}" if part >= 0.01 else f"{part * 100:.2g}%"


def _listed(names: Sequence[str], most: int = 4) -> str:
    """ "a", "a and b", "a, b and 3 more"."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
