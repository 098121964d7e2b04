"""The page for newcomers works as printed: the method in it is added and appears everywhere."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest
import torch

from lab import methods
from lab.data import catalogue as data_catalogue
from lab.knobs import build
from lab.methods import docs
from lab.plan import CLASSIFY, GENERATE, Precision
from tests import tiny
from tests.methods.cases import grounds, mismatch
from tests.methods.practice import begin, last, logits, reply, steps

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-method.md"


@pytest.fixture
def hra(monkeypatch):
    """The printed method, in a module of its own and in METHODS."""
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S).group(1)
    module = types.ModuleType("lab.methods.hra")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    method = module.Hra()
    monkeypatch.setitem(methods.METHODS, method.key, method)
    return method


def test_it_trains_what_it_says_on_every_family(hra):
    seen = 0
    for family, task in grounds():
        shape, chosen = tiny.shape(family, task), build(hra.Settings, {"reflections": 4})
        if hra.compatible(chosen, shape, Precision()):
            assert family == "gpt2"
            continue
        model = hra.apply(tiny.model(family, task), chosen, shape)
        assert mismatch(hra, chosen, shape, model) == ""
        seen += 1
    assert seen == len(grounds()) - 2


@pytest.mark.parametrize(("family", "task"), [("llama", GENERATE), ("bert", CLASSIFY)])
def test_it_keeps_the_contract(hra, family, task, tmp_path):
    shape, chosen = tiny.shape(family, task), build(hra.Settings, {"reflections": 4})
    batch, base = tiny.batch(family, task), tiny.model(family, task)
    torch.manual_seed(1)
    model = hra.apply(tiny.model(family, task), chosen, shape)
    expected = logits(base, batch)
    torch.testing.assert_close(logits(model, batch), expected, rtol=1e-3, atol=1e-4)
    losses = steps(hra, chosen, model, begin(hra, chosen, model), batch, 0, 12, 12)
    assert losses[-1] < losses[0]
    with hra.disabled(model) as plain:
        torch.testing.assert_close(logits(plain, batch), expected, rtol=0, atol=0)
    if task == GENERATE:
        assert reply(model, family).shape[0] == 2
    hra.save(model, tmp_path)
    again = hra.load(tiny.model(family, task), tmp_path)
    torch.testing.assert_close(
        last(logits(again, batch), task), last(logits(model, batch), task), rtol=1e-4, atol=1e-5
    )


def test_it_is_in_the_documentation(hra):
    page = docs.page()
    assert "## HRA" in page
    assert "| [HRA](#hra) | orthogonal | r·k for each targeted d×k matrix | 2,097,152 |" in page
    assert docs.describe("hra")["settings"][0]["label"] == "Reflections r"


def test_it_is_in_the_form_and_the_panel(hra, tmp_path):
    from lab.ui.bench import form, panel

    told = next(item for item in form.spec()["methods"] if item["key"] == "hra")
    assert told["colour"].startswith("#")
    assert [item["name"] for item in told["knobs"]] == ["reflections", "orthogonal", "target_modules", "layers"]
    base = tiny.save(tmp_path / "base", "llama", GENERATE)
    plan = methods.default_plan("hra", model=str(base))
    assert next(iter(data_catalogue.datasets()))
    seen = panel.see(form.form(plan))
    assert seen["reason"] is None
    assert seen["totals"]["trainable"] - seen["totals"]["head"] == 2 * 2 * 32 * 8


def test_it_is_a_plan_like_any_other(hra):
    plan = methods.with_values(methods.default_plan("hra"), {"reflections": 4, "steps": 5})
    assert methods.settings(type(plan).from_link(plan.to_link())).reflections == 4
    assert plan.training.learning_rate == pytest.approx(3e-3)
