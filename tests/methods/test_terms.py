"""The formula of every method is what is really trained, on every family and task."""

from __future__ import annotations

import pytest

from lab.methods import METHODS
from lab.plan import Precision
from tests import tiny
from tests.methods.cases import cases, grounds, mismatch, settings


@pytest.mark.parametrize(("family", "task"), grounds())
@pytest.mark.parametrize(("key", "extra"), cases(), ids=lambda value: str(value).replace("'", ""))
def test_terms_are_what_is_trained(key, extra, family, task):
    method, chosen, shape = METHODS[key], settings(key, **extra), tiny.shape(family, task)
    if method.compatible(chosen, shape, Precision()):
        pytest.skip("told to be incompatible; tests/methods/test_compatible.py holds that this is right")
    model = method.apply(tiny.model(family, task), chosen, shape)
    assert mismatch(method, chosen, shape, model) == ""
    assert method.trainable(chosen, shape) == sum(p.numel() for p in model.parameters() if p.requires_grad) > 0


def test_on_another_device_adalora_trains_no_more():
    """Moved to the base's device, the rank that peft divides by once became trainable. The meta device moves too."""
    from lab.models.shape import build
    from lab.plan import GENERATE

    method, shape = METHODS["adalora"], tiny.shape("llama", GENERATE)
    model = method.apply(build(shape), settings("adalora"), shape)
    assert mismatch(method, settings("adalora"), shape, model) == ""


@pytest.mark.parametrize(("key", "extra"), cases(), ids=lambda value: str(value).replace("'", ""))
@pytest.mark.parametrize("family", ["llama", "t5"])
def test_terms_hold_without_weights_too(key, extra, family):
    from lab.models.shape import build
    from lab.plan import GENERATE

    method, chosen, shape = METHODS[key], settings(key, **extra), tiny.shape(family, GENERATE)
    if method.changes_base or extra.get("init") in ("pissa", "olora", "mica") or extra.get("dora"):
        pytest.skip("reads the base's weights")
    if method.compatible(chosen, shape, Precision()):
        pytest.skip("told to be incompatible")
    assert mismatch(method, chosen, shape, method.apply(build(shape), chosen, shape)) == ""
