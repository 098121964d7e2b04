"""What is saved is read in another process by stock peft, and bad files are told in a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lab.errors import LabError
from lab.methods import METHODS
from lab.plan import CLASSIFY, GENERATE
from tests import tiny
from tests.methods.cases import allowed
from tests.methods.practice import begin, logits, steps
from tests.methods.test_contract import STEPS, applied, everything

#: Reads every adapter with peft (or, for a selection of the base's own weights, with torch) and nothing of the lab,
#: unless the method is the lab's own.
READER = """
import json, sys
from pathlib import Path
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

root = Path(sys.argv[1])
for folder in sorted((root / "runs").iterdir()):
    told = json.loads((folder / "told.json").read_text())
    cls = AutoModelForCausalLM if told["task"] == "generate" else AutoModelForSequenceClassification
    model = cls.from_pretrained(root / told["base"], local_files_only=True)
    if (folder / "selection.safetensors").exists():
        missing = model.load_state_dict(load_file(folder / "selection.safetensors"), strict=False)
        assert not missing.unexpected_keys
    else:
        if told["own"]:
            __import__(told["own"])
        model = PeftModel.from_pretrained(model, folder)
    with torch.no_grad():
        found = model.eval()(**load_file(root / (told["base"] + ".batch"))).logits
    save_file({"logits": found.contiguous()}, folder / "found.safetensors")
assert "lab.methods" not in sys.modules or "lab.methods.bottleneck.tuner" in sys.modules
"""


def name_of(key: str, extra: dict) -> str:
    return "-".join([key, *(f"{name}_{value}" for name, value in extra.items())]).replace(".", "d").replace("*", "s")


#: The other process finds our own tuner here.
ROOT = str(Path(__file__).parents[2])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Every method, trained for a few steps and saved, and what the other process made of it."""
    root = tmp_path_factory.mktemp("files")
    bases = {"llama": GENERATE, "qwen2": CLASSIFY}
    for family, task in bases.items():
        tiny.save(root / family, family, task)
        batch = {name: item for name, item in tiny.batch(family, task).items() if name != "labels"}
        save_file(batch, str(root / f"{family}.batch"))
    expected = {}
    for family, task in bases.items():
        for key, extra in everything():
            if not allowed(key, extra, family, task):
                continue
            method, chosen, model = applied(key, family, task, **extra)
            folder = root / "runs" / f"{family}-{name_of(key, extra)}"
            steps(method, chosen, model, begin(method, chosen, model), tiny.batch(family, task), 0, STEPS, STEPS)
            batch = load_file(str(root / f"{family}.batch"), device=tiny.DEVICE)
            expected[folder.name] = (key, logits(model, batch))
            method.save(model, folder)
            torch.testing.assert_close(logits(model, batch), expected[folder.name][1], rtol=0, atol=0)
            own = "lab.methods.bottleneck.tuner" if key == "bottleneck" else ""
            (folder / "told.json").write_text(json.dumps({"base": family, "task": task, "own": own}))
    (root / "reader.py").write_text(READER)
    done = subprocess.run(
        [sys.executable, str(root / "reader.py"), str(root)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ROOT},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return root, expected


def test_another_process_gets_the_same_logits(saved):
    root, expected = saved
    assert {key for key, _ in expected.values()} == set(METHODS)
    wrong = {}
    for name, (_, logits_here) in expected.items():
        found = load_file(str(root / "runs" / name / "found.safetensors"))["logits"]
        difference = (found - logits_here.cpu()).abs().max().item()
        if not difference < 1e-4 * max(1.0, logits_here.abs().max().item()):
            wrong[name] = difference
    assert not wrong


def test_the_lab_reads_them_again(saved):
    root, expected = saved
    for name, (key, logits_here) in expected.items():
        family = name.split("-")[0]
        task = GENERATE if family == "llama" else CLASSIFY
        model = METHODS[key].load(tiny.model(family, task), root / "runs" / name)
        batch = load_file(str(root / f"{family}.batch"), device=tiny.DEVICE)
        torch.testing.assert_close(logits(model, batch), logits_here, rtol=1e-4, atol=1e-4)
        with METHODS[key].disabled(model) as base:
            torch.testing.assert_close(logits(base, batch), logits(tiny.model(family, task), batch), rtol=0, atol=0)


def test_only_safetensors_are_written(saved):
    root, _ = saved
    kinds = {path.suffix for path in (root / "runs").glob("**/*") if path.is_file()}
    assert kinds <= {".safetensors", ".json", ".md"}


@pytest.fixture
def adapter(saved, tmp_path):
    root, _ = saved
    folder = tmp_path / "adapter"
    folder.mkdir()
    for file in (root / "runs" / "llama-lora").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def load(folder, key="lora"):
    return METHODS[key].load(tiny.model("llama", GENERATE), folder)


def test_a_pickle_is_refused(adapter):
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(LabError, match="pickle format"):
        load(adapter)


def test_damaged_weights(adapter):
    weights = adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(LabError, match=r"damaged"):
        load(adapter)


def test_weights_in_part(adapter):
    weights = load_file(str(adapter / "adapter_model.safetensors"))
    save_file(dict(list(weights.items())[1:]), str(adapter / "adapter_model.safetensors"))
    with pytest.raises(LabError, match=r"'.*lora_A.*' is missing"):
        load(adapter)


@pytest.mark.parametrize("text", ["{", "[]", "", '{"peft_type": "NONE"}', '{"peft_type": "LORA", "r": "many"}', "{}"])
def test_a_tampered_configuration(adapter, text):
    (adapter / "adapter_config.json").write_text(text)
    with pytest.raises(LabError) as caught:
        load(adapter)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_another_shape_says_which_dimension(adapter):
    told = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(told | {"r": 3}))
    with pytest.raises(LabError, match=r"\(4, 32\) in the adapter and \(3, 32\) here"):
        load(adapter)


def test_modules_that_the_base_does_not_have(adapter):
    told = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(told | {"target_modules": ["c_attn"]}))
    with pytest.raises(LabError, match="c_attn"):
        load(adapter)


def test_an_empty_folder(tmp_path):
    with pytest.raises(LabError, match=r"adapter_config\.json"):
        load(tmp_path)


def test_a_selection_of_another_base(saved, tmp_path):
    root, _ = saved
    with pytest.raises(LabError, match="another base"):
        METHODS["last_layers"].load(tiny.model("gpt2", GENERATE), root / "runs" / "llama-last_layers")
    (tmp_path / "selection.safetensors").write_bytes(b"nothing")
    with pytest.raises(LabError, match="damaged"):
        METHODS["full"].load(tiny.model("llama", GENERATE), tmp_path)
    with pytest.raises(LabError, match="missing"):
        METHODS["full"].load(tiny.model("llama", GENERATE), tmp_path / "none")
