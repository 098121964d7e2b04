"""What every method promises, each on every kind of model that it says it works on.

The formulas are in test_terms.py, quantized bases in test_quantized.py, other processes in test_files.py.
"""

from __future__ import annotations

import pytest
import torch

from lab.methods import METHODS
from lab.methods.trial import plain
from lab.plan import CLASSIFY, GENERATE
from tests import tiny
from tests.methods.cases import VARIANTS, allowed, settings
from tests.methods.practice import begin, gradients, last, logits, reply, steps

STEPS = 12

GROUNDS = (
    ("llama", GENERATE),
    ("gemma3", GENERATE),
    ("gpt2", GENERATE),
    ("t5", GENERATE),
    ("qwen2", CLASSIFY),
    ("bert", CLASSIFY),
    ("distilbert", CLASSIFY),
)


def applied(key: str, family: str, task: str, depth: int = 0, **extra):
    """(method, prepared settings, model) of a case that is allowed."""
    assert allowed(key, extra, family, task)
    method, chosen, shape = METHODS[key], settings(key, **extra), tiny.shape(family, task)
    chosen = method.prepare(chosen, STEPS)
    if depth:
        from lab.models.shape import describe

        shape = describe(tiny.model(family, task, layers=depth), task, 3)
    torch.manual_seed(1)
    return method, chosen, method.apply(tiny.model(family, task, layers=depth), chosen, shape)


def everything() -> list[tuple[str, dict]]:
    return [(key, {}) for key in METHODS] + [
        (key, extra) for key in ("lora", "bottleneck", "prefix", "ptuning") for extra in VARIANTS[key]
    ]


def on(*grounds: tuple[str, str], weights: str = "fp32") -> list[tuple[str, str, str]]:
    """Each method on those of the families and tasks on which it works."""
    return [
        (key, family, task) for key in METHODS for family, task in grounds if allowed(key, {}, family, task, weights)
    ]


@pytest.mark.parametrize(("key", "family", "task"), on(*GROUNDS))
def test_begins_as_the_base_learns_and_leaves_the_base_alone(key, family, task):
    method, chosen, model = applied(key, family, task)
    batch = tiny.batch(family, task)
    base = tiny.model(family, task)
    expected = logits(base, batch)
    begun = last(logits(model, batch), task)
    same = torch.allclose(begun, last(expected, task), rtol=1e-3, atol=1e-4)
    assert same != bool(method.not_identity), method.not_identity or "the output is not the base's"
    flags = {name: item.requires_grad for name, item in model.named_parameters()}
    losses = steps(method, chosen, model, begin(method, chosen, model), batch, 0, STEPS, STEPS)
    assert losses[-1] < losses[0]
    with method.disabled(model) as plain_model:
        torch.testing.assert_close(logits(plain_model, batch), expected, rtol=0, atol=0)
    assert {name: item.requires_grad for name, item in model.named_parameters()} == flags
    assert not torch.equal(last(logits(model, batch), task), begun)
    own = dict(base.named_parameters())
    for name, item in model.named_parameters():
        if not flags[name] and plain(name) in own and "original_module" not in name:
            assert torch.equal(item, own[plain(name)]), name


@pytest.mark.parametrize(
    ("key", "extra", "family"),
    [(*case, family) for case in everything() for family in ("llama", "gpt2") if allowed(*case, family, GENERATE)],
    ids=lambda value: str(value).replace("'", ""),
)
def test_train_chat_evaluate_train_in_one_process(key, extra, family):
    """Six layers with grouped keys and values: what failed once for prefix tuning, for every method."""
    method, chosen, model = applied(key, family, GENERATE, depth=6, **extra)
    batch = tiny.batch(family, GENERATE)
    optimizer = begin(method, chosen, model)
    steps(method, chosen, model, optimizer, batch, 0, 4, STEPS)
    before = gradients(model, batch)
    written = reply(model, family)
    assert written.shape[0] == 2
    assert torch.equal(written, reply(model, family))
    with method.disabled(model) as base:
        assert torch.equal(reply(base, family), reply(tiny.model(family, GENERATE, layers=6), family))
    logits(model, batch)
    after = gradients(model, batch)
    assert before.keys() == after.keys()
    for name in before:
        assert torch.equal(before[name], after[name]), name
    losses = steps(method, chosen, model, optimizer, batch, 4, STEPS, STEPS)
    assert all(loss == loss and loss < 1e4 for loss in losses)


@pytest.mark.parametrize(("key", "family", "task"), on(("llama", GENERATE), ("gpt2", GENERATE), ("t5", GENERATE)))
def test_a_padded_prompt_is_answered_as_it_is_alone(key, family, task):
    method, chosen, model = applied(key, family, task)
    steps(method, chosen, model, begin(method, chosen, model), tiny.batch(family, GENERATE), 0, 4, STEPS)
    ids = tiny.batch(family, GENERATE)["input_ids"][1:].clone()
    mask = torch.ones_like(ids)
    padding, text = (slice(5, 7), slice(0, 5)) if family == "t5" else (slice(0, 2), slice(2, 7))
    ids[0, padding], mask[0, padding] = 0, 0  # the reader of T5 is padded on the right, as when it was trained
    options = {"max_new_tokens": 4, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
    with torch.no_grad():
        both = model.generate(
            input_ids=ids, attention_mask=mask, output_scores=True, return_dict_in_generate=True, **options
        )
        alone = model.generate(
            input_ids=ids[:1, text],
            attention_mask=mask[:1, text],
            output_scores=True,
            return_dict_in_generate=True,
            **options,
        )
    torch.testing.assert_close(both.scores[0][:1], alone.scores[0], rtol=1e-3, atol=1e-3)
    assert torch.equal(both.sequences[:1, -4:], alone.sequences[:, -4:])


@pytest.mark.parametrize(("key", "family", "task"), on(("llama", GENERATE)))
def test_writes_with_the_cache_what_it_would_without(key, family, task):
    method, chosen, model = applied(key, family, task)
    steps(method, chosen, model, begin(method, chosen, model), tiny.batch("llama", GENERATE), 0, 4, STEPS)
    ids = tiny.batch("llama", GENERATE)["input_ids"][1:2]
    with torch.no_grad():
        written = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=4, do_sample=False, pad_token_id=0,
            eos_token_id=None,
        )  # fmt: skip
    longer = ids
    for _ in range(4):
        longer = torch.cat([longer, logits(model, {"input_ids": longer})[:, -1:].argmax(-1)], dim=1)
    assert torch.equal(written[:, -4:], longer[:, -4:])


