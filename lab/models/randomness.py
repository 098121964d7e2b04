"""torch's random numbers belong to the whole process; so whoever draws or seeds them takes turns.

Dropout and new weights come from torch's global generator. A chat that loads a model while another thread trains
would change that training's dropout; with `alone` it neither sees nor disturbs it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_turn = threading.RLock()


@contextmanager
def taking_turns() -> Iterator[None]:
    """Nobody else draws from torch's generator inside."""
    with _turn:
        yield


@contextmanager
def alone(seed: int) -> Iterator[None]:
    """Inside, torch draws from `seed` on; afterwards its generator is where it was."""
    import torch

    with _turn, torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
