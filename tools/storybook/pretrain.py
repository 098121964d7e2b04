"""Pre-training: from token ids to weights, with a curve, and a checkpoint to go on from."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from tools.storybook.network import Muon, Network, Shape
from tools.storybook.vocabulary import BOS, SPECIAL

#: The id of the token that begins a text: the special tokens come first in the vocabulary.
BOS_ID = SPECIAL.index(BOS)


@dataclass(frozen=True)
class Recipe:
    """One training. `epochs` counts passes over the books; of `batch` rows of a step, `written` are written text."""

    shape: Shape = field(default_factory=Shape)
    epochs: float = 12.0
    batch: int = 32
    written: int = 6
    rate: float = 4e-3
    weight_decay: float = 0.4
    dropout: float = 0.1
    warmup: int = 200
    seed: int = 1
    evaluations: int = 12

    def shorter(self, factor: float) -> Recipe:
        """The same with a part of the epochs."""
        return replace(self, epochs=self.epochs * factor, warmup=max(1, int(self.warmup * factor)))


def steps(recipe: Recipe, books: int) -> int:
    return max(1, round(recipe.epochs * books / ((recipe.batch - recipe.written) * recipe.shape.context)))


def _rows(ids: Tensor, paragraphs: Tensor, length: int, count: int, seed: int) -> Iterator[Tensor]:
    """Endless batches of `count` rows (count, length + 1) of one long stretch, cut anew for every pass.

    Every other row is moved on to the next paragraph and begins with the token that begins a text: else nearly every
    text that begins so would be a written one, and the model would go over to those after a few words.
    """
    waiting: list[Tensor] = []
    held, number = 0, 0
    while True:
        dice = torch.Generator().manual_seed(seed * 1000 + number)
        number += 1
        offset = int(torch.randint(length, (1,), generator=dice))
        starts = torch.arange(offset, len(ids) - length - 1, length)
        waiting.append(starts[torch.randperm(len(starts), generator=dice)])
        held += len(starts)
        if held < count:
            continue
        joined = torch.cat(waiting)
        for i in range(0, held - count + 1, count):
            place = joined[i : i + count].to(ids.device)
            moved = place[::2]
            found = torch.searchsorted(paragraphs, moved + 1).clamp(max=len(paragraphs) - 1)
            place[::2] = (paragraphs[found] - 1).clamp(max=len(ids) - length - 1)
            rows = ids[place[:, None] + torch.arange(length + 1, device=ids.device)]
            rows[::2, 0] = BOS_ID
            yield rows
        waiting = [joined[held - held % count :]] if held % count else []
        held = len(waiting[0]) if waiting else 0


def batches(ids: dict[str, Tensor], recipe: Recipe, start: int) -> Iterator[Tensor]:
    """Batches (batch, context + 1) from step `start` on: books and written rows, the same for the same seed."""
    count = recipe.batch - recipe.written
    books = _rows(ids["books"], ids["paragraphs"], recipe.shape.context, count, recipe.seed)
    written = ids["written"]
    for step in range(10**9):
        mine = next(books)
        if step < start:
            continue
        if not recipe.written:
            yield mine.long()
            continue
        passes, at = divmod(step * recipe.written, len(written))
        order = torch.randperm(len(written), generator=torch.Generator().manual_seed(recipe.seed * 7919 + passes))
        chosen = order[torch.arange(at, at + recipe.written) % len(written)].to(written.device)
        yield torch.cat((mine, written[chosen])).long()


@torch.no_grad()
def bits_per_byte(network: nn.Module, ids: Tensor, size: int, context: int, cast: Any) -> float:
    """Bits per byte of a stretch of ids that encodes `size` bytes, read in windows that do not overlap."""
    network.eval()
    total = 0.0
    count = len(ids) // context
    rows = ids[: count * context].view(count, context).long()
    for part in rows.split(32):
        with cast:
            logits = network(part[:, :-1])
        total += F.cross_entropy(logits.flatten(0, 1).float(), part[:, 1:].flatten(), reduction="sum").item()
    network.train()
    seen = count * (context - 1) / len(ids)
    return total / math.log(2) / (size * seen)


def _optimizers(network: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the blocks; AdamW for the embedding (decayed) and the norms (not)."""
    matrices, embedding, norms = [], [], []
    for name, parameter in network.named_parameters():
        kind = norms if parameter.dim() < 2 else embedding if "embed" in name else matrices
        kind.append(parameter)
    groups = [{"params": embedding, "weight_decay": recipe.weight_decay / 4}, {"params": norms, "weight_decay": 0.0}]
    return [
        Muon(matrices, recipe.rate, recipe.weight_decay),
        torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.97), eps=1e-10),
    ]


