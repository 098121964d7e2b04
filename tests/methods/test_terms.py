"""The formula of every method is what is really trained, on every family and task."""

from __future__ import annotations

import pytest

from lab.methods import METHODS
from lab.plan import GENERATE
from tests import tiny
from tests.methods.cases import everywhere, mismatch, settings


def test_every_method_works_somewhere():
    assert {key for key, *_ in everywhere()} == set(METHODS)


@pytest.mark.parametrize(
    ("key", "extra", "family", "task"), everywhere(), ids=lambda value: str(value).replace("'", "")
)
def test_terms_are_what_is_trained(key, extra, family, task):
    method, chosen, shape = METHODS[key], settings(key, **extra), tiny.shape(family, task)
    model = method.apply(tiny.model(family, task), chosen, shape)
    assert mismatch(method, chosen, shape, model) == ""
    assert method.trainable(chosen, shape) == sum(p.numel() for p in model.parameters() if p.requires_grad) > 0


def test_on_another_device_adalora_trains_no_more():
    """Moved to the base's device, the rank that peft divides by once became trainable. The meta device moves too."""
    from lab.models.shape import build

    method, shape = METHODS["adalora"], tiny.shape("llama", GENERATE)
    model = method.apply(build(shape), settings("adalora"), shape)
    assert mismatch(method, settings("adalora"), shape, model) == ""


def without_weights() -> list[tuple[str, dict, str]]:
    """The cases on a decoder and on two stacks, but for those that read the base's weights to begin from them."""
    return [
        (key, extra, family)
        for key, extra, family, task in everywhere()
        if (family, task) in (("llama", GENERATE), ("t5", GENERATE))
        and not METHODS[key].changes_base
        and extra.get("init") not in ("pissa", "olora", "mica")
        and not extra.get("dora")
    ]


@pytest.mark.parametrize(("key", "extra", "family"), without_weights(), ids=lambda value: str(value).replace("'", ""))
def test_terms_hold_without_weights_too(key, extra, family):
    from lab.models.shape import build

    method, chosen, shape = METHODS[key], settings(key, **extra), tiny.shape(family, GENERATE)
    assert mismatch(method, chosen, shape, method.apply(build(shape), chosen, shape)) == ""
