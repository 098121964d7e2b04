"""A budget in tokens as a number of steps: counted on the very rows that a run will see, before it starts."""

from __future__ import annotations

from lab.data import tasks
from lab.data.encoding import Encoder, order
from lab.errors import LabError
from lab.models import loading
from lab.plan import Plan

#: Steps after which a budget is called too large.
MOST_STEPS = 1_000_000


def steps_for_tokens(plan: Plan, tokens: int) -> int:
    """The fewest steps that read `tokens` tokens (padding left out; virtual tokens are no tokens read).

    The rows' order follows from the seed alone, so the count is the same for every method. Raises LabError for data
    that cannot be read and for a budget beyond a million steps.
    """
    data, training = tasks.prepare(plan.data), plan.training
    shape = loading.shape(plan.model, data.task, max(len(data.labels), 2))
    longest = min(training.max_length, shape.max_length or training.max_length)
    encoder = Encoder(loading.tokenizer(plan.model), data.task, data.labels, longest, shape.family)
    rows = order(len(data.train), plan.seed)
    lengths: dict[int, int] = {}
    read = 0
    for step in range(1, MOST_STEPS + 1):
        for _ in range(training.batch_size * training.accumulation):
            row = next(rows)
            if row not in lengths:
                lengths[row] = len(encoder.encode(data.train[row].input, data.train[row].target).input_ids)
            read += lengths[row]
        if read >= tokens:
            return step
    raise LabError(f"{tokens:,} tokens take more than {MOST_STEPS:,} steps.", "Choose a smaller budget.")
