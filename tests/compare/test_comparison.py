"""A comparison's folder, also one that was changed by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.compare.comparison import FILE, Comparisons
from lab.compare.spec import Spec
from lab.errors import LabError
from lab.runs import Runs


@pytest.fixture
def comparisons(store: Runs, tmp_path: Path) -> Comparisons:
    return Comparisons(tmp_path / "comparisons", store)


DAMAGES: list[Any] = [
    "{", "[" * 100_000, "null", "[]", "{}", {"schema": "new"}, {"members": [{}]}, {"members": None}, {"order": [1]},
    {"created": "yesterday"}, {"spec": {"methods": ["nosuch"]}}, {"spec": None}, {"trials": {"LoRA": "x"}},
    {"members": [{"key": "a", "arm": "b", "plan": {"seed": "x"}, "given": "", "run": ""}]},
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: str(damage)[:40])
def test_a_damaged_one_is_told_and_breaks_no_list(comparisons: Comparisons, damage: Any) -> None:
    good, bad = (comparisons.create(Spec.from_dict({"methods": ["lora"]})) for _ in range(2))
    file = bad.folder / FILE
    state = json.loads(file.read_text())
    file.write_text(damage if isinstance(damage, str) else json.dumps({**state, **damage}))
    fresh = Comparisons(comparisons.folder, comparisons.runs)
    with pytest.raises(LabError, match="damaged"):
        fresh.get(bad.id)
    listed = fresh.all()
    assert [item.id for item in listed] == [good.id]
    assert (listed[0].name, len(listed[0].waiting), len(listed[0].outcomes())) == ("Comparison", 1, 1)


def test_one_of_a_newer_lab_says_so(comparisons: Comparisons) -> None:
    file = comparisons.create(Spec.from_dict({"methods": ["lora"]})).folder / FILE
    file.write_text(json.dumps({"schema": 10**6, "members": "of another form"}))
    with pytest.raises(LabError, match="newer lab"):
        Comparisons(comparisons.folder, comparisons.runs).get(file.parent.name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "/etc"])
def test_a_name_leads_to_no_other_folder(comparisons: Comparisons, name: str) -> None:
    comparisons.folder.mkdir()
    (comparisons.folder.parent / FILE).write_text("{}")
    with pytest.raises(LabError, match="no comparison"):
        comparisons.get(name)
