"""torch: errors that it tells apart by their words alone."""

from __future__ import annotations

import re

#: How torch on the CPU, Apple's GPUs, CUDA's libraries and the operating system say that there is no memory left.
NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")


def out_of_memory(error: BaseException) -> bool:
    """Whether the device or the machine ran out of memory.

    Why: only CUDA's allocator has a class of its own (`torch.OutOfMemoryError`); the CPU's, Apple's and cuBLAS raise
    RuntimeError, and the operating system OSError.
    Without it: the person is told of an unexpected fault, and the models that could be evicted stay.
    Seen on: torch 2.13.
    """
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError | OSError) and any(words in str(error).lower() for words in NO_MEMORY)


def size_mismatch(error: Exception) -> tuple[str, str, str] | None:
    """(tensor, its shape in the file, its shape in the model) of the first misfit of `load_state_dict`; else None.

    Why: the shapes are in the sentence only.
    Without it: who puts an adapter on another base is not told that the base is another.
    Seen on: torch 2.13.
    """
    match = re.search(
        r"size mismatch for (\S+): copying a param with shape \S+\(\[([^\]]*)\]\).*?is \S+\(\[([^\]]*)\]\)",
        str(error),
        re.S,
    )
    return (match[1], match[2], match[3]) if match else None


def dispatch_mode() -> type:
    """The class of contexts that see every operation of torch in their thread.

    Why: nothing public tells what tensors a method makes before they fill the memory.
    Without it: a trial of a method on a small model could take all memory.
    Seen on: torch 2.13.
    """
    from torch.utils._python_dispatch import TorchDispatchMode

    return TorchDispatchMode
