"""A model's configuration is its author's writing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lab.errors import LabError
from lab.models import loading
from lab.plan import GENERATE, Precision
from tests.alarm import within
from tests.models.test_patterns import CATASTROPHIC


def changed(llama: str, folder: Path, **change: Any) -> str:
    shutil.copytree(llama, folder)
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    return str(folder)


@pytest.mark.parametrize("text", CATASTROPHIC)
def test_no_expression_of_a_quantization_keeps_the_lab_busy(text: str, llama: str, tmp_path: Path) -> None:
    for number, quantization in enumerate(
        (
            {"quant_method": "bitsandbytes", "load_in_8bit": True, "llm_int8_skip_modules": [text]},
            {"quant_method": "gptq", "bits": 4, "dynamic": {f"-:{text}": {}}},
            {"quant_method": "fp8", "modules_to_not_convert": [["lm_head"], [text]]},
        )
    ):
        for name, change in (
            ("outer", {"quantization_config": quantization}),
            ("inner", {"text_config": {"quantization_config": quantization}}),
        ):
            model = changed(llama, tmp_path / f"{name}{number}", **change)
            with within(20), pytest.raises(LabError, match="expressions in the place of names"):
                loading.load(model, GENERATE, 2, Precision(), "cpu")


def test_names_are_read(llama: str, tmp_path: Path) -> None:
    quantization = {"quant_method": "bitsandbytes", "load_in_8bit": True, "llm_int8_skip_modules": ["lm_head", "a.b"]}
    model = changed(llama, tmp_path / "named", quantization_config=quantization, architectures=["Llama (a) +"])
    assert loading.config(model).quantization_config["load_in_8bit"]
