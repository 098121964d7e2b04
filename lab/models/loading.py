"""From the name of a model to its configuration, its tokenizer, its shape and its weights."""

from __future__ import annotations

import json
import logging
import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

from lab import access
from lab.compat.bitsandbytes import keep_gradients
from lab.compat.torch import out_of_memory
from lab.errors import LabError
from lab.knobs import nearest
from lab.models import embedded, hub, libraries, patterns, room
from lab.models import precision as stored
from lab.models.catalogue import models
from lab.models.shape import ModelShape, auto_class, derive
from lab.plan import CLASSIFY, Precision

log = logging.getLogger(__name__)

#: One load at a time: transformers changes torch's default type meanwhile, which belongs to the whole process.
_loading = threading.Lock()


def kind(model: str) -> str:
    """Where a model comes from: "embedded", "folder" or "hub". Raises LabError for a name that is none of them."""
    name = model.strip()
    if name in models():
        return "embedded"
    if not name:
        raise LabError("No model is chosen.", "Choose the embedded one, a Hub id or a folder.")
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name or _is_readable_folder(name):
        return "folder"
    if "/" in name:
        return "hub"
    raise LabError(
        f"There is no embedded model '{name}'.",
        nearest(name, models()) or f"There is {', '.join(models())}; a Hub id looks like 'organisation/name'.",
    )


def _is_readable_folder(name: str) -> bool:
    """Whether there is such a folder or file for whoever asks; whoever may read none is not told either."""
    try:
        access.rules().folder(Path(name))
    except LabError:
        return False
    return os.path.exists(name)


def folder(model: str, weights: bool = True) -> Path:
    """The local folder of a model; a Hub model is downloaded first (only its configuration unless `weights`)."""
    origin = kind(model)
    if origin == "embedded":
        path = models()[model.strip()].folder
        if weights:
            embedded.check(path)
        return path
    if origin == "hub":
        return hub.resolve(model.strip()) if weights else hub.fetch_config(model.strip())
    path = Path(os.path.expanduser(model.strip()))
    access.rules().folder(path)
    if not os.path.isdir(path):  # which a name of any length can be asked
        raise LabError(f"The folder '{path}' does not exist.", "Check its path.")
    if not (path / "config.json").is_file():
        raise LabError(f"The folder '{path}' holds no config.json.", "Choose a folder saved with save_pretrained.")
    return path


def config(model: str) -> Any:
    """The transformers configuration of a model, without its weights."""
    libraries.load()
    from transformers import AutoConfig

    path = folder(model, weights=False)
    try:
        values = json.loads((path / "config.json").read_text(encoding="utf-8"))
        access.rules().config(model, values)
        if not _names_modules(values):
            raise LabError(
                f"The configuration of '{model}' has expressions in the place of names of modules.",
                "Choose another model, or its original without quantization.",
            )
        return AutoConfig.from_pretrained(str(path), local_files_only=True, trust_remote_code=False)
    except (ValueError, KeyError, TypeError, OSError) as error:
        log.info("config of %s: %s", model, error)
        raise LabError(
            f"The configuration of '{model}' is damaged or of an architecture that this transformers does not know.",
            "Choose a Llama, Qwen, Mistral, Gemma, GPT-2, BERT, RoBERTa, DistilBERT or T5 model.",
        ) from None


def _names_modules(values: Any, quantization: bool = False) -> bool:
    """Whether a configuration lists modules for its quantization by name.

    transformers matches what is listed with `re`, which an expression of a stranger could keep busy for ever.
    """
    if isinstance(values, dict):
        names = not quantization or all(patterns.is_name(name) for name in values)
        return names and all(
            _names_modules(value, quantization or name == "quantization_config") for name, value in values.items()
        )
    if isinstance(values, list):
        return all(
            patterns.is_name(item) if quantization and isinstance(item, str) else _names_modules(item, quantization)
            for item in values
        )
    return True


@lru_cache(maxsize=64)
def shape(model: str, task: str, labels: int = 2) -> ModelShape:
    """The shape of a model for a task, from its configuration alone."""
    return derive(config(model), task, labels)


def tokenizer(model: str) -> Any:
    """The model's tokenizer, with a padding token."""
    libraries.load()
    from transformers import AutoTokenizer

    path = folder(model, weights=kind(model) == "hub")
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(path), local_files_only=True, trust_remote_code=False)
    except (ValueError, OSError, KeyError, TypeError) as error:
        log.info("tokenizer of %s: %s", model, error)
        raise LabError(
            f"'{model}' has no tokenizer that can be read.", "Save its tokenizer beside the model."
        ) from None
    if tokenizer.pad_token_id is None:
        if tokenizer.eos_token is None:
            raise LabError(
                f"The tokenizer of '{model}' has neither a padding nor an end token.", "Choose another model."
            )
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load(model: str, task: str, labels: int, precision: Precision, where: str) -> Any:
    """The base itself on the device `where`, in the precision, ready to be given to a method.

    A classification head is drawn at random from torch's generator: seed it before. Where memory runs out, what is
    spare is released and it is tried once more. Raises LabError for what a person can mend: missing or damaged
    weights, a precision that the device cannot hold.
    """
    import torch

    rng_state = torch.random.get_rng_state()
    try:
        return _load(model, task, labels, precision, where)
    except Exception as problem:
        if not out_of_memory(problem):
            raise
    room.make()  # not inside `except`: the exception would keep the half-loaded model
    torch.random.set_rng_state(rng_state)
    return _load(model, task, labels, precision, where)


def _load(model: str, task: str, labels: int, precision: Precision, where: str) -> Any:
    from safetensors import SafetensorError

    reason = stored.compatible(precision, where)
    if reason:
        raise LabError(reason.message, reason.hint)
    source = folder(model)
    settings = config(model)
    text = settings.get_text_config()
    extra: dict[str, Any] = {}
    if task == CLASSIFY:
        settings.num_labels = labels
        if text.pad_token_id is None:
            settings.pad_token_id = tokenizer(model).pad_token_id
    keep = (*shape(model, task, labels).head, "lm_head")
    quantization = stored.quantization(precision, keep, where)
    if quantization is not None:
        extra = {"quantization_config": quantization, "device_map": {"": where}}
    if not any(source.glob("*.safetensors")):
        raise LabError(
            f"'{model}' has no weights in the safetensors format.",
            "Other formats can run code when opened; convert the model first.",
        )
    _quiet()
    try:
        with _loading:
            loaded = auto_class(settings, task).from_pretrained(
                str(source),
                config=settings,
                dtype=stored.dtype(precision, where),
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                **extra,
            )
    except OSError as error:
        raise LabError(
            f"The weights of '{model}' cannot be read: {error}", "Download or save the model again."
        ) from None
    except SafetensorError:
        raise LabError(f"The weights of '{model}' are damaged.", "Download or save the model again.") from None
    if quantization is None:
        loaded.to(where)
    else:
        keep_gradients(loaded)
    loaded.config.use_cache = True
    return loaded.eval()


def _quiet() -> None:
    """Without transformers' progress bars and its report of a new head: the lab says what it does itself."""
    from transformers.utils import logging as reports

    reports.disable_progress_bar()
    reports.set_verbosity_error()
