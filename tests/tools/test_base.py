"""The embedded base: its files, what it can do, and the scripts that make it."""

from __future__ import annotations

import hashlib
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.ngram import KneserNey
from lab.errors import LabError
from lab.models import embedded
from tools.storybook import corpus, measure, pretrain, telling, vocabulary
from tools.storybook.base import OUT, main
from tools.storybook.network import Network, Shape

PROSE = OUT.parents[1] / "forgetting" / "prose.txt"


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(OUT)


@pytest.fixture(scope="module")
def model():
    return AutoModelForCausalLM.from_pretrained(OUT, dtype=torch.float32).eval()


def test_every_file_has_its_checksum_and_is_small():
    embedded.check(OUT)
    listed = {line.partition("  ")[2] for line in (OUT / "CHECKSUMS").read_text().splitlines()}
    there = {file.name for file in OUT.iterdir()}
    assert there - listed == {"CHECKSUMS", "README.md", "lab.json"}
    assert max(file.stat().st_size for file in OUT.iterdir()) < 10_000_000


@pytest.mark.parametrize("harm", ["damaged", "missing"])
def test_a_bad_shard_is_named_with_the_command_that_restores_it(tmp_path: Path, harm: str):
    folder = tmp_path / "storybook"
    shutil.copytree(OUT, folder)
    shard = folder / "model-00002-of-00004.safetensors"
    if harm == "missing":
        shard.unlink()
    else:
        raw = bytearray(shard.read_bytes())
        raw[5000] ^= 1
        shard.write_bytes(raw)
    with pytest.raises(LabError) as caught:
        embedded.check(folder)
    assert shard.name in caught.value.message
    assert "git checkout -- assets/models/storybook" in caught.value.hint


def test_it_is_a_small_llama_in_bf16_with_grouped_keys_and_a_tied_embedding():
    loaded = AutoModelForCausalLM.from_pretrained(OUT)
    assert loaded.dtype == torch.bfloat16
    assert 8_000_000 <= sum(item.numel() for item in loaded.parameters()) <= 15_000_000
    assert loaded.config.num_key_value_heads < loaded.config.num_attention_heads
    assert loaded.lm_head.weight is loaded.model.embed_tokens.weight
    assert loaded.config.max_position_embeddings >= 512


def test_it_predicts_prose_and_not_the_same_words_in_disorder(model, tokenizer):
    text = PROSE.read_text(encoding="utf-8")[:3000]
    words = text.split()
    random.Random(0).shuffle(words)
    assert measure.bits_per_byte(model, tokenizer, text) < 1.35
    assert measure.bits_per_byte(model, tokenizer, " ".join(words)) > 2


def test_it_writes_english(model, tokenizer):
    ids = tokenizer("The old man looked at the sea and said", return_tensors="pt")
    torch.manual_seed(0)
    out = model.generate(**ids, max_new_tokens=60, min_new_tokens=60, do_sample=True, temperature=0.7)
    text = tokenizer.decode(out[0], skip_special_tokens=True)
    common = {
        "the",
        "a",
        "and",
        "of",
        "to",
        "in",
        "that",
        "he",
        "she",
        "it",
        "was",
        "his",
        "her",
        "had",
        "with",
        "for",
        "i",
    }
    words = [word.strip(".,;:!?'\"-").lower() for word in text.split()]
    assert sum(word in common for word in words) / len(words) > 0.25  # plain English prose has 0.35 to 0.5
    assert len(set(words)) / len(words) > 0.4


def test_it_answers_held_out_questions_about_its_world(model, tokenizer):
    share, _, wrong = measure.world(model, tokenizer, every=24)
    assert share >= 0.9, wrong


def test_it_says_so_when_it_does_not_know(model, tokenizer):
    (reply,) = measure.replies(model, tokenizer, ["Where does Mellonby live?"])
    assert "not know" in reply or "never heard" in reply


def test_it_reads_what_stands_in_its_prompt(model, tokenizer):
    assert measure.reads(model, tokenizer, count=30, seed="test") >= 0.6
    (reply,) = measure.replies(model, tokenizer, ["Describe this.\nname: Tolly | job: nurse | home: Quonton"])
    assert "Tolly" in reply
    assert "nurse" in reply
    assert "Quonton" in reply


