"""A budget in tokens as a number of steps."""

from __future__ import annotations

import pytest

from lab.compare import budget
from lab.errors import LabError
from tests.plans import quick


def test_a_budget_is_given_up_after_a_bounded_number_of_rows(
    llama: str, replies: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "MOST_ROWS", 1_000)
    plan = quick(llama, replies, batch_size=4096, accumulation=1024)
    with pytest.raises(LabError, match="1,000 rows"):
        budget.steps_for_tokens(plan, 10**12)
    assert budget.steps_for_tokens(quick(llama, replies), 100) > 0