def _save(path: Path, network: nn.Module, optimizers: list[torch.optim.Optimizer], step: int, best: float) -> None:
    """Everything that is needed to go on, in one file that replaces the last one whole."""
    tensors = {f"weight.{k}": v for k, v in network.state_dict().items()}
    for number, optimizer in enumerate(optimizers):
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{index}.{k}": torch.as_tensor(v) for k, v in state.items()}
    tensors["step"] = torch.tensor(step)
    tensors["valid"] = torch.tensor(best)
    kept = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    save_file(kept, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def _restore(path: Path, network: nn.Module, optimizers: list[torch.optim.Optimizer]) -> int:
    """Loads what `_save` wrote; returns the step to go on from."""
    tensors = load_file(path)
    network.load_state_dict({k[7:]: v for k, v in tensors.items() if k.startswith("weight.")})
    for number, optimizer in enumerate(optimizers):
        told = optimizer.state_dict()
        for key, value in tensors.items():
            if key.startswith(f"optimizer.{number}."):
                _, _, index, name = key.split(".", 3)
                told["state"].setdefault(int(index), {})[name] = value
        optimizer.load_state_dict(told)
    return int(tensors["step"])


def train(recipe: Recipe, ids: dict[str, Tensor], work: Path, name: str = "base", device: str = "") -> dict[str, Any]:
    """Trains by a recipe and returns the last figures; weights in `work/<name>.safetensors` (names of Llama).

    The curve goes to `work/<name>.curve.jsonl`, a line an evaluation. If `work/<name>.checkpoint` is there, training
    goes on from it.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)
    torch.set_float32_matmul_precision("high")
    network = Network(recipe.shape, recipe.dropout).to(device)
    optimizers = _optimizers(network, recipe)
    checkpoint, curve = work / f"{name}.checkpoint", work / f"{name}.curve.jsonl"
    start = _restore(checkpoint, network, optimizers) if checkpoint.is_file() else 0
    placed = {key: ids[key].to(device) for key in ("books", "paragraphs", "written", "valid")}
    total = steps(recipe, len(ids["books"]))
    every = max(1, total // recipe.evaluations)
    cast = torch.autocast(device, torch.bfloat16, enabled=device == "cuda")

    def loss_of(rows: Tensor) -> Tensor:
        logits = network(rows[:, :-1])
        return F.cross_entropy(logits.flatten(0, 1).float(), rows[:, 1:].flatten())

    compiled = torch.compile(loss_of) if device == "cuda" else loss_of
    began, figures = time.monotonic(), {}
    parameters = list(network.parameters())
    for step, rows in enumerate(batches(placed, recipe, start), start):
        if step >= total:
            break
        warm = min(1.0, (step + 1) / recipe.warmup)
        rate = recipe.rate * warm * 0.5 * (1 + math.cos(math.pi * step / total))
        torch.manual_seed(recipe.seed * 1_000_003 + step)
        with cast:
            loss = compiled(rows)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if (step + 1) % every == 0 or step + 1 == total:
            valid = bits_per_byte(network, placed["valid"], int(ids["valid_bytes"]), recipe.shape.context, cast)
            figures = {
                "step": step + 1,
                "of": total,
                "epoch": round((step + 1) * recipe.epochs / total, 3),
                "loss": round(loss.item(), 4),
                "valid_bits_per_byte": round(valid, 4),
                "rate": round(rate, 6),
                "seconds": round(time.monotonic() - began, 1),
            }
            with curve.open("a", encoding="utf-8") as out:
                out.write(json.dumps(figures) + "\n")
            print(name, json.dumps(figures), flush=True)
            _save(checkpoint, network, optimizers, step + 1, valid)
    weights = {
        key: value.detach().to("cpu", torch.bfloat16).contiguous() for key, value in network.state_dict().items()
    }
    save_file(weights, work / f"{name}.safetensors", metadata={"recipe": json.dumps(asdict(recipe))})
    return figures
