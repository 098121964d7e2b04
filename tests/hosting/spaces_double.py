"""A double of the `spaces` package that really forks: a decorated generator runs in a child, and only yields return.

As on ZeroGPU, it must be called for somebody's request, its arguments and yields must survive being pickled, and the
process that calls it shares nothing with it.
"""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

REQUEST: ContextVar[str] = ContextVar("request", default="")

#: The durations that were asked for.
asked: list[int] = []


class GPU:
    """`@spaces.GPU(duration=60)`."""

    def __init__(self, duration: int) -> None:
        self.duration = duration

    def __call__(self, work: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def lent(*arguments: Any) -> Iterator[Any]:
            if not REQUEST.get():
                raise RuntimeError("called for nobody's request")
            asked.append(self.duration)
            packed = pickle.dumps(arguments)
            fork = multiprocessing.get_context("fork")
            ours, theirs = fork.Pipe(duplex=False)
            child = fork.Process(target=_child, args=(work, packed, theirs))
            child.start()
            theirs.close()
            try:
                while True:
                    kind, value = pickle.loads(ours.recv_bytes())
                    if kind == "end":
                        return
                    if kind == "error":
                        raise RuntimeError(value)
                    yield value
            finally:
                child.terminate()
                child.join()
                ours.close()

        return lent


def _child(work: Callable[..., Iterator[Any]], packed: bytes, pipe: Any) -> None:
    try:
        for item in work(*pickle.loads(packed)):
            pipe.send_bytes(pickle.dumps(("item", item)))
        pipe.send_bytes(pickle.dumps(("end", None)))
    except BaseException as error:
        pipe.send_bytes(pickle.dumps(("error", repr(error))))
