"""From examples to token ids, and from token ids to batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.plan import CLASSIFY

#: Labels of this value do not enter the loss (transformers' convention).
IGNORED = -100


@dataclass(frozen=True)
class Encoded:
    """One example as ids. `labels` has one id for each input id (generation), or is the number of the label."""

    input_ids: list[int]
    labels: list[int] | int


class Encoder:
    """Encodes for one tokenizer, task and family of models.

    A decoder reads prompt and reply as one sequence and learns the reply only; an encoder-decoder reads the
    prompt and learns the reply; a classifier reads the text and learns the number of its label. The prompt goes
    through the tokenizer's chat template where it has one.

    Examples are cut at `max_length` tokens. `positions` is how many tokens of text the model can hold at all (0: any
    number), so what is written after a prompt must fit in there with it.
    """

    def __init__(
        self,
        tokenizer: Any,
        task: str,
        labels: Sequence[str],
        max_length: int,
        family: str = "decoder",
        positions: int = 0,
    ) -> None:
        self.tokenizer = tokenizer
        self.task = task
        self.numbers = {label: number for number, label in enumerate(labels)}
        self.max_length = max_length
        self.family = family
        self.positions = positions

    def encode(self, input: str, target: str) -> Encoded:
        """The ids of one example; at most `max_length` of them."""
        if self.task == CLASSIFY:
            return Encoded(self.text(input), self.numbers[target])
        end = [self.tokenizer.eos_token_id] if self.tokenizer.eos_token_id is not None else []
        reply = self.tokenizer(target, add_special_tokens=False)["input_ids"][: self.max_length - 1] + end
        if self.family == "encoder-decoder":
            return Encoded(self.text(input), reply)
        # The reply is what is learned: a prompt that is too long gives way, at its beginning.
        room = self.max_length - len(reply)
        prompt = self.prompt(input)[-room:] if room > 0 else []
        return Encoded(prompt + reply, [IGNORED] * len(prompt) + reply)

    def text(self, text: str) -> list[int]:
        """The ids of a text for a classifier or the encoder of an encoder-decoder."""
        return self.tokenizer(text, truncation=True, max_length=self.max_length)["input_ids"]

    def prompt(self, text: str) -> list[int]:
        """The ids after which the model is to write its reply."""
        if self.family == "encoder-decoder":
            return self.text(text)
        return self.chat([{"role": "user", "content": text}])

    def reply_length(self, new_tokens: int) -> int:
        """The tokens that a reply may have: `new_tokens`, or half of the model's positions if that is less."""
        if self.family == "encoder-decoder" or not self.positions:
            return new_tokens
        return min(new_tokens, max(self.positions // 2, 1))

    def fit(self, prompt: list[int], new_tokens: int) -> list[int]:
        """The prompt cut at its beginning, as for the loss, so that `new_tokens` more fit into the model's positions.

        An encoder-decoder holds the reply apart from the prompt, which `text` has cut already.
        """
        if self.family == "encoder-decoder":
            return prompt
        length = self.max_length - 1
        if self.positions:
            length = min(length, self.positions - new_tokens)
        return prompt[-max(length, 1) :]

    def chat(self, messages: Sequence[dict[str, str]]) -> list[int]:
        """The ids of a conversation, up to where the model's next reply begins."""
        if self.tokenizer.chat_template:
            return self.tokenizer.apply_chat_template(
                list(messages), add_generation_prompt=True, tokenize=True, return_dict=True
            )["input_ids"]
        text = "\n".join(message["content"] for message in messages)
        return self.tokenizer(text + "\n")["input_ids"]

    def collate(self, batch: Sequence[Encoded]) -> dict[str, Any]:
        """The batch as tensors, padded on the right to its longest example.

        `input_ids` and `attention_mask` are (batch, length); `labels` is (batch, length) or, for a classifier,
        (batch,).
        """
        import torch

        def padded(rows: list[list[int]], value: int) -> Any:
            width = max(len(row) for row in rows)
            return torch.tensor([row + [value] * (width - len(row)) for row in rows])

        inputs = [item.input_ids for item in batch]
        result = {
            "input_ids": padded(inputs, self.tokenizer.pad_token_id),
            "attention_mask": padded([[1] * len(row) for row in inputs], 0),
        }
        if self.task == CLASSIFY:
            result["labels"] = torch.tensor([item.labels for item in batch])
        else:
            result["labels"] = padded([list(item.labels) for item in batch], IGNORED)  # type: ignore[arg-type]
        return result


def learned(batch: dict[str, Any]) -> int:
    """How many labels of a batch enter the loss: tokens of the replies, or rows of a classifier.

    A decoder's first position predicts nothing, but it never is a label: it is the prompt's.
    """
    labels = batch["labels"]
    return int(labels.numel() if labels.dim() == 1 else (labels != IGNORED).sum())


def order(rows: int, seed: int) -> Any:
    """The order in which the rows are seen: a fresh permutation for each epoch, for ever.

    Yields row numbers. Depends on the seed alone, so that runs of different methods see the same rows.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    while True:
        yield from torch.randperm(rows, generator=generator).tolist()
