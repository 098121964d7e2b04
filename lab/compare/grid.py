"""From a comparison as it is written to the plans that it means, and what is known of them before they start."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log10, prod
from typing import Any

from lab import methods
from lab.compare.spec import MOST, STEPS, Entry, Spec, with_loose
from lab.errors import LabError, Reason
from lab.events import Memory
from lab.knobs import knobs
from lab.plan import Plan
from lab.training.job import Job, resolve


@dataclass(frozen=True)
class Member:
    """One plan of a comparison. Members of one `arm` differ in nothing but the seed."""

    plan: Plan
    arm: str
    run: str = ""  # the id of a run that exists already

    @property
    def key(self) -> str:
        """A short name that follows from the plan (and the run, if it is a given one)."""
        text = json.dumps([self.plan.to_dict(), self.run], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    @property
    def label(self) -> str:
        return f"{self.arm}, seed {self.plan.seed}"


def size(spec: Spec) -> int:
    """How many members a comparison has, by multiplication: none of them is made for it."""
    return sum(_size(entry, spec) for entry in spec.methods) * len(spec.seeds) + len(spec.plans) + len(spec.runs)


def expand(spec: Spec, plan_of: Callable[[str], Plan] | None = None, most: int = MOST) -> tuple[Member, ...]:
    """The members of a comparison in their order: arm after arm, each with its seeds.

    `plan_of` gives the plan of a run that exists, for a comparison that lists some. Raises LabError for an empty
    grid, for one of more than `most` members and for two members that are the same.
    """
    count = size(spec)
    if not count:
        raise LabError("The comparison has no members.", "Name at least one method, for example `methods: [lora]`.")
    if count > most:
        raise LabError(
            f"The comparison has {_count(count)} members; at most {most} are run.",
            "Take fewer settings, seeds or methods.",
        )
    plans = [_protocol(plan, spec) for entry in spec.methods for plan in _plans(entry, spec)]
    seeded = [replace(plan, seed=seed) for plan in plans for seed in spec.seeds]
    own = [_protocol(plan, spec) for plan in spec.plans]
    given = [plan_of(run) for run in spec.runs] if plan_of else []
    _no_twins([*seeded, *own])
    if len(set(spec.runs)) < len(spec.runs):
        raise LabError("A run is listed twice.", "Name each run once.")
    arms = _names([*seeded, *own, *given])
    runs = [""] * (len(seeded) + len(own)) + list(spec.runs if plan_of else ())
    return tuple(Member(plan, arm, run) for plan, arm, run in zip([*seeded, *own, *given], arms, runs))


def _count(number: int) -> str:
    """The number as people write it; a long one as a power of ten, for Python does not spell out the longest."""
    return f"{number:,}" if number < 10**15 else f"more than 10^{int((number.bit_length() - 1) * log10(2))}"


def _axes(entry: Entry, spec: Spec) -> dict[str, list[Any]]:
    """The values of each setting of an entry; one for a setting that does not vary."""
    kinds = {item.name: item.kind for item in knobs(methods.method(entry.method).Settings)}
    found = {}
    for name, value in entry.settings.items():
        many = isinstance(value, list | tuple)
        if many and kinds.get(name.rpartition(".")[2]) == "names":  # a list of modules is one value
            many = bool(value) and isinstance(value[0], list | tuple)
        found[name] = list(value) if many else [value]
    if spec.precisions:
        found.setdefault("precision.weights", list(spec.precisions))
    return found


def _size(entry: Entry, spec: Spec) -> int:
    return prod(len(values) for values in _axes(entry, spec).values())


def _plans(entry: Entry, spec: Spec) -> Iterable[Plan]:
    start = with_loose(methods.default_plan(entry.method, model=spec.model, data=spec.data), spec.settings)
    axes = _axes(entry, spec)
    for values in itertools.product(*axes.values()):
        yield methods.with_values(start, dict(zip(axes, values)))


def _protocol(plan: Plan, spec: Spec) -> Plan:
    """The plan with what the protocol says of its steps; other budgets become steps when the member starts."""
    if spec.protocol.budget != STEPS:
        return plan
    return replace(plan, training=replace(plan.training, steps=int(spec.protocol.amount)))


def _no_twins(plans: list[Plan]) -> None:
    seen: dict[str, int] = {}
    for place, plan in enumerate(plans):
        word = json.dumps(plan.to_dict(), sort_keys=True)
        if word in seen:
            title = methods.method(plan.method).title
            raise LabError(
                f"Members {seen[word] + 1} and {place + 1} are the same plan ({title}, seed {plan.seed}).",
                "Remove one of them: the same plan gives the same result.",
            )
        seen[word] = place


def flat(plan: Plan) -> dict[str, Any]:
    """All choices of a plan but its seed, by name: "rank", "precision.weights", "data.source", …"""
    own = {item.name: item.default for item in knobs(methods.method(plan.method).Settings)}
    found: dict[str, Any] = {"model": plan.model, "method": plan.method}
    found |= json.loads(json.dumps(own | dict(plan.settings)))
    plain = plan.to_dict()
    for part in ("precision", "data", "training"):
        found |= {f"{part}.{name}": value for name, value in plain[part].items()}
    return found


def _names(plans: list[Plan]) -> list[str]:
    """A name for each plan: its method, and what tells it from the other plans of that method.

    Plans that differ in their seed alone have the same name.
    """
    flats = [flat(plan) for plan in plans]
    across = [name for name in ("model", "data.source", "precision.weights") if len({one[name] for one in flats}) > 1]
    peers: dict[str, list[dict[str, Any]]] = {}
    for mine in flats:
        peers.setdefault(mine["method"], []).append(mine)
    varied = {method: set(_varied(group)) for method, group in peers.items()}
    names = []
    for plan, mine in zip(plans, flats):
        said = [_said(name, mine[name]) for name in mine if name in varied[plan.method] or name in across]
        names.append(" ".join([methods.method(plan.method).title, *said]))
    return names


def _varied(flats: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the choices in which the flattened plans are not all alike."""
    values: dict[str, set[str]] = {}
    for place, mine in enumerate(flats):
        for name, value in mine.items():
            # A choice that an earlier plan does not have differs from it.
            values.setdefault(name, set() if place == 0 else {"null"}).add(json.dumps(value))
        for name in values.keys() - mine.keys():
            values[name].add("null")
    return [name for name, seen in values.items() if len(seen) > 1]


