import asyncio
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from lab.cli import serve
from lab.errors import LabError
from lab.paths import ASSETS
from lab.ui import theme
from lab.ui.app import build, launch
from lab.ui.lab import Lab
from lab.ui.tabs import TABS
from tests import ports

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_has_a_place_for_every_tab(lab: Lab) -> None:
    page = build(lab)
    ids = {block.elem_id for block in page.blocks.values()}
    assert {f"tab-{tab.name}" for tab in TABS} <= ids
    assert set(lab.openers) == {tab.name for tab in TABS}
    assert lab.form is not None


def test_no_listener_makes_gradio_look_for_its_outputs(lab: Lab) -> None:
    """Progress of Gradio's own costs every answer a search of the page for each output that ever answered."""
    listeners = build(lab).config["dependencies"]
    assert len(listeners) > 100
    assert not [item["targets"] for item in listeners if item["outputs"] and item["show_progress_on"] != []]


def test_a_page_that_is_asked_nothing_leaves_the_processor_to_the_training(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    enough = threading.Event()
    sleep = asyncio.sleep

    async def counted(seconds: float, *rest: Any) -> Any:
        pauses.append(seconds)
        if len(pauses) == 10:
            enough.set()
        return await sleep(seconds, *rest)

    page = build(lab)
    launch(page, ports.free())
    try:
        monkeypatch.setattr(asyncio, "sleep", counted)
        assert enough.wait(60)
    finally:
        monkeypatch.undo()
        page.close(verbose=False)
    assert min(pauses) >= 0.02  # Gradio's own queue alone would look again after a millisecond


def test_building_the_page_imports_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lab.ui.app import build; from lab.ui.lab import Lab;"
        f"build(Lab(Path({str(tmp_path)!r}))); sys.exit('torch' in sys.modules or 'peft' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120).returncode == 0


def test_the_head_holds_every_script_and_asks_no_other_machine() -> None:
    head = theme.head("/here/plotly.min.js")
    for name in theme.SCRIPTS:
        assert (ASSETS / "js" / f"{name}.js").read_text(encoding="utf-8") in head
    assert "https://" not in head.replace("http://www.w3.org/2000/svg", "")


def test_no_font_is_fetched() -> None:
    assert not theme.theme()._stylesheets


def test_a_port_in_use_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert serve.free_port(port) > port


def test_no_free_port_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "TRIES", 0)
    with pytest.raises(LabError, match="in use"):
        serve.free_port(7860)


def test_a_port_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        serve.options(["--port", "99999"])
    assert ended.value.code == 2
    assert "65535" in capsys.readouterr().err


def test_a_folder_that_cannot_hold_runs_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert serve.main(["--no-browser", "--runs", str(tmp_path / "file" / "runs")]) == 2
    said = capsys.readouterr().err
    assert "Runs cannot be kept" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_told_to_even_if_a_shell_had_ctrl_c_ignored(tmp_path: Path, sent: signal.Signals) -> None:
    command = [sys.executable, "app.py", "--no-browser", "--port", str(ports.free()), "--runs", str(tmp_path)]
    ignoring = ["sh", "-c", f"trap '' INT; exec {shlex.join(command)}"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(ignoring, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert "PEFT Lab is at" in started.stdout.readline()
        started.send_signal(sent)
        assert started.stdout.read().strip() == "Closing: what trains is stopped and kept."
        assert started.wait(30) == 0
