"""The tokenizer: byte-level pairs trained on the books and the written text, with a chat template.

A conversation is `<|bos|>`, then for each turn its role's token, its text and `<|end|>`. A plain text is
`<|bos|>`, the text and `<|end|>`: one token closes both, so a model that is fine-tuned on either knows when to stop.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.storybook.corpus import Document

SIZE = 6144
CONTEXT = 1024
PAD, BOS, END = "<|pad|>", "<|bos|>", "<|end|>"
ROLES = {"system": "<|system|>", "user": "<|user|>", "assistant": "<|assistant|>"}
SPECIAL = (PAD, BOS, END, *ROLES.values())

TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "{{ '<|assistant|>' }}{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}"
    "{% elif message['role'] in ('user', 'system') %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + eos_token }}"
    "{% else %}{{ raise_exception('A role is system, user or assistant, not ' + message['role'] + '.') }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def flat(document: Document) -> str:
    """The document as the text that is encoded, special tokens included (what `TEMPLATE` makes of a conversation)."""
    if isinstance(document, str):
        return f"{BOS}{document}{END}"
    return BOS + "".join(f"{ROLES[turn['role']]}{turn['content']}{END}" for turn in document)


def train(texts: Iterable[str]) -> Any:
    """A `tokenizers.Tokenizer` of `SIZE` pieces, digits always apart."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=SIZE,
            special_tokens=list(SPECIAL),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A $B", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return tokenizer


def save(tokenizer: Any, folder: Path) -> None:
    """Writes the tokenizer as a fast tokenizer that plain `AutoTokenizer` loads."""
    from transformers import PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=END,
        additional_special_tokens=list(ROLES.values()),
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
        padding_side="right",
    )
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
