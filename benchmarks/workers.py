"""Processes that make independent runs side by side, spread over the GPUs where there are any."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any


def each(call: Callable[[Any], Any], work: Sequence[Any], workers: int, threads: int = 1) -> Iterator[Any]:
    """The results in the order in which they come; each process has `threads` of the CPU and one GPU."""
    if not work:
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(min(workers, len(work)), _settle, (context.Value("i", 0), _gpus(), threads)) as pool:
        yield from pool.imap_unordered(call, work)


def _gpus() -> list[str]:
    import torch

    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    return allowed.split(",") if allowed else [str(index) for index in range(torch.cuda.device_count())]


def _settle(taken: Any, gpus: list[str], threads: int) -> None:
    with taken.get_lock():
        place, taken.value = taken.value, taken.value + 1
    if gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus[place % len(gpus)]
    import torch

    torch.set_num_threads(threads)
