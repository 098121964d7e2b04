"""A budget in tokens as a number of steps: counted on the very rows that a run will see, before it starts."""

from __future__ import annotations

from lab.data.encoding import order
from lab.errors import LabError
from lab.plan import Plan
from lab.training.job import resolve

#: Steps, and rows read one by one, after which a budget is called too large.
MOST_STEPS, MOST_ROWS = 1_000_000, 10_000_000


def steps_for_tokens(plan: Plan, tokens: int) -> int:
    """The fewest steps that read `tokens` tokens (padding left out; virtual tokens are no tokens read).

    The rows' order follows from the seed alone, so the count is the same for every method. Raises LabError for data
    that cannot be read and for a budget beyond a million steps or ten million rows.
    """
    job = resolve(plan)
    rows = order(len(job.data.train), plan.seed)
    lengths: dict[int, int] = {}
    read = 0
    for step in range(1, min(MOST_STEPS, MOST_ROWS // job.rows_per_step) + 1):
        for _ in range(job.rows_per_step):
            row = next(rows)
            if row not in lengths:
                example = job.data.train[row]
                lengths[row] = len(job.encoder.encode(example.input, example.target).input_ids)
            read += lengths[row]
        if read >= tokens:
            return step
    raise LabError(
        f"{tokens:,} tokens take more than {MOST_STEPS:,} steps or {MOST_ROWS:,} rows.", "Choose a smaller budget."
    )
