"""Where a broken-off run goes on: trained tensors, optimizer and random numbers, in safetensors and JSON."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from lab.errors import LabError


def save(folder: Path, step: int, seconds: float, state: dict[str, Any], optimizer: Any) -> int:
    """Write a checkpoint whole or not at all; returns its bytes."""
    tensors = {f"state/{name}": item for name, item in state.items()}
    plain: dict[str, Any] = {}
    for index, entry in optimizer.state_dict()["state"].items():
        for name, value in entry.items():
            if isinstance(value, torch.Tensor):
                tensors[f"optimizer/{index}/{name}"] = value
            elif isinstance(value, int | float):
                plain[f"{index}/{name}"] = value
    tensors["random/cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random/cuda"] = torch.cuda.get_rng_state()
    with replaced(folder) as part:
        # Clones, since several names may share one storage, which safetensors refuses.
        save_file(
            {name: item.detach().cpu().clone().contiguous() for name, item in tensors.items()},
            part / "tensors.safetensors",
        )
        (part / "state.json").write_text(
            json.dumps({"step": step, "seconds": seconds, "optimizer": plain}), encoding="utf-8"
        )
    return sum(file.stat().st_size for file in folder.iterdir())


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `folder` once the context ends; if it fails, nothing is left of it.

    Raises FileNotFoundError if the folder around it is gone: a run that was removed is not made again.
    """
    part, old = (folder.with_name(folder.name + end) for end in (".part", ".old"))
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        yield part
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def read(folder: Path) -> tuple[int, float, dict[str, Any], dict[str, Any]]:
    """The checkpoint's step, training seconds, tensors by name, and the optimizer's plain numbers.

    A process killed between two renames left the old one under another name: it is taken then. Raises LabError
    if there is none or it is damaged.
    """
    old = folder.with_name(folder.name + ".old")
    if not folder.is_dir() and old.is_dir():
        folder = old
    if not folder.is_dir():
        raise LabError("This run has no checkpoint to go on from.", "Start it again from its plan.")
    try:
        told = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        with safe_open(folder / "tensors.safetensors", framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        return int(told["step"]), float(told["seconds"]), tensors, dict(told["optimizer"])
    except Exception as error:
        raise LabError(
            f"The checkpoint is damaged ({type(error).__name__}).", "Start the run again from its plan."
        ) from error


def part(tensors: dict[str, Any], name: str) -> dict[str, Any]:
    """The tensors under "name/"."""
    return {key[len(name) + 1 :]: value for key, value in tensors.items() if key.startswith(name + "/")}


def restore_optimizer(optimizer: Any, tensors: dict[str, Any], plain: dict[str, Any]) -> None:
    """Put the optimizer's state back."""
    state: dict[int, dict[str, Any]] = {}
    for key, value in {**part(tensors, "optimizer"), **plain}.items():
        index, _, name = key.partition("/")
        state.setdefault(int(index), {})[name] = value
    whole = optimizer.state_dict()
    whole["state"] = state
    optimizer.load_state_dict(whole)


def restore_random(tensors: dict[str, Any]) -> None:
    """Put torch's random numbers back to where they were."""
    torch.set_rng_state(tensors["random/cpu"])
    if "random/cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random/cuda"])
