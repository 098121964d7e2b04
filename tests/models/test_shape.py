"""A shape is exact: it lists what the real model has, without its weights."""

from __future__ import annotations

import pytest

from lab.errors import LabError
from lab.models.shape import build, derive
from lab.plan import CLASSIFY, GENERATE
from tests import tiny
from tests.methods.cases import grounds


@pytest.mark.parametrize(("family", "task"), grounds())
def test_parameters_are_those_of_the_model(family, task):
    shape, model = tiny.shape(family, task), tiny.model(family, task)
    assert {item.name: item.shape for item in shape.parameters} == {
        name: tuple(item.shape) for name, item in model.named_parameters()
    }
    assert shape.total == sum(item.numel() for item in model.parameters())


@pytest.mark.parametrize(("family", "task"), grounds())
def test_every_projection_has_a_role_and_its_dimensions(family, task):
    shape, model = tiny.shape(family, task), tiny.model(family, task)
    assert shape.projections
    for module in shape.projections:
        assert module.role, module.name
        weight = model.get_submodule(module.name).weight
        assert sorted((module.outputs, module.inputs)) == sorted(weight.shape)
        assert module.layer in range(shape.layers)
    roles = {module.role for module in shape.projections}
    assert {"output", "up", "down"} <= roles
    assert {"query", "key", "value"} <= roles or "qkv" in roles


@pytest.mark.parametrize(("family", "task"), grounds())
def test_short_names_mean_one_role(family, task):
    shape = tiny.shape(family, task)
    for name in shape.targets:
        roles = {module.role for module in shape.matching((name,))}
        assert len(roles) == 1 or name == "output.dense"  # which also ends BERT's "attention.output.dense"


@pytest.mark.parametrize(("family", "task"), grounds())
def test_a_shape_makes_its_model_again(family, task):
    shape = tiny.shape(family, task)
    model = build(shape)
    assert type(model).__name__ == shape.architecture
    assert {item.device.type for item in model.parameters()} == {"meta"}
    assert tuple(name for name, _ in model.named_parameters()) == tuple(item.name for item in shape.parameters)


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("llama", ("decoder", 4, 2, 8)),
        ("qwen3", ("decoder", 4, 2, 16)),
        ("gemma", ("decoder", 4, 1, 16)),
        ("gpt2", ("decoder", 4, 4, 8)),
        ("bert", ("encoder", 4, 4, 8)),
        ("distilbert", ("encoder", 4, 4, 8)),
        ("t5", ("encoder-decoder", 4, 4, 16)),
    ],
)
def test_dimensions_from_every_kind_of_configuration(family, expected):
    shape = tiny.shape(family, CLASSIFY)
    assert (shape.family, shape.heads, shape.kv_heads, shape.head_dim) == expected
    assert (shape.hidden, shape.layers, shape.intermediate, shape.decoder_layers) == (
        32,
        2,
        48 if family != "gpt2" else 128,
        2,
    )
    assert shape.labels == 3


@pytest.mark.parametrize(
    ("family", "head"),
    [
        ("llama", ("score",)),
        ("bert", ("classifier",)),
        ("distilbert", ("pre_classifier", "classifier")),
        ("t5", ("classification_head",)),
    ],
)
def test_the_head_is_what_the_classifier_adds(family, head):
    assert tiny.shape(family, CLASSIFY).head == head
    if family not in tiny.ENCODERS:
        assert tiny.shape(family, GENERATE).head == ()


def test_tied_weights_are_counted_once():
    assert tiny.shape("gpt2", GENERATE).tied == ("lm_head.weight",)
    assert tiny.shape("llama", GENERATE).tied == ()


def test_what_a_backbone_takes():
    assert not tiny.shape("distilbert", CLASSIFY).cache
    assert tiny.shape("llama", GENERATE).cache
    assert (tiny.shape("gpt2", GENERATE).positions, tiny.shape("gpt2", GENERATE).max_length) == (True, 256)
    assert (tiny.shape("llama", GENERATE).positions, tiny.shape("llama", GENERATE).max_length) == (False, 256)


def test_a_task_that_the_architecture_does_not_have():
    with pytest.raises(LabError, match="no model for the task 'generate'"):
        derive(tiny.config("distilbert"), GENERATE)


def test_matching():
    shape = tiny.shape("llama", GENERATE)
    assert len(shape.matching(("q_proj", "v_proj"))) == 4
    assert shape.matching(("all-linear",)) == shape.projections
    assert len(shape.matching((r"model\.layers\.0\..*",))) == 7
    assert shape.matching(("proj",)) == ()
    with pytest.raises(LabError, match="regular expression"):
        shape.matching(("[",))
