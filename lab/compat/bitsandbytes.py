"""bitsandbytes: gradients through 4-bit weights on a CPU, and its log."""

from __future__ import annotations

import logging
from typing import Any

from lab.compat import optional


def quiet() -> None:
    """Show errors of bitsandbytes alone.

    Why: it warns at each int8 product of a cast, and at its import of kernels that nobody needs.
    Without it: the log of a run in int8 has two lines a layer.
    Seen on: bitsandbytes 0.50.
    """
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


@optional
def keep_gradients(model: Any) -> None:
    """Keep 4-bit weights from being repacked in place on CPUs with AVX512-BF16.

    Why: `Linear4bit.forward` repacks them at the first pass in evaluation mode, and the product of repacked weights
    has no gradient.
    Without it: training after an evaluation goes on, and its gradients are silently wrong.
    Seen on: bitsandbytes 0.50.
    """
    import bitsandbytes as bnb

    for module in model.modules():
        if isinstance(module, bnb.nn.Linear4bit):
            if not hasattr(module, "support_avx512bf16_for_cpu"):
                raise AttributeError("Linear4bit has no attribute 'support_avx512bf16_for_cpu'")
            module.support_avx512bf16_for_cpu = False
