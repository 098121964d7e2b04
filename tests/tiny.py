"""Tiny random models of every family, each made from a configuration of the real class, and a tokenizer for them.

They are seeded, so every process makes the same weights, and cached: `model` hands out a copy.
"""

from __future__ import annotations

import copy
import os
from functools import cache
from pathlib import Path
from typing import Any

from lab.models.shape import ModelShape, derive
from lab.plan import CLASSIFY

#: Where the suites of the methods run; on a machine with a GPU set it to "cuda".
DEVICE = os.environ.get("LAB_TEST_DEVICE", "cpu")

VOCABULARY = 280
SPECIAL = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}

#: One layout of each kind that differs for a method: grouped keys and values, biases or none, joint and
#: transposed projections (GPT-2), learned positions, a head wider than the model's share (Gemma), two stacks (T5).
DECODERS = ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma3", "gpt2")
ENCODERS = ("bert", "roberta", "distilbert")
FAMILIES = (*DECODERS, *ENCODERS, "t5")


def config(family: str) -> Any:
    """The transformers configuration of a family at its smallest: width 32, 2 layers, 4 heads."""
    import transformers as t

    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "vocab_size": VOCABULARY}
    grouped = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
    }
    bert = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 256,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    match family:
        case "llama":
            return t.LlamaConfig(**grouped, **ids)
        case "mistral":
            return t.MistralConfig(**grouped, **ids, sliding_window=None)
        case "qwen2":
            return t.Qwen2Config(**grouped, **ids)
        case "qwen3":
            return t.Qwen3Config(**grouped, **ids, head_dim=16)
        case "gemma":
            return t.GemmaConfig(**grouped | {"num_key_value_heads": 1}, **ids, head_dim=16)
        case "gemma3":
            layers = ["sliding_attention", "full_attention"]
            return t.Gemma3TextConfig(**grouped, **ids, head_dim=16, layer_types=layers, sliding_window=16)
        case "gpt2":
            quiet = {"embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0}
            return t.GPT2Config(n_embd=32, n_layer=2, n_head=4, n_positions=256, **ids, **quiet)
        case "bert":
            return t.BertConfig(**bert, **ids)
        case "roberta":
            return t.RobertaConfig(**bert | {"type_vocab_size": 1}, **ids)
        case "distilbert":
            quiet = {"dropout": 0.0, "attention_dropout": 0.0, "seq_classif_dropout": 0.0}
            own = {"dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 256}
            return t.DistilBertConfig(**own, **ids, **quiet)
        case "t5":
            # d_kv times heads is not the width here, as in T5 v1.1 small.
            return t.T5Config(
                d_model=32, d_kv=16, d_ff=48, num_layers=2, num_heads=4, dropout_rate=0.0,
                decoder_start_token_id=0, tie_word_embeddings=False, feed_forward_proj="gated-gelu",
                initializer_factor=0.4, **ids,
            )  # fmt: skip
    raise KeyError(family)


@cache
def shape(family: str, task: str, labels: int = 3) -> ModelShape:
    return derive(config(family), task, labels)


@cache
def _original(family: str, task: str, labels: int, layers: int) -> Any:
    import torch

    from lab.models.shape import auto_class

    wanted = config(family)
    if task == CLASSIFY:
        wanted.num_labels = labels
    if layers:
        wanted.num_hidden_layers = layers
    state = torch.get_rng_state()
    torch.manual_seed(7)
    made = auto_class(wanted, task).from_config(wanted).float().eval()
    with torch.no_grad():
        # Norms at one and biases at zero would hide a method that forgets them.
        for name, item in made.named_parameters():
            if item.dim() == 1:
                item.add_(torch.randn_like(item) * 0.1)
            elif "embed" not in name and family != "t5":
                item.mul_(3.0)
    torch.set_rng_state(state)
    return made


def model(family: str, task: str, labels: int = 3, layers: int = 0) -> Any:
    """A fresh copy of the family's tiny model, in evaluation mode."""
    return copy.deepcopy(_original(family, task, labels, layers)).to(DEVICE)


@cache
def tokenizer() -> Any:
    """A byte-level tokenizer: 256 bytes and four special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = [*SPECIAL.values(), *letters]
    byte_level = Tokenizer(models.BPE(vocab={name: number for number, name in enumerate(names)}, merges=[]))
    byte_level.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    byte_level.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=byte_level, model_max_length=256, **SPECIAL)


def save(folder: Path, family: str, task: str, layers: int = 0) -> Path:
    """The tiny model and its tokenizer as a folder that the lab can load by its path."""
    made = model(family, task, layers=layers).cpu()
    made.save_pretrained(str(folder), safe_serialization=True)
    tokenizer().save_pretrained(str(folder))
    return folder


def batch(family: str, task: str, rows: int = 3, labels: int = 3) -> dict[str, Any]:
    """A batch with padding on the right: `input_ids`, `attention_mask` (rows, 7) and labels."""
    import torch

    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(4, VOCABULARY, (rows, 7), generator=generator)
    mask = torch.ones_like(ids)
    mask[0, 5:], ids[0, 5:] = 0, 0
    if family == "t5":  # its classifier reads the state at the end token
        ids[0, 4], ids[1:, 6] = 2, 2
    wanted = ids[:, :5].clone() if family == "t5" else ids.masked_fill(mask == 0, -100)
    if task == CLASSIFY:
        wanted = torch.arange(rows) % labels
    given = {"input_ids": ids, "attention_mask": mask, "labels": wanted}
    return {name: item.to(DEVICE) for name, item in given.items()}
