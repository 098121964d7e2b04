"""transformers: which attention a model computes."""

from __future__ import annotations

from typing import Any

from lab.compat import optional


@optional
def attention_implementation(model: Any) -> str:
    """The name of the attention that the model computes ("sdpa", "eager", …).

    Why: `set_attn_implementation` has no counterpart that reads.
    Without it: a model that was looked at in "eager" cannot be put back to what it was, and stays slower.
    Seen on: transformers 5.23.
    """
    return str(model.config._attn_implementation)
