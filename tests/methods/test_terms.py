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
