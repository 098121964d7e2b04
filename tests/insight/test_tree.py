"""The map's numbers: every tensor once, sums that add up."""

from __future__ import annotations

import pytest

from lab.insight.tree import nodes
from lab.methods import METHODS
from lab.plan import GENERATE
from tests import tiny

SHAPE = tiny.shape("llama", GENERATE)


@pytest.mark.parametrize("key", [key for key, method in METHODS.items() if GENERATE in method.tasks])
def test_the_tree_adds_up(key):
    method = METHODS[key]
    settings = method.Settings()
    found = {node["id"]: node for node in nodes(SHAPE, method.terms(settings, SHAPE))}
    (root,) = [node for node in found.values() if not node["parent"]]
    trained = method.trainable(settings, SHAPE)
    assert root["trained"] == trained
    assert root["count"] == SHAPE.total + (0 if method.changes_base else trained)
    for key_, node in found.items():
        below = [item for item in found.values() if item["parent"] == key_]
        for part in ("count", "trained"):
            assert not below or node[part] == sum(item[part] for item in below)
