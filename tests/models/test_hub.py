"""The Hub's client against a server that speaks its API, well and badly behaved."""

from __future__ import annotations

import errno
import json
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab.errors import LabError
from lab.models import hub as client
from lab.models import loading
from lab.plan import GENERATE, Precision
from tests import tiny
from tests.hub_double import CUT, DROP, ERROR, HANG, STALL
from tests.plans import quick

WEIGHTS = b"\x02\x00\x00\x00\x00\x00\x00\x00{}"
MODEL = {"config.json": b"{}", "model.safetensors": WEIGHTS}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Whoever waits gives up soon, and the library tries again at once."""
    from huggingface_hub import file_download
    from huggingface_hub.utils import _http

    monkeypatch.setattr(client, "PATIENCE", 0.6)
    for module in (file_download, _http):
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=lambda _: None, time=time.time))


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


# -- models -----------------------------------------------------------------------------------


def test_a_model_of_the_hub_computes_what_its_folder_does(hub, llama, monkeypatch):
    import torch

    monkeypatch.setattr(client, "PATIENCE", 9.0)
    hub.add("lab/tiny", contents(Path(llama)))
    here = loading.load(llama, GENERATE, 2, Precision(), "cpu")
    there = loading.load("lab/tiny", GENERATE, 2, Precision(), "cpu")
    batch = {"input_ids": torch.arange(5, 25).view(2, 10)}
    with torch.no_grad():
        assert torch.equal(here(**batch).logits, there(**batch).logits)
    assert loading.tokenizer("lab/tiny")("hello")["input_ids"] == tiny.tokenizer()("hello")["input_ids"]


def test_only_the_configuration_is_fetched_for_a_shape(hub, llama, monkeypatch):
    loading.shape.cache_clear()  # another test may have asked for a model of this name
    monkeypatch.setattr(client, "PATIENCE", 9.0)
    hub.add("lab/tiny", contents(Path(llama)))
    assert loading.shape("lab/tiny", GENERATE).total == loading.shape(llama, GENERATE).total
    fetched = [line for line in hub.asked if "/resolve/" in line]
    assert fetched
    assert all(line.endswith("/config.json") for line in fetched)


def test_what_is_not_needed_stays_on_the_hub(hub):
    extra = {
        "pytorch_model.bin": b"x",
        "onnx/model.safetensors": b"x",
        "modeling.py": b"x",
        "consolidated.safetensors": b"x",
    }
    hub.add("lab/m", MODEL | extra)
    assert contents(client.resolve("lab/m")) == MODEL


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"config.json": b"{}", "pytorch_model.bin": b"x"}, "no weights in the safetensors format"),
        ({"config.json": b"{}"}, "has no weights"),
        ({"model.safetensors": WEIGHTS}, "has no config.json"),
        ({"adapter_config.json": b"{}", "adapter_model.safetensors": b"x"}, "is an adapter, not a model"),
    ],
)
def test_a_repository_without_a_model_is_refused_before_anything_is_fetched(hub, files, said):
    hub.add("lab/m", files)
    with pytest.raises(LabError, match=said) as caught:
        client.resolve("lab/m")
    assert caught.value.hint
    assert not [line for line in hub.asked if "/resolve/" in line]


# -- what can be wrong with an id -------------------------------------------------------------


@pytest.mark.parametrize("ask", [client.fetch_config, client.resolve, client.fetch_adapter])
@pytest.mark.parametrize(
    ("repo", "said"), [("lab/none", "There is no 'lab/none'"), ("lab/no no", "not an id of the Hub")]
)
def test_an_id_that_does_not_exist(hub, ask, repo, said):
    with pytest.raises(LabError, match=said) as caught:
        ask(repo)
    assert caught.value.hint
    assert not isinstance(caught.value, client.Unreachable)


def test_a_gated_model_says_whom_to_ask(hub):
    hub.add("lab/m", MODEL, gated=True)
    with pytest.raises(LabError, match="is gated"):
        client.resolve("lab/m")


def test_a_token_opens_a_gated_model(hub, monkeypatch):
    hub.add("lab/m", MODEL, gated=True)
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert contents(client.resolve("lab/m")) == MODEL


# -- a network that fails ---------------------------------------------------------------------


@pytest.mark.parametrize("fault", [DROP, HANG, ERROR])
@pytest.mark.parametrize("ask", [client.fetch_config, client.resolve, client.fetch_adapter, client.search_adapters])
def test_a_hub_that_does_not_answer_is_told_not_waited_for(hub, ask, fault):
    hub.add("lab/m", MODEL, fault=fault)
    hub.search_fault = fault
    with pytest.raises(client.Unreachable) as caught:
        ask("lab/m")
    assert caught.value.hint


@pytest.mark.parametrize("fault", [DROP, HANG, ERROR])
def test_what_was_fetched_once_serves_without_a_network(hub, fault):
    hub.add("lab/m", MODEL)
    first = client.resolve("lab/m")
    hub.fault("lab/m", fault)
    client.resolve.cache_clear()
    assert client.resolve("lab/m") == first
    assert contents(first) == MODEL


def test_a_configuration_alone_is_not_taken_for_the_model(hub):
    hub.add("lab/m", MODEL)
    client.fetch_config("lab/m")
    hub.fault("lab/m", DROP)
    with pytest.raises(client.Unreachable):
        client.resolve("lab/m")


def test_offline_mode_asks_nobody(hub, monkeypatch):
    hub.add("lab/m", MODEL)
    first = client.resolve("lab/m")
    client.resolve.cache_clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub.asked.clear()
    assert client.resolve("lab/m") == first
    with pytest.raises(LabError, match="HF_HUB_OFFLINE"):
        client.resolve("lab/other")
    with pytest.raises(LabError, match="HF_HUB_OFFLINE"):
        client.search_adapters("lab/m")
    assert hub.asked == []


def test_nobody_listens_at_the_address(hub, monkeypatch):
    hub.server.server_close()
    with pytest.raises(client.Unreachable):
        client.resolve("lab/m")


def test_a_download_that_breaks_off_goes_on_where_it_stopped(hub):
    files = MODEL | {"model.safetensors": WEIGHTS * 5000}
    hub.add("lab/m", files, fault=CUT)
    with pytest.raises(client.Unreachable):
        client.resolve("lab/m")
    hub.fault("lab/m")
    assert contents(client.resolve("lab/m")) == files


def test_a_download_that_falls_silent_is_given_up(hub, monkeypatch):
    monkeypatch.setattr(client, "SILENCE", 0.6)
    hub.add("lab/m", MODEL, fault=STALL)
    with pytest.raises(client.Unreachable):
        client.resolve("lab/m")


# -- the disk ---------------------------------------------------------------------------------


def test_a_full_disk_is_told(hub, monkeypatch):
    import huggingface_hub

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    hub.add("lab/m", MODEL)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", full)
    with pytest.raises(LabError, match="disk is full"):
        client.resolve("lab/m")


def test_a_model_larger_than_the_disk_is_not_begun(hub, monkeypatch):
    monkeypatch.setattr(client.shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    hub.add("lab/m", MODEL | {"model.safetensors": WEIGHTS * 10})
    with pytest.raises(LabError, match="the disk has only"):
        client.resolve("lab/m")
    assert not [line for line in hub.asked if "/resolve/" in line]


# -- adapters ---------------------------------------------------------------------------------


def test_search_finds_the_adapters_of_a_base(hub):
    hub.add("lab/few", {}, tags=("base_model:adapter:lab/m",), downloads=1)
    hub.add("lab/many", {}, tags=("base_model:adapter:lab/m",), downloads=9)
    hub.add("lab/other", {}, tags=("base_model:adapter:lab/x",), downloads=50)
    found = client.search_adapters("lab/m")
    assert [(item["id"], item["downloads"]) for item in found] == [("lab/many", 9), ("lab/few", 1)]
    assert len(client.search_adapters("lab/m", limit=1)) == 1


def test_an_adapter_that_is_pushed_comes_back_the_same(hub, tmp_path, monkeypatch):
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model

    monkeypatch.setattr(client, "PATIENCE", 9.0)
    base = tiny.model("llama", GENERATE)
    made = get_peft_model(base, LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights=False))
    batch = {"input_ids": torch.arange(5, 25).view(2, 10)}
    with torch.no_grad():
        said = made.eval()(**batch).logits
    made.save_pretrained(str(tmp_path / "adapter"))
    address = client.push(tmp_path / "adapter", "lab/mine", hub.token)
    assert address == f"{hub.url}/lab/mine"
    assert hub.repos["model", "lab/mine"].commits == ["Adapter from PEFT Lab"]
    pulled = client.fetch_adapter("lab/mine")
    assert json.loads((pulled / "adapter_config.json").read_text())["r"] == 4
    with torch.no_grad():
        again = PeftModel.from_pretrained(tiny.model("llama", GENERATE), str(pulled)).eval()(**batch).logits
    assert torch.equal(said, again)


@pytest.mark.parametrize("token", ["", "hf_wrong"])
def test_nothing_is_published_without_the_right_to(hub, tmp_path, token):
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(LabError) as caught:
        client.push(tmp_path, "lab/mine", token)
    assert "token" in f"{caught.value}"
    assert not hub.repos


def test_an_adapter_that_is_a_pickle_is_refused(hub):
    hub.add("lab/a", {"adapter_config.json": b"{}", "adapter_model.bin": b"x"})
    with pytest.raises(LabError, match="not in the safetensors format"):
        client.fetch_adapter("lab/a")
    hub.add("lab/b", {"README.md": b"x"})
    with pytest.raises(LabError, match="holds no adapter"):
        client.fetch_adapter("lab/b")


# -- the whole way ----------------------------------------------------------------------------


def test_a_model_and_data_of_the_hub_are_trained_as_those_of_a_folder(hub, llama, reviews, tmp_path, monkeypatch):
    from lab.events import DONE, Finished, Step
    from lab.training.loop import train

    monkeypatch.setattr(client, "PATIENCE", 9.0)
    hub.add("lab/tiny", contents(Path(llama)))
    hub.add("lab/reviews", {"train.jsonl": Path(reviews).read_bytes()}, kind="dataset")
    told = {}
    for name, model, data in (("here", llama, reviews), ("there", "lab/tiny", "lab/reviews")):
        events = list(train(quick(model, data, steps=3), threading.Event(), tmp_path / name))
        assert isinstance(events[-1], Finished)
        assert events[-1].status == DONE, events[-1].error
        told[name] = [event.loss for event in events if isinstance(event, Step)]
    assert len(told["here"]) == 3
    assert told["here"] == told["there"]


@pytest.mark.parametrize("fault", [DROP, HANG, ERROR])
def test_a_run_that_cannot_reach_the_hub_fails_in_one_sentence(hub, reviews, tmp_path, fault):
    from lab.events import FAILED, Finished
    from lab.training.loop import train

    hub.add("lab/m", MODEL, fault=fault)
    last = list(train(quick("lab/m", reviews), threading.Event(), tmp_path / "run"))[-1]
    assert isinstance(last, Finished)
    assert last.status == FAILED
    assert "'lab/m'" in last.error
    assert last.hint
