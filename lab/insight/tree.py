"""A model as a tree of its tensors, with what a method trains and what it adds: the numbers behind the map."""

from __future__ import annotations

from typing import Any

from lab.methods.base import Term
from lab.models.shape import ModelShape


def nodes(shape: ModelShape, terms: list[Term]) -> list[dict[str, Any]]:
    """The nodes of the tree, each with `id` (dotted), `parent` (an id, "" for the root), `label`, `count` of all
    parameters below it and `trained` of them.

    A term that is one of the base's own tensors marks it as trained; every other is added where it sits.
    """
    sizes = {item.name: item.count for item in shape.parameters}
    trained = {f"{term.module}.{term.name}": term.count for term in terms}
    leaves = [(name, count, trained.get(name, 0)) for name, count in sizes.items()]
    leaves += [(f"{name} (new)".lstrip("."), count, count) for name, count in trained.items() if name not in sizes]
    root = shape.architecture
    tree: dict[str, dict[str, Any]] = {}
    for name, count, learns in leaves:
        parts = [root, *name.split(".")]
        for depth in range(1, len(parts) + 1):
            key = ".".join(parts[:depth])
            node = tree.setdefault(
                key,
                {
                    "id": key,
                    "parent": ".".join(parts[: depth - 1]),
                    "label": parts[depth - 1],
                    "count": 0,
                    "trained": 0,
                },
            )
            node["count"] += count
            node["trained"] += learns
    return list(tree.values())
