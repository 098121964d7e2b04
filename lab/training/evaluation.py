"""How good a model is: loss, the task's own score, and what it has forgotten."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from lab.data import scoring
from lab.data.encoding import Encoder, learned
from lab.data.sampling import sample
from lab.data.tasks import TaskData
from lab.paths import ASSETS
from lab.plan import CLASSIFY

#: Examples in one forward pass of an evaluation.
BATCH = 32

#: Most tokens that a reply may have in an evaluation.
REPLY = 64

#: Tokens of general prose that are read, in windows of this width (or of the model's positions, if they are fewer).
GENERAL, WINDOW = 4096, 256


@cache
def general_prose() -> str:
    """Prose that the embedded base has not seen, on which forgetting is measured."""
    return (ASSETS / "forgetting" / "prose.txt").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Scores:
    """What one whole evaluation found: loss, score in [0, 1], the metrics by name, and bits per byte of general
    prose (None for a model that predicts no next token)."""

    loss: float
    score: float
    metrics: dict[str, float]
    general: float | None


class _Stopped(Exception):
    """The evaluation was stopped before its end."""


class Evaluator:
    """Evaluates one model on a sample of `rows` validation examples of a task, always the same ones.

    Replies are written for `replies` of them only: writing costs as many passes as it has tokens.
    """

    def __init__(
        self, data: TaskData, encoder: Encoder, where: str, rows: int, replies: int, stop: Callable[[], bool]
    ) -> None:
        self.data, self.encoder, self.where, self.stop = data, encoder, where, stop
        self.examples = list(sample(data.validation, rows, data.by_label))
        # Rows of like length share a batch, so that little of it is padding.
        encoded = [(encoder.encode(item.input, item.target), item) for item in self.examples]
        encoded.sort(key=lambda pair: len(pair[0].input_ids))
        self.batches = [encoded[start : start + BATCH] for start in range(0, len(encoded), BATCH)]
        self.replies = self.examples[:replies]
        ids = encoder.tokenizer(general_prose(), add_special_tokens=False, truncation=True, max_length=GENERAL)
        width = min(WINDOW, encoder.positions or WINDOW)
        self.windows = torch.tensor(ids["input_ids"][: len(ids["input_ids"]) // width * width]).view(-1, width)
        self.window_bytes = sum(len(encoder.tokenizer.decode(row[1:]).encode()) for row in self.windows.tolist())

    @torch.inference_mode()
    def evaluate(self, model: Any) -> Scores | None:
        """The scores over all rows; None if the evaluation was stopped, as a part of the rows is no score."""
        was_training = model.training
        model.eval()
        try:
            loss, guesses = self._losses(model)
            if self.data.task == CLASSIFY:
                rows = [item for batch in self.batches for _, item in batch]
                outputs = [self.data.labels[guess] for guess in guesses]
            else:
                self._check_stop()
                rows, outputs = self.replies, self.write([item.input for item in self.replies], model)
            metrics = scoring.score(self.data.metric, [item.row | {"target": item.target} for item in rows], outputs)
            return Scores(loss, next(iter(metrics.values())), metrics, self._general(model))
        except _Stopped:
            return None
        finally:
            model.train(was_training)

    def _check_stop(self) -> None:
        if self.stop():
            raise _Stopped

    def _losses(self, model: Any) -> tuple[float, list[int]]:
        total, count, guesses = 0.0, 0, []
        for pairs in self.batches:
            self._check_stop()
            batch = self.encoder.collate([encoded for encoded, _ in pairs])
            number = learned(batch)
            output = model(**{name: item.to(self.where) for name, item in batch.items()})
            total += float(output.loss) * number
            count += number
            if self.data.task == CLASSIFY:
                guesses += output.logits.argmax(-1).tolist()
        return total / max(count, 1), guesses

    def write(self, prompts: Sequence[str], model: Any) -> list[str]:
        """The model's reply to each prompt, the likeliest token at each place."""
        replies: list[str] = [""] * len(prompts)
        encoded = sorted(
            ((self.encoder.prompt(text), index) for index, text in enumerate(prompts)),
            key=lambda p: len(p[0]),
        )
        for start in range(0, len(encoded), BATCH):
            rows = encoded[start : start + BATCH]
            for (_, index), reply in zip(rows, generate(model, self.encoder, [ids for ids, _ in rows], self.where)):
                replies[index] = reply
        return replies

    def _general(self, model: Any) -> float | None:
        """Bits per byte of the general prose; None for a model that predicts no next token."""
        if self.encoder.family != "decoder" or not self.window_bytes:
            return None
        total = 0.0
        for rows in self.windows.to(self.where).split(4):
            self._check_stop()
            if self.data.task == CLASSIFY:
                base = getattr(model, "get_base_model", lambda: model)()
                if not base.config.get_text_config().tie_word_embeddings:
                    return None
                hidden = base.base_model(input_ids=rows).last_hidden_state
                logits = hidden @ base.get_input_embeddings().weight.to(hidden.dtype).T
            else:
                logits = model(input_ids=rows).logits
            logits = logits[:, -rows.shape[1] : -1].float().flatten(0, 1)  # virtual tokens may stand before
            total += float(torch.nn.functional.cross_entropy(logits, rows[:, 1:].flatten(), reduction="sum"))
        return total / math.log(2) / self.window_bytes


def generate(
    model: Any, encoder: Encoder, prompts: Sequence[list[int]], where: str, longest: int = REPLY
) -> list[str]:
    """The likeliest continuation of each prompt (ids), as text; a prompt that is too long is cut at its beginning."""
    longest = encoder.reply_length(longest)
    prompts = [encoder.fit(ids, longest) for ids in prompts]
    width = max(len(ids) for ids in prompts)
    pad = encoder.tokenizer.pad_token_id
    # What is continued must end where the reply begins; an encoder reads as it did in training, padded behind.
    left = encoder.family != "encoder-decoder"

    def padded(row: Sequence[int], filler: int) -> list[int]:
        gap = [filler] * (width - len(row))
        return [*gap, *row] if left else [*row, *gap]

    ids = torch.tensor([padded(row, pad) for row in prompts], device=where)
    mask = torch.tensor([padded([1] * len(row), 0) for row in prompts], device=where)
    written = model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=longest,
        do_sample=False,
        use_cache=True,
        pad_token_id=pad,
        eos_token_id=encoder.tokenizer.eos_token_id,
    )
    start = 0 if encoder.family == "encoder-decoder" else width
    return [text.strip() for text in encoder.tokenizer.batch_decode(written[:, start:], skip_special_tokens=True)]
