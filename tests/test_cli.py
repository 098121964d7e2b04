"""The command line: a run from its words to its last line, and what is said of a request that is wrong."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest

from lab import __version__, cli
from lab.cli import serve
from lab.events import Step
from lab.methods import METHODS
from lab.plan import GENERATE, Plan
from lab.runs import Runs
from tests import tiny
from tests.plans import quick


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny.save(tmp_path_factory.mktemp("base") / "tiny-llama", "llama", GENERATE))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("runs"))


def said(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    """The lines of JSON that a command printed."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def train(base: str, runs: str, *more: str) -> int:
    short = ["--set", "eval_rows=4", "--set", "reply_rows=2", "--set", "batch_size=2"]
    return cli.main(["train", "--json", "--model", base, "--runs", runs, "--steps", "3", *short, *more])


def test_a_run_is_trained_listed_shown_and_asked(base: str, runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(base, runs, "--method", "lora", "--set", "rank=4") == 0
    events = said(capsys)
    last = events[-1]
    assert [item["step"] for item in events if item["event"] == "step"] == [1, 2, 3]
    assert (last["event"], last["status"]) == ("finished", "done")
    assert last["base_eval"]["step"] == 0
    assert last["final_eval"]["step"] == 3
    assert 0 < last["trainable"] < last["total"]
    assert last["seconds"] > 0

    assert cli.main(["runs", "--json", "--runs", runs]) == 0
    assert [item["id"] for item in said(capsys)] == [last["run"]]

    assert cli.main(["show", last["run"], "--json", "--runs", runs]) == 0
    assert said(capsys)[0]["plan"]["settings"]["rank"] == 4
    assert cli.main(["show", last["run"], "--script", "--runs", runs]) == 0
    compile(capsys.readouterr().out, "script", "exec")

    asked = ["chat", last["run"], "--prompt", "Who?", "--json", "--runs", runs, "--set", "max_tokens=4"]
    assert cli.main(asked) == 0
    assert isinstance(said(capsys)[0]["reply"], str)
    assert cli.main([*asked, "--base"]) == 0
    assert isinstance(said(capsys)[0]["reply"], str)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--method", "lora", "--set", "rnak=4"], "rank"),
        (["--method", "lore"], "lora"),
        (["--set", "rank"], "NAME=VALUE"),
        (["--model", "/no/such/folder"], "does not exist"),
        (["--data", "/no/such/file.csv"], "file.csv"),
        (["--set", "rank=-1"], "rank"),
        (["--set", "target_modules=nothing_like_it"], "q_proj"),
        (["--set", "dora=true", "--set", "weights=int8"], "DoRA"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_makes_no_run(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], words: str
) -> None:
    assert train(base, str(tmp_path), *wrong) == 2
    told = capsys.readouterr()
    assert words.lower() in told.err.lower()
    assert "Traceback" not in told.err
    assert json.loads(told.out)["event"] == "error"
    assert not list(tmp_path.glob("2*"))


def test_a_run_that_fails_is_kept_and_gives_one(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(base, broken)
    (broken / "model.safetensors").write_bytes(b"no weights")
    assert train(str(broken), str(tmp_path / "runs")) == 1
    last = said(capsys)[-1]
    assert last["status"] == "failed"
    assert last["error"]
    assert last["hint"]


@pytest.mark.parametrize(
    ("command", "names"), [("methods", set(METHODS)), ("models", {"storybook"}), ("data", {"persona"})]
)
def test_what_there_is_is_listed(command: str, names: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([command, "--json"]) == 0
    listed = {item.get("key") or item["name"] for item in said(capsys)}
    assert names <= listed
    assert cli.main([command]) == 0
    assert all(name in capsys.readouterr().out for name in list(names)[:1])


@pytest.mark.parametrize("words", [[], ["--port", "7861"], ["serve"], ["serve", "--port", "7861"]])
def test_without_a_command_the_page_is_served(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    parsed = []
    monkeypatch.setattr(serve, "run", lambda options: parsed.append(options) or 0)
    assert cli.main(words) == 0
    (options,) = parsed
    expected = serve.options(words[words[:1] == ["serve"] :])
    assert {name: getattr(options, name) for name in vars(expected)} == vars(expected)


@pytest.mark.parametrize(("word", "text"), [("--help", "train"), ("--version", __version__)])
def test_help_and_version_are_those_of_the_commands(capsys: pytest.CaptureFixture[str], word: str, text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([word])
    assert ended.value.code == 0
    assert text in capsys.readouterr().out


@pytest.fixture
def done(base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, Path]:
    """A folder of runs with one that is done, and that run's folder."""
    runs = tmp_path / "runs"
    assert train(base, str(runs), "--set", "rank=4") == 0
    return str(runs), runs / said(capsys)[-1]["run"]


def files(folder: Path) -> dict[str, bytes]:
    """What a run's folder holds, its lock aside."""
    found = (file for file in folder.glob("**/*") if file.is_file() and file.name != "lock")
    return {str(file.relative_to(folder)): file.read_bytes() for file in found}


def test_a_run_that_is_done_is_not_resumed(done: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    runs, folder = done
    before = files(folder)
    assert cli.main(["train", "--resume", folder.name, "--runs", runs]) == 2
    assert "is done" in capsys.readouterr().err
    assert files(folder) == before


@pytest.mark.parametrize(
    "option",
    [
        ["--method", "lora"],
        ["--model", "storybook"],
        ["--data", "persona"],
        ["--set", "rank=8"],
        ["--steps", "9"],
        ["--plan", "plan.json"],
        ["--name", "mine"],
    ],
)
def test_a_resumed_run_takes_no_option_of_a_new_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    run = Runs(tmp_path).create(Plan())
    assert cli.main(["train", "--resume", run.id, "--runs", str(tmp_path), *option]) == 2
    assert f"{option[0]} and --resume cannot be used together" in capsys.readouterr().err
    assert not run.events()


def test_a_plan_in_a_file_takes_no_option_that_it_settles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(Plan().to_dict()), encoding="utf-8")
    assert cli.main(["train", "--plan", str(file), "--method", "ia3", "--runs", str(tmp_path / "runs")]) == 2
    assert "--method and --plan cannot be used together" in capsys.readouterr().err
    assert not Runs(tmp_path / "runs").all()


def test_a_run_whose_data_changed_is_continued_only_if_that_is_accepted(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from lab.training.loop import train as training

    file, runs = tmp_path / "rows.jsonl", tmp_path / "runs"

    def write(count: int) -> None:
        rows = [{"prompt": f"say {number}", "reply": f"{number}!"} for number in range(count)]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    write(80)
    run, stop = Runs(runs).create(quick(base, str(file), eval_every=0)), threading.Event()
    for event in run.record(training(run.plan, stop, run.folder)):
        if isinstance(event, Step):
            stop.set()
    write(95)
    before = files(run.folder)
    assert cli.main(["train", "--resume", run.id, "--runs", str(runs)]) == 2
    told = capsys.readouterr().err
    assert "The data changed since this run began: 80 rows then, 95 now." in told
    assert "--accept-changes" in told
    assert files(run.folder) == before
    assert cli.main(["train", "--resume", run.id, "--runs", str(runs), "--accept-changes"]) == 0
    assert "note: The data changed since this run began" in capsys.readouterr().out
    assert run.status == "done"


def test_a_new_run_has_no_changes_to_accept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "--accept-changes", "--runs", str(tmp_path)]) == 2
    assert "goes with --resume" in capsys.readouterr().err
    assert not Runs(tmp_path).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"seed": Infinity}', "Infinity is not a number"),
        (b'{"seed": NaN}', "NaN is not a number"),
        (b'{"seed": 1e999}', "too large"),
        (b'{"seed": 1' + b"0" * 400 + b"}", "too large"),
        (b'{"seed": 1' + b"0" * 5000 + b"}", "too large"),
        (b'{"seed": 1, "seed": 2}', "'seed' twice"),
        (b'{"seed": true}', "whole number"),
        (b'{"seed": 0.5}', "whole number"),
        (b'{"settings": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"settings": {"x": ' + b"[" * 70 + b"]" * 70 + b"}}", "nested too deeply"),
        (b'{"settings": {"x": ' + b"[" * 20 + b"]" * 20 + b"}}", "nested too deeply"),
        (b'{"settings": {"target_modules": 5}}', "must be names"),
        (b'{"settings": {"target_modules": {"q_proj": 1}}}', "must be names"),
        (b'{"settings": {"rank": [8]}}', "must be a number"),
        (b'{"settings": {"rank": true}}', "must be a number"),
        (b'{"settings": {"rank": 1' + b"0" * 250 + b"}}", "cannot be 1e+250"),
        (b'{"training": {"schedule": ["cosine"]}}', "must be text"),
        (b'{"training": {"sample": "\\ud800"}}', "half a surrogate pair"),
        (b'{"model": 5}', "must be text"),
        (b'{"model": null}', "must be text"),
        (b"\xff\xfe", "not UTF-8"),
        (b"", "no plan"),
        (b"[]", "must be a table"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_plan_that_is_none_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: bytes, words: str
) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(text)
    assert cli.main(["train", "--plan", str(file), "--runs", str(tmp_path / "runs")]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert len(told) < 400
    assert "unexpected" not in told


@pytest.mark.parametrize("name", ["", "none.json"])
def test_a_folder_or_nothing_in_place_of_a_plan_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert cli.main(["train", "--plan", str(tmp_path / name), "--runs", str(tmp_path / "runs")]) == 2
    assert "cannot be read: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("steps=" + "9" * 400, "must be a whole number"),
        ("seed=" + "9" * 5000, "must be a whole number"),
        ("seed=Infinity", "must be a whole number"),
        ("learning_rate=" + "9" * 400, "must be a finite number"),
        ("rank=nan", "must be a whole number"),
        ("schedule=" + "x" * 5000, "cannot be 'xxx"),
        ("x" * 5000 + "=1", "has no setting"),
        ("sample=\udcff", "not Unicode"),
    ],
    ids=lambda text: text[:20].encode("ascii", "replace").decode(),
)
def test_a_setting_that_is_none_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, words: str
) -> None:
    assert cli.main(["train", "--set", setting, "--runs", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "unexpected" not in told
    assert len(told) < 1500


def test_steps_that_are_given_twice_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "--steps", "3", "--set", "steps=nan", "--runs", str(tmp_path / "runs")]) == 2
    assert "given twice" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("command", [["runs"], ["show", "x"], ["delete", "x"], ["export", "x"]])
def test_looking_at_runs_creates_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert cli.main([*command, "--runs", str(tmp_path / "none")]) == 2
    assert "no folder of runs" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
