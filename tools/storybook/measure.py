"""What a saved model can do: bits per byte, answers about the world, tokens a second. Plain transformers only."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Sequence
from typing import Any

from tools.storybook import reading, telling


def bits_per_byte(model: Any, tokenizer: Any, text: str, window: int = 1024, stride: int = 512) -> float:
    """Bits per byte of a text: every token but the first is predicted, from at least `window - stride` before it."""
    import torch

    ids = [tokenizer.bos_token_id]
    for start in range(0, len(text), 100_000):
        ids += tokenizer(text[start : start + 100_000], add_special_tokens=False)["input_ids"]
    total, done = 0.0, 1
    with torch.inference_mode():
        for start in range(0, len(ids), stride):
            part = ids[start : start + window]
            if start + len(part) <= done:
                break
            row = torch.tensor([part], device=model.device)
            fresh = start + len(part) - done
            logits = model(row[:, :-1]).logits[0, -fresh:].float()
            total += torch.nn.functional.cross_entropy(logits, row[0, -fresh:], reduction="sum").item()
            done = start + len(part)
    return total / math.log(2) / len(text.encode("utf-8"))


def replies(model: Any, tokenizer: Any, questions: Sequence[str], batch: int = 64, tokens: int = 40) -> list[str]:
    """The model's greedy replies to questions in the chat template."""
    import torch

    found = []
    for start in range(0, len(questions), batch):
        prompts = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": question}], add_generation_prompt=True, return_dict=True
            )["input_ids"]
            for question in questions[start : start + batch]
        ]
        width = max(len(prompt) for prompt in prompts)
        ids = torch.tensor([[tokenizer.pad_token_id] * (width - len(p)) + p for p in prompts], device=model.device)
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=model.device)
        out = model.generate(ids, attention_mask=mask, max_new_tokens=tokens, do_sample=False)
        found += tokenizer.batch_decode(out[:, width:], skip_special_tokens=True)
    return found


def world(model: Any, tokenizer: Any, every: int = 1) -> tuple[float, dict[str, float], list[tuple[str, str, str]]]:
    """The share of held-out questions about the world answered rightly, by kind too, and what was answered wrongly.

    `every` takes only each n-th question. A wrong answer is (question, value wanted, reply).
    """
    exam = telling.exam()[::every]
    said = replies(model, tokenizer, [question for _, question, _ in exam])
    right: dict[str, list[bool]] = {}
    wrong = []
    for (kind, question, value), reply in zip(exam, said, strict=True):
        good = telling.correct(reply, value)
        right.setdefault(kind, []).append(good)
        if not good:
            wrong.append((question, value, reply))
    by_kind = {kind: sum(marks) / len(marks) for kind, marks in right.items()}
    return 1 - len(wrong) / len(exam), by_kind, wrong


def reads(model: Any, tokenizer: Any, count: int = 200, seed: str = "reading") -> float:
    """The share of `count` texts about made-up things whose attributes the model lists exactly as they stand."""
    dice = random.Random(seed)
    tasks = [reading.list_from_told(dice) for _ in range(count)]
    said = replies(model, tokenizer, [asked["content"] for asked, _ in tasks], tokens=80)
    return sum(reply.strip() == wanted["content"] for reply, (_, wanted) in zip(said, tasks, strict=True)) / count


def tokens_per_second(model: Any, tokenizer: Any, tokens: int = 120, times: int = 5) -> float:
    """Median over `times` of generating `tokens` tokens of a chat reply, batch 1, with the key/value cache."""
    import torch

    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Tell me a story."}],
        add_generation_prompt=True,
        return_dict=True,
        return_tensors="pt",
    )["input_ids"].to(model.device)
    rates = []
    for _ in range(times):
        began = time.perf_counter()
        model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, min_new_tokens=tokens, do_sample=True
        )
        rates.append(tokens / (time.perf_counter() - began))
    return statistics.median(rates)
