"""torch, transformers and peft, imported once: they take seconds, and two threads must not begin together."""

from __future__ import annotations

import threading

from lab.compat import bitsandbytes

_lock = threading.Lock()
_loaded = False


def load() -> None:
    """Import them, or wait until another thread has.

    transformers imports its parts when they are first named. Two threads that name the first ones at the same time
    find each other's half-made modules ("cannot import name 'AutoConfig'"); so the parts that everything else
    hangs on are imported here, by one. Raises ImportError if one of the libraries is missing or broken.
    """
    global _loaded
    if _loaded:
        return
    with _lock:
        bitsandbytes.quiet()  # before peft imports it
        import peft  # noqa: F401
        import torch  # noqa: F401
        from transformers import (  # noqa: F401
            AutoConfig,
            AutoModelForCausalLM,
            AutoModelForSeq2SeqLM,
            AutoModelForSequenceClassification,
            AutoTokenizer,
            BitsAndBytesConfig,
        )

        _loaded = True
