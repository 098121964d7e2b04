"""Building a shape must not change the types of a model that another thread loads."""

from __future__ import annotations

import torch

from lab.models import shape as shapes
from lab.plan import GENERATE
from tests import tiny


def test_a_shape_leaves_torchs_default_type_alone(monkeypatch):
    seen = []
    real = shapes.auto_class

    def spied(config, task):
        made = real(config, task)

        class Spy:
            @staticmethod
            def from_config(config):
                built = made.from_config(config)
                seen.append(built.dtype)
                return built

        return Spy

    monkeypatch.setattr(shapes, "auto_class", spied)
    config = tiny.config("llama")
    config.dtype = torch.bfloat16
    shapes.derive(config, GENERATE)
    assert seen == [torch.float32]
    assert config.dtype == torch.bfloat16
