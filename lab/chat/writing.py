"""Writing one reply token by token, with the adapter's effect on the logits scaled."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import torch
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria, TextIteratorStreamer

#: Seconds after which a reply that has written nothing is given up.
PATIENCE = 120.0


class _Blend(LogitsProcessor):
    """base + strength · (adapted - base), with the base's logits from a model of its own.

    At 0 it is the base, at 1 the adapter, and it holds for every method, also those that add no weights.
    """

    def __init__(self, base: Any, strength: float, encoder_ids: Any = None) -> None:
        self.base, self.strength, self.encoder_ids = base, strength, encoder_ids
        self.cache: Any = None
        self.seen = 0

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        if self.encoder_ids is not None:
            logits = self.base(input_ids=self.encoder_ids, decoder_input_ids=input_ids).logits[:, -1]
        else:
            output = self.base(input_ids=input_ids[:, self.seen :], past_key_values=self.cache, use_cache=True)
            self.cache, self.seen = output.past_key_values, input_ids.shape[1]
            logits = output.logits[:, -1]
        return logits.to(scores.dtype) + self.strength * (scores - logits.to(scores.dtype))


class _Seeded(LogitsProcessor):
    """Draws the token itself, from a generator of its own.

    torch's global generator belongs to the training that may be running beside; a draw from it would change
    that training's dropout.
    """

    def __init__(self, temperature: float, top_p: float, seed: int) -> None:
        self.temperature, self.top_p = temperature, top_p
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        chances = torch.softmax(scores.float() / self.temperature, -1).cpu()
        ordered, rows = chances.sort(-1, descending=True)
        # Keep the smallest set of tokens whose probability reaches top_p (Holtzman et al. 2020, section 3.1).
        ordered = torch.where(ordered.cumsum(-1) - ordered < self.top_p, ordered, 0.0)
        samples = rows.gather(-1, torch.multinomial(ordered, 1, generator=self.generator)).to(scores.device)
        return torch.full_like(scores, -torch.inf).scatter(-1, samples, 0.0)


class _Stopped(StoppingCriteria):
    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        return torch.full((input_ids.shape[0],), self.stop.is_set(), device=input_ids.device)


def write(loaded: Any, ids: list[int], options: Any, longest: int, base: Any = None) -> Iterator[str]:
    """The reply so far, each time a word is added. Closing the iterator stops the writing within a token."""
    encoder, model = loaded.encoder, loaded.model
    device = next(model.parameters()).device
    tensor = torch.tensor([ids], device=device)
    processors = LogitsProcessorList()
    if base is not None and options.strength != 1:
        source = tensor if encoder.family == "encoder-decoder" else None
        processors.append(_Blend(base.model, options.strength, source))
    if options.temperature > 0:
        processors.append(_Seeded(options.temperature, options.top_p, options.seed))
    streamer = TextIteratorStreamer(
        encoder.tokenizer, skip_prompt=encoder.family == "decoder", timeout=PATIENCE, skip_special_tokens=True
    )
    stop = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with torch.inference_mode():
                model.generate(
                    input_ids=tensor,
                    attention_mask=torch.ones_like(tensor),
                    max_new_tokens=longest,
                    do_sample=False,
                    use_cache=True,
                    logits_processor=processors,
                    stopping_criteria=[_Stopped(stop)],
                    streamer=streamer,
                    pad_token_id=encoder.tokenizer.pad_token_id,
                    eos_token_id=encoder.tokenizer.eos_token_id,
                )
        except BaseException as problem:
            failed.append(problem)
            streamer.end()

    thread = threading.Thread(target=work, name="reply", daemon=True)
    thread.start()
    text = ""
    try:
        for piece in streamer:
            text += piece
            yield text.strip()
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]
