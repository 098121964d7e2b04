"""Which words of the vocabulary lie nearest to the learned vectors of prompt tuning and P-tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.errors import LabError


@dataclass(frozen=True)
class Neighbour:
    """One vocabulary token: its number, how it is written, and its cosine with the learned vector."""

    token: int
    text: str
    cosine: float


@dataclass(frozen=True)
class Neighbours:
    """`rows` holds the nearest tokens of each virtual token, the nearest first; `norms` their lengths.

    For comparison: `words` is the mean cosine of a real token with its own nearest other token, `chance` the mean of
    the best cosine of a random direction, `word_norm` the mean length of a real token's vector.
    """

    rows: tuple[tuple[Neighbour, ...], ...]
    norms: tuple[float, ...]
    words: float
    chance: float
    word_norm: float


def vectors(model: Any) -> Any:
    """The virtual tokens as the model reads them, (n, d). Raises LabError for a run without such vectors."""
    config = getattr(model, "active_peft_config", None)
    if config is None or not config.is_prompt_learning:
        raise LabError("This run has no virtual tokens.", "Choose a run of prompt tuning or P-tuning.")
    prefix = LabError(
        "A prefix is made of keys and values, which are no word vectors: they have no nearest word.",
        "Choose a run of prompt tuning or P-tuning.",
    )
    # Asked before the vectors: peft has none of a prefix that was learned through a network, once it is saved.
    if config.peft_type.value == "PREFIX_TUNING":
        raise prefix
    learned = model.get_prompt_embedding_to_save(model.active_adapter).float()
    if learned.shape[1] != model.get_base_model().get_input_embeddings().weight.shape[1]:
        raise prefix
    return learned


def neighbours(model: Any, tokenizer: Any, count: int = 5, sample: int = 256) -> Neighbours:
    """The `count` nearest vocabulary tokens of each virtual token by cosine similarity."""
    import torch

    with torch.inference_mode():
        learned = vectors(model)
        table = model.get_base_model().get_input_embeddings().weight.detach().float().cpu()
        unit = torch.nn.functional.normalize(table, dim=-1)
        best = (torch.nn.functional.normalize(learned, dim=-1) @ unit.T).topk(count, -1)
        generator = torch.Generator().manual_seed(0)
        sampled = torch.randperm(len(unit), generator=generator)[:sample]
        among = unit[sampled] @ unit.T
        among[torch.arange(len(sampled)), sampled] = -1.0
        noise = torch.nn.functional.normalize(torch.randn(sample, unit.shape[1], generator=generator), dim=-1)
        rows = tuple(
            tuple(Neighbour(int(token), tokenizer.decode([int(token)]), float(value)) for value, token in zip(*row))
            for row in zip(best.values.tolist(), best.indices.tolist())
        )
        return Neighbours(
            rows=rows,
            norms=tuple(learned.norm(dim=-1).tolist()),
            words=float(among.max(-1).values.mean()),
            chance=float((noise @ unit.T).max(-1).values.mean()),
            word_norm=float(table.norm(dim=-1).mean()),
        )
