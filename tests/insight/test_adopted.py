from __future__ import annotations

import json

import pytest

from lab.chat.engine import Engine, Options
from lab.errors import LabError
from lab.insight.adopted import adopt
from lab.methods import METHODS
from lab.plan import GENERATE
from tests import tiny

KEYS = ["lora", "bottleneck", "prefix", "prompt"]


def saved(folder, key):
    method = METHODS[key]
    method.save(method.apply(tiny.model("llama", GENERATE), method.Settings(), tiny.shape("llama", GENERATE)), folder)
    return folder


@pytest.mark.parametrize("key", KEYS)
def test_an_adapter_from_elsewhere_can_be_chatted_with(store, llama, tmp_path, key):
    run = adopt(store, saved(tmp_path / key, key), llama, "somebody/adapter")
    assert (run.plan.method, run.status, run.name) == (key, "done", "somebody/adapter")
    shape = tiny.shape("llama", GENERATE)
    method = METHODS[key]
    assert run.history().started.trainable == method.trainable(method.Settings(), shape)
    said = list(Engine(store).stream(run.id, [{"role": "user", "content": "hi"}], Options(max_tokens=3)))
    assert said


def test_what_is_no_adapter_leaves_no_run(store, llama, tmp_path):
    with pytest.raises(LabError, match="adapter_config"):
        adopt(store, tmp_path, llama, "x")
    folder = saved(tmp_path / "lora", "lora")
    config = json.loads((folder / "adapter_config.json").read_text())
    for change, words in (({"peft_type": "MAGIC"}, "no method"), ({"task_type": "SEQ_CLS"}, "classifies")):
        (folder / "adapter_config.json").write_text(json.dumps(config | change))
        with pytest.raises(LabError, match=words):
            adopt(store, folder, llama, "x")
    assert store.all() == []


def test_from_the_search_to_the_answer(hub, store, llama, tmp_path):
    """What lesson 3.5 does: search for the adapters of a base, load one, ask it; the Hub is a double."""
    from pathlib import Path

    from lab.models.hub import fetch_adapter, search_adapters

    def files(folder: Path) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}

    hub.add("lab/tiny", files(Path(llama)))
    tag = ("base_model:adapter:lab/tiny",)
    hub.add("somebody/bottleneck", files(saved(tmp_path / "one", "bottleneck")), tags=tag, downloads=7)
    hub.add("somebody/other", files(saved(tmp_path / "two", "lora")), tags=tag, downloads=2)
    hub.add("somebody/elsewhere", files(saved(tmp_path / "three", "lora")), tags=("base_model:adapter:lab/big",))
    found = search_adapters("lab/tiny")
    assert [item["id"] for item in found] == ["somebody/bottleneck", "somebody/other"]
    run = adopt(store, fetch_adapter(found[0]["id"]), "lab/tiny", found[0]["id"])
    assert run.plan.method == "bottleneck"
    assert list(Engine(store).stream(run.id, [{"role": "user", "content": "hi"}], Options(max_tokens=3)))