def _said(name: str, value: Any) -> str:
    if name in ("precision.weights", "model", "data.source"):
        return str(value).rpartition("/")[2]
    short = name.rpartition(".")[2].replace("_", " ")
    if isinstance(value, bool):
        return short if value else f"no {short}"
    if isinstance(value, list):
        value = "+".join(map(str, value)) or "default"
    return f"{short}={value:g}" if isinstance(value, float) else f"{short}={value}"


# -- before it starts -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Foresight:
    """What is known of a member before it starts."""

    member: Member
    reason: Reason | None
    trainable: int = 0
    total: int = 0
    memory: Memory = field(default_factory=Memory)


def foresee(members: Iterable[Member]) -> list[Foresight]:
    """For each member its trained parameters and memory, or why it cannot run. Loads no weights."""
    known: dict[str, Foresight] = {}
    foresights = []
    for member in members:
        key = json.dumps(flat(member.plan), sort_keys=True)  # the seed changes none of it
        if key not in known:
            known[key] = _foresee(member)
        foresights.append(replace(known[key], member=member))
    return foresights


def _foresee(member: Member) -> Foresight:
    try:
        job = resolve(member.plan)
        if job.refusal:
            return Foresight(member, job.refusal)
        return Foresight(member, None, job.trainable, job.shape.total, job.estimate)
    except LabError as error:
        return Foresight(member, Reason(error.message, error.hint))


def operations(job: Job, trainable: int, eval_rows: int) -> float:
    """Multiplications and additions of a training with evaluations of `eval_rows` rows, roughly.

    2 for each weight and token forward, as many for the gradient of what is passed on, and again for the gradient of
    each weight that is trained (Kaplan et al. 2020, section 2.1).
    """
    length = job.max_length / 2  # most rows are shorter
    trained = job.steps * job.rows_per_step * length
    evaluated = (1 + job.evaluations) * min(job.plan.training.eval_rows, eval_rows) * length
    return (4 * job.shape.total + 2 * trainable) * trained + 2 * job.shape.total * evaluated
