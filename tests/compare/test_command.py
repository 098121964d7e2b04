import json
import sys
import types

import pytest

from lab.cli import main
from lab.compare.comparison import Comparison
from lab.compare.trackers import TRACKERS, scalars, summaries, tracker
from lab.errors import LabError
from lab.runs import Runs
from tests.compare.test_runner import spec
from tests.plots.test_compare import SOME


@pytest.fixture
def file(llama, reviews, tmp_path):
    place = tmp_path / "plan.json"
    place.write_text(json.dumps(spec(llama, reviews, methods=["lora", "bitfit"]).to_dict()))
    return place


def test_one_command_runs_it_and_writes_everything(file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["compare", str(file), "--out", str(out), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["foreseen", "member", "done", "result"]
    assert lines[0]["refused"][0]["label"] == "BitFit, seed 0"
    assert lines[-1]["members"][0]["score"] is not None
    assert lines[-1]["verdict"]
    for name in ("comparison.json", "report.html", "results.csv", "comparison.yaml", "peft-results.json"):
        assert (out / name).stat().st_size > 0
    # Again: nothing is left to do, and the file it wrote makes the same.
    assert main(["compare", str(out / "comparison.yaml"), "--out", str(out), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["foreseen", "result"]


def test_another_comparison_is_not_written_over(file, llama, reviews, tmp_path, capsys):
    out = tmp_path / "out"
    Comparison.create(out, spec(llama, reviews, methods=["ia3"]), Runs(out / "runs"))
    assert main(["compare", str(file), "--out", str(out)]) == 2
    assert "holds another comparison" in capsys.readouterr().err


def test_a_dry_run_makes_nothing(file, tmp_path, capsys):
    assert main(["compare", str(file), "--out", str(tmp_path / "out"), "--dry"]) == 0
    said = capsys.readouterr().out
    assert "2 members, 1 can run" in said
    assert "left out: BitFit" in said
    assert not (tmp_path / "out" / "comparison.json").exists()


def test_mistakes_end_with_two_and_a_sentence(tmp_path, capsys):
    assert main(["compare", str(tmp_path / "none.yaml")]) == 2
    (tmp_path / "p.yaml").write_text("metods: [lora]")
    assert main(["compare", str(tmp_path / "p.yaml")]) == 2
    assert "Did you mean 'methods'" in capsys.readouterr().err


def test_scalars_are_those_of_the_curve():
    assert list(scalars(SOME[0]))[1] == (2, {"train/loss": 1.5, "eval/loss": 2.0, "eval/score": 0.4})
    assert summaries(SOME[0])["final/score"] == 0.9


def test_a_tracker_that_is_not_installed_is_told(monkeypatch):
    monkeypatch.setattr("lab.compare.trackers.find_spec", lambda name: None)
    with pytest.raises(LabError, match="pip install wandb"):
        tracker("wandb")


@pytest.mark.parametrize("name", ["trackio", "wandb"])
def test_each_run_is_logged_where_the_user_has_a_tracker(name, llama, reviews, store, tmp_path, monkeypatch):
    from lab.compare.runner import Runner
    from lab.training.jobs import Jobs

    calls = []
    module = types.ModuleType(name)
    module.init = lambda **known: calls.append(("init", known["name"]))
    module.log = lambda values, step: calls.append(("log", step, sorted(values)[0]))
    module.finish = lambda: calls.append(("finish",))
    monkeypatch.setitem(sys.modules, name, module)
    made = Comparison.create(tmp_path / "c", spec(llama, reviews), store)
    jobs = Jobs(store)
    Runner(made, jobs).go()
    jobs.close()
    TRACKERS[name][1](made)
    assert calls[0] == ("init", "LoRA, seed 0")
    assert [call[1] for call in calls if call[0] == "log"] == [1, 2, 3, 4, 5]
    assert calls[-1] == ("finish",)