def same(found: dict, wanted: dict) -> None:
    assert found.keys() == wanted.keys()
    for name in wanted:
        assert torch.equal(found[name].cpu(), wanted[name].cpu()), name


def resumed() -> list[tuple[str, dict, int]]:
    """Each method broken off after its 7th step; AdaLoRA while it prunes, when it has pruned and while it settles."""
    often = {"interval": 1, "target_modules": "all-linear"}
    return [(key, extra, 7) for key, extra in everything()] + [("adalora", often, cut) for cut in (2, 5, 11)]


@pytest.mark.parametrize(("key", "extra", "cut"), resumed(), ids=lambda value: str(value).replace("'", ""))
def test_a_resumed_training_is_the_uninterrupted_one(key, extra, cut, tmp_path):
    """The method's own part: `state` and `restore`. The loop's is in test_in_the_loop.py."""
    from safetensors.torch import load_file, save_file

    family, task = ("qwen2", CLASSIFY) if key in ("bitfit", "head") else ("llama", GENERATE)
    batch = tiny.batch(family, task)

    def start():
        method, chosen, model = applied(key, family, task, **extra)
        return method, chosen, model, begin(method, chosen, model)

    method, chosen, model, optimizer = start()
    whole = steps(method, chosen, model, optimizer, batch, 0, STEPS, STEPS)
    reported = method.report(model)
    state = {name: item.clone() for name, item in method.state(model).items()}
    method, chosen, model, optimizer = start()
    first = steps(method, chosen, model, optimizer, batch, 0, cut, STEPS)
    save_file({name: item.contiguous() for name, item in method.state(model).items()}, str(tmp_path / "state"))
    moments = optimizer.state_dict()
    method, chosen, model, optimizer = start()
    with torch.no_grad():  # what restore forgets must not be right by chance
        for item in model.parameters():
            if item.requires_grad:
                item.fill_(0.5)
    kept = load_file(str(tmp_path / "state"), device=tiny.DEVICE)
    method.restore(model, kept)
    same(method.state(model), kept)
    optimizer.load_state_dict(moments)
    rest = steps(method, chosen, model, optimizer, batch, cut, STEPS, STEPS)
    assert first + rest == whole
    assert method.report(model) == reported
    same(method.state(model), state)


def test_adalora_moves_its_ranks():
    method, chosen, model = applied("adalora", "llama", GENERATE, interval=1, target_modules="all-linear")
    before = method.report(model)["ranks"]
    steps(method, chosen, model, begin(method, chosen, model), tiny.batch("llama", GENERATE), 0, STEPS, STEPS)
    ranks = method.report(model)["ranks"]
    assert len(ranks) == 14
    assert sum(ranks.values()) <= chosen.target_rank * len(ranks)
    assert len(set(ranks.values())) > 1  # some matrices got more than others
    assert set(before.values()) == {0}  # nothing is learned at the start: Λ is zero


def test_lora_plus_lets_b_learn_faster():
    method, chosen, model = applied("lora", "llama", GENERATE, lora_plus=16)
    slow, fast = begin(method, chosen, model).param_groups
    assert fast["lr"] == pytest.approx(16 * slow["lr"])
    names = {id(item): name for name, item in model.named_parameters()}
    assert all(".lora_B." in names[id(item)] for item in fast["params"])
    assert all(".lora_A." in names[id(item)] for item in slow["params"])


@pytest.mark.parametrize(
    ("key", "precision"),
    [(key, weights) for weights in ("bf16", "fp16") for key, *_ in on(("llama", GENERATE), weights=weights)],
)
def test_sixteen_bits(key, precision):
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    method, chosen, shape = METHODS[key], settings(key), tiny.shape("llama", GENERATE)
    model = method.apply(tiny.model("llama", GENERATE).to(dtype), chosen, shape)
    found = gradients(model, tiny.batch("llama", GENERATE))
    assert found
    assert all(torch.isfinite(item).all() for item in found.values())
    assert reply(model, "llama").shape[0] == 2


@pytest.mark.parametrize("key", [key for key, *_ in on(("qwen2", CLASSIFY)) if key != "prefix"])
def test_gradient_checkpointing_changes_no_gradient(key):
    _, _, model = applied(key, "qwen2", CLASSIFY)
    batch = tiny.batch("qwen2", CLASSIFY)
    wanted = gradients(model, batch)
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.enable_input_require_grads()
    model.train()
    model(**batch).loss.backward()
    found = {name: item.grad for name, item in model.named_parameters() if item.grad is not None and name in wanted}
    assert found.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-4, atol=1e-6)
