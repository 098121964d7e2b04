"""Methods of the peft library, and the reading of adapters that peft has saved."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.compat.peft import missing_key, quiet
from lab.compat.torch import size_mismatch
from lab.errors import LabError
from lab.methods.adapter_config import read_config
from lab.methods.base import Config, Method
from lab.models.shape import ModelShape


class PeftMethod(Method):
    """A method of the peft library: described by the configuration that peft takes."""

    @abstractmethod
    def config(self, settings: Any, shape: ModelShape) -> Config:
        """The peft configuration, its task type and the classification head included."""

    def apply(self, model: Any, settings: Any, shape: ModelShape) -> Any:
        import peft

        config = self.config(settings, shape)
        model.requires_grad_(False)  # also what prompt methods would leave trainable in a head of two layers
        with quiet():
            return peft.get_peft_model(model, config.build())

    def save(self, model: Any, folder: Path) -> None:
        with quiet():
            model.save_pretrained(str(folder), safe_serialization=True)

    def load(self, base: Any, folder: Path) -> Any:
        import peft

        check_adapter(folder)
        try:
            with quiet():
                config = read_config(folder, base)
                model = peft.PeftModel.from_pretrained(base, str(folder), config=config, low_cpu_mem_usage=False)
        except LabError:
            raise
        except Exception as error:
            raise misfit(error) from error
        model.requires_grad_(False)  # peft leaves virtual tokens trainable
        return model.eval()

    def source(self, settings: Any, shape: ModelShape) -> tuple[str, ...]:
        config = self.config(settings, shape)
        return (
            f"from {config.module} import {config.cls}",
            "from peft import get_peft_model",
            f"config = {config.source()}",
            "model = get_peft_model(model, config)",
            "model.print_trainable_parameters()",
        )

    @contextmanager
    def disabled(self, model: Any) -> Iterator[Any]:
        from peft.utils.other import AuxiliaryTrainingWrapper

        # peft makes an adapter trainable when it is enabled again, also one that was loaded for inference.
        flags = [(item, item.requires_grad) for item in model.parameters()]
        prompts = model.active_peft_config.is_prompt_learning
        heads = [item for item in model.modules() if prompts and isinstance(item, AuxiliaryTrainingWrapper)]
        try:
            if prompts:  # the base is whole inside; disable_adapter() fails there for classifiers
                for head in heads:
                    head.enable_adapters(False)
                yield model.get_base_model()
            else:
                with model.disable_adapter():
                    yield model
        finally:
            for head in heads:
                head.enable_adapters(True)
            for item, flag in flags:
                item.requires_grad_(flag)


def check_adapter(folder: Path) -> None:
    """Refuse a folder that is not a readable safetensors adapter. Raises LabError with the reason."""
    config = folder / "adapter_config.json"
    if not config.is_file():
        raise LabError(f"'{folder.name}' holds no adapter_config.json.", "Choose a folder that peft has saved.")
    try:
        if not isinstance(json.loads(config.read_text(encoding="utf-8")), dict):
            raise ValueError("not an object")
    except (OSError, ValueError):
        raise LabError("adapter_config.json cannot be read.", "Download or save the adapter again.") from None
    if not (folder / "adapter_model.safetensors").is_file():
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt"))
        raise LabError(
            "This adapter is in the pickle format, which can run code when it is opened."
            if pickled
            else "The adapter's weights (adapter_model.safetensors) are missing.",
            "Save it again as safetensors.",
        )


def misfit(error: Exception) -> LabError:
    """What is wrong with an adapter that peft could not put on a base, in a sentence."""
    from safetensors import SafetensorError

    text = str(error)
    if mismatch := size_mismatch(error):
        name, saved, here = mismatch
        return LabError(
            f"This adapter belongs to another base: '{name}' is ({saved}) in the adapter and ({here}) here.",
            "Choose the base that it was trained on.",
        )
    if absent := missing_key(error):
        return LabError(f"'{absent}' is missing from the adapter.", "Download or save the adapter again.")
    if isinstance(error, SafetensorError):
        return LabError("The adapter's weights are damaged.", "Download or save the adapter again.")
    return LabError(
        f"This adapter cannot be put on this base: {text.splitlines()[0] if text else type(error).__name__}",
        "Check adapter_config.json, and that the base is the one that it was trained on.",
    )
