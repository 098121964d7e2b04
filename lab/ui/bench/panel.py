"""What a plan will train and cost, computed before any weight is loaded: the numbers behind the panel's drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lab import methods
from lab.errors import LabError
from lab.events import Memory
from lab.methods.base import Term
from lab.models import precision
from lab.models.shape import ModelShape, Module
from lab.plan import Precision
from lab.training.job import Job, resolve
from lab.training.memory.estimate import estimate
from lab.ui.bench import form

#: Groups that are drawn; the rest is summed up in one line.
SHOWN = 8


def see(given: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the panel shows of a form's plan.

    Raises LabError where the plan cannot be read at all (no such model, no such column); a plan that can be read
    but not run has its `reason`.
    """
    job = resolve(form.plan(given))
    data, shape = job.data, job.shape
    try:
        terms = job.terms
    except LabError:  # a setting that does not fit the model: the refusal says so
        terms = ()
    return {
        "model": _model(shape),
        "data": {
            "name": data.name,
            "task": data.task,
            "metric": data.metric,
            "labels": list(data.labels),
            "train": len(data.train),
            "validation": len(data.validation),
            "steps": job.steps,
            "passes": job.epochs,
        },
        "groups": groups(terms, shape),
        "totals": {
            "base": shape.total,
            "trainable": sum(term.count for term in terms),
            "head": sum(item.count for item in shape.head_parameters()),
        },
        "costs": _costs(job, terms),
        "matched": _matched(terms, shape),
        "reason": asdict(job.refusal) if job.refusal else None,
        "warnings": [asdict(item) for item in job.warnings],
        "link": job.plan.to_link(),
    }


def _model(shape: ModelShape) -> dict[str, Any]:
    return {
        "architecture": shape.architecture,
        "total": shape.total,
        "layers": shape.layers,
        "hidden": shape.hidden,
        "heads": shape.heads,
        "kv_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "vocabulary": shape.vocabulary,
        "max_length": shape.max_length,
        "targets": list(shape.targets),
        "sizes": {name: _sizes(shape, name) for name in shape.targets},
    }


def _sizes(shape: ModelShape, target: str) -> str:
    first = next(module for module in shape.projections if shape.short(module) == target)
    count = sum(shape.short(module) == target for module in shape.projections)
    return f"{first.outputs}×{first.inputs}, {count} of them"


def _matched(terms: Sequence[Term], shape: ModelShape) -> list[str]:
    """The targets, by their short names, that the settings reach."""
    touched = {term.module for term in terms}
    return list(dict.fromkeys(shape.short(item) for item in shape.projections if item.name in touched))


def groups(terms: Sequence[Term], shape: ModelShape) -> list[dict[str, Any]]:
    """The trained tensors, where the same ones sit in each block counted once: what the panel draws.

    Each group has `label`, `count`, the d×k of its matrix W (0 where it sits beside none), whether W itself is
    trained, and its `terms` with name, dimensions and formula. The most costly come first.
    """
    modules = {item.name: item for item in shape.modules}
    head = set(shape.head)
    by_module: dict[str, list[Term]] = {}
    for term in terms:
        by_module.setdefault(term.module, []).append(term)
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for name, mine in by_module.items():
        module = modules.get(name)
        label = _label(name, module, shape)
        key = (label, *((term.name, term.shape, term.formula) for term in mine))
        if key in found:
            found[key]["count"] += 1
            continue
        found[key] = {
            "label": label,
            "count": 1,
            "d": module.outputs if module else 0,
            "k": module.inputs if module else 0,
            "itself": module is not None and _own(module, mine),
            "head": any(name == item or name.startswith(item + ".") for item in head),
            "terms": [
                {"name": term.name, "shape": list(term.shape), "formula": term.formula, "count": term.count}
                for term in mine
            ],
        }
    ordered = sorted(found.values(), key=lambda item: -item["count"] * sum(t["count"] for t in item["terms"]))
    rest = ordered[SHOWN:]
    if len(rest) > 1:
        total = sum(item["count"] * sum(term["count"] for term in item["terms"]) for item in rest)
        ordered = [*ordered[:SHOWN], {"label": f"{len(rest)} more kinds", "rest": True, "total": total}]
    return ordered


def _label(name: str, module: Module | None, shape: ModelShape) -> str:
    if module is not None and module in shape.projections:
        return shape.short(module)
    parts = [part for part in name.split(".") if part and not part.isdigit()]
    return ".".join(parts[-2:]) or "model"


def _own(module: Module, terms: Sequence[Term]) -> bool:
    """Whether the terms are the module's own tensors (the base's weight is trained, nothing is added)."""
    own = {(item.name.rsplit(".", 1)[-1], item.shape) for item in module.parameters}
    return all((term.name, term.shape) in own for term in terms)


def _costs(job: Job, terms: Sequence[Term]) -> dict[str, Any]:
    """Bytes: memory by category for this plan and for the baseline, and what each leaves on the disk."""
    stored = job.plan.precision
    baseline = next(item for item in methods.METHODS.values() if item.family == "baseline")
    # Weights in few bits cannot be trained: the baseline stores them in the type that they compute in.
    computes = str(precision.dtype(stored, job.device)).rsplit(".", 1)[-1]
    weights = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}[computes]
    whole = stored if not stored.quantized else Precision(weights=weights)
    return {
        "own": asdict(job.estimate) if terms else asdict(Memory(weights=precision.base_bytes(job.shape, stored))),
        "baseline": asdict(estimate(job.shape, baseline, baseline.Settings(), whole, job.plan.training)),
        "baseline_title": baseline.title + (f" ({whole.weights})" if whole != stored else ""),
        "disk": 4 * sum(term.count for term in terms),
        "baseline_disk": int(job.shape.total * precision.bits_per_weight(whole) / 8),
    }