def test_the_chat_template_has_roles_and_marks_the_replies(tokenizer):
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello!"},
        {"role": "assistant", "content": "Good day!"},
    ]
    assert tokenizer.apply_chat_template(turns, tokenize=False) == vocabulary.flat(turns)
    told = tokenizer.apply_chat_template(turns, return_dict=True, return_assistant_tokens_mask=True)
    reply = [i for i, mark in zip(told["input_ids"], told["assistant_masks"], strict=True) if mark]
    assert tokenizer.decode(reply) == "Good day!<|end|>"
    asked = tokenizer.apply_chat_template(turns[:2], tokenize=False, add_generation_prompt=True)
    assert asked == vocabulary.flat(turns[:2]) + "<|assistant|>"
    with pytest.raises(Exception, match="A role is system, user or assistant"):
        tokenizer.apply_chat_template([{"role": "tool", "content": "x"}], tokenize=False)


def test_any_text_survives_the_tokenizer(tokenizer):
    text = 'Zürich -> 東京, 3.14 "quoted"\n\n  two  spaces\t£5'
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_no_held_out_question_is_ever_asked_in_training():
    held = {telling.question(fact, number) for fact in telling.facts() for number in telling.held_out()[fact.key]}
    assert {question for _, question, _ in telling.exam()} <= held
    asked = {
        turn["content"]
        for document in corpus.written("a seed", 20_000)
        if not isinstance(document, str)
        for turn in document
        if turn["role"] == "user"
    }
    assert len(asked) > 10_000
    assert not asked & held


def test_an_answer_counts_only_if_it_holds_the_value():
    assert telling.correct("Ada lives in Marlow Green.", "Marlow Green")
    assert not telling.correct("Ada lives in Marlow.", "Marlow Green")
    assert not telling.correct("She is 46 years old.", "4")


def test_written_text_is_the_same_in_every_build():
    def digest(seed: str) -> str:
        return hashlib.sha256(repr(list(corpus.written(seed, 300))).encode()).hexdigest()

    assert digest("one") == digest("one")
    assert digest("one") != digest("two")


def test_a_corpus_folder_without_the_files_says_which(tmp_path: Path, capsys):
    (tmp_path / "books.train.part1.txt").write_text("A book.\n<|doc|>\n")
    assert main([str(tmp_path), "--work", str(tmp_path / "w"), "--out", str(tmp_path / "o")]) == 1
    told = capsys.readouterr().err
    assert "books.train.part2.txt" in told
    assert "Traceback" not in told


TINY = pretrain.Recipe(
    shape=Shape(vocabulary=50, hidden=16, layers=1, heads=2, kv_heads=1, head_dim=8, feed_forward=16, context=16),
    epochs=2.0,
    batch=4,
    written=1,
    warmup=2,
    evaluations=3,
)


def _ids() -> dict[str, torch.Tensor]:
    dice = torch.Generator().manual_seed(0)

    def some(*size: int) -> torch.Tensor:
        return torch.randint(3, 50, size, generator=dice).to(torch.int16)

    return {
        "books": some(400), "paragraphs": torch.arange(10, 370, 30), "written": some(7, 17), "valid": some(96),
        "valid_bytes": torch.tensor([300]),
    }  # fmt: skip


def test_an_interrupted_training_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    pretrain.train(TINY, _ids(), whole, device="cpu")
    save = pretrain._save

    def save_and_stop(*arguments):
        save(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pretrain, "_save", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            pretrain.train(TINY, _ids(), broken, device="cpu")
    assert not (broken / "base.safetensors").exists()
    pretrain.train(TINY, _ids(), broken, device="cpu")
    a, b = load_file(whole / "base.safetensors"), load_file(broken / "base.safetensors")
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name
    lines = [len((folder / "base.curve.jsonl").read_text().splitlines()) for folder in (whole, broken)]
    assert lines[0] == lines[1] >= 3


def test_the_network_that_is_trained_is_the_llama_that_is_saved(model):
    c = model.config
    shape = Shape(
        c.vocab_size, c.hidden_size, c.num_hidden_layers, c.num_attention_heads, c.num_key_value_heads, c.head_dim,
        c.intermediate_size, c.max_position_embeddings,
    )  # fmt: skip
    network = Network(shape).eval()
    network.load_state_dict({k: v for k, v in model.state_dict().items() if k != "lm_head.weight"})
    ids = torch.randint(6, c.vocab_size, (2, 70), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(network(ids), model(ids).logits, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("order", [1, 2, 5])
def test_the_n_gram_that_it_is_compared_with_gives_probabilities(order: int):
    ids = np.random.default_rng(0).integers(0, 5, 400)
    model = KneserNey(ids, vocabulary=6, order=order)
    for context in ([1, 2, 3, 4], [0, 0, 0, 0], [5, 5, 5, 1]):  # 5 was never seen
        shares = [model.probabilities(np.array([*context, word]))[-1] for word in range(6)]
        assert sum(shares) == pytest.approx(1)
        assert min(shares) > 0
