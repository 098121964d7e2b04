"""A shared lab has no token of the Hub to give away, wherever its owner keeps one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import tiny
from tests.hub_double import HubDouble

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "hf_of_the_owner"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubDouble]:
    base = tiny.save(tmp_path / "tiny", "llama", "generate")
    files = {file.name: file.read_bytes() for file in base.iterdir() if file.is_file()}
    with HubDouble() as double:
        double.token = TOKEN
        double.add("lab/open", files)
        double.add("lab/private", files, gated=True)
        yield double


def run(code: str, tmp_path: Path, hub: HubDouble, **variables: str) -> str:
    """What the code prints in a process of an owner who has a home of their own."""
    dropped = ("HF_", "HUGGING", "XDG_", "SPACE_ID")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    environment |= {"HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "runs")],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def write(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(TOKEN, encoding="utf-8")
    return str(file)


#: The ways in which an owner has a token: in a file below home, in one named by a variable, in a variable.
KEPT = {
    "home": lambda folder: (write(folder / "home/.cache/huggingface/token"), {})[1],
    "XDG_CACHE_HOME": lambda folder: (
        write(folder / "xdg/huggingface/token"),
        {"XDG_CACHE_HOME": str(folder / "xdg")},
    )[1],
    "HF_HOME": lambda folder: (write(folder / "hf/token"), {"HF_HOME": str(folder / "hf")})[1],
    "HF_TOKEN_PATH": lambda folder: {"HF_TOKEN_PATH": write(folder / "token")},
    "HF_TOKEN": lambda folder: {"HF_TOKEN": TOKEN},
    "HUGGING_FACE_HUB_TOKEN": lambda folder: {"HUGGING_FACE_HUB_TOKEN": TOKEN},
    "staging": lambda folder: (
        write(folder / "home/.cache/huggingface_staging/token"),
        {"HUGGINGFACE_CO_STAGING": "1"},
    )[1],
}

ASK = (
    "import sys\n"
    "from pathlib import Path\n"
    "if {withheld}:\n"
    "    from lab.hosting.credentials import withhold\n"
    "    withhold(Path(sys.argv[1]))\n"
    "from huggingface_hub import HfApi, get_token, hf_hub_download\n"
    "print(get_token())\n"
    "import os\n"
    "for work in (lambda: HfApi(token=True, endpoint=os.environ['HF_ENDPOINT']).repo_info('lab/open'),\n"
    "             lambda: hf_hub_download('lab/private', 'config.json', endpoint=os.environ['HF_ENDPOINT'])):\n"
    "    try:\n"
    "        work()\n"
    "    except Exception as error:\n"
    "        print(type(error).__name__)\n"
)


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("withheld", [True, False])
def test_a_token_is_found_nowhere(kept: str, withheld: bool, hub: HubDouble, tmp_path: Path) -> None:
    """Without the lab's part the same process finds it and sends it."""
    said = run(ASK.format(withheld=withheld), tmp_path, hub, **KEPT[kept](tmp_path)).split()
    if withheld:
        assert said == ["None", "LocalTokenNotFoundError", "GatedRepoError"]
        assert hub.authorizations == []
        assert any("config.json" in line for line in hub.asked)
    else:
        assert said[0] == TOKEN
        assert f"Bearer {TOKEN}" in hub.authorizations


LIBRARIES = """
import sys
from pathlib import Path
from lab.hosting.credentials import withhold
withhold(Path(sys.argv[1]))
import datasets, huggingface_hub
from peft import PromptTuningConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from lab.models import loading
from tests import tiny

def prompt():
    given = {"token": True}
    config = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2, prompt_tuning_init="TEXT",
        prompt_tuning_init_text="a", tokenizer_name_or_path="lab/private", tokenizer_kwargs=given)
    get_peft_model(tiny.model("llama", "generate"), config)

works = {
    "lab": lambda: loading.tokenizer("lab/open"),
    "transformers": lambda: AutoTokenizer.from_pretrained("lab/private", token=True),
    "model": lambda: AutoModelForCausalLM.from_pretrained("lab/private", token=True),
    "peft": prompt,
    "datasets": lambda: datasets.load_dataset("lab/private", token=True),
    "files": lambda: huggingface_hub.HfFileSystem(token=True).ls("lab/private"),
}
for name, work in works.items():
    try:
        work()
        print(name, "done")
    except Exception as error:
        print(name, "refused")
"""


def test_no_library_sends_it(hub: HubDouble, tmp_path: Path) -> None:
    """With a token in every place at once, and asked for by its name."""
    variables: dict[str, str] = {"FSSPEC_HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}
    for keep in (KEPT["home"], KEPT["HF_TOKEN"], KEPT["HUGGING_FACE_HUB_TOKEN"]):
        variables |= keep(tmp_path)
    (tmp_path / "home/.netrc").write_text(f"machine 127.0.0.1 login owner password {TOKEN}\n", encoding="utf-8")
    said = run(LIBRARIES, tmp_path, hub, **variables).splitlines()
    assert said == [
        "lab done",
        *(f"{name} refused" for name in ("transformers", "model", "peft", "datasets", "files")),
    ]
    assert hub.authorizations == []
    assert len(hub.asked) > 5


WHERE = (
    "import sys\n"
    "from pathlib import Path\n"
    "from lab.hosting.credentials import withhold\n"
    "withhold(Path(sys.argv[1]))\n"
    "from huggingface_hub import constants\n"
    "print(constants.HF_HUB_CACHE)"
)


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({}, "runs/.hub/hub"),
        ({"HF_HOME": "~/hf"}, "runs/.hub/hub"),
        ({"HF_HUB_CACHE": "~/cache"}, "home/cache"),
        ({"SPACE_ID": "somebody/lab"}, "home/.cache/huggingface/hub"),
        ({"SPACE_ID": "somebody/lab", "HF_HOME": "~/hf"}, "home/hf/hub"),
    ],
    ids=str,
)
def test_where_downloads_go(variables: dict[str, str], folder: str, hub: HubDouble, tmp_path: Path) -> None:
    """Not to the owner's own cache, in which private models may lie, unless it was put there for the lab."""
    assert run(WHERE, tmp_path, hub, **variables) == str(tmp_path / folder)


def test_a_lab_that_cannot_withhold_it_does_not_start(hub: HubDouble, tmp_path: Path) -> None:
    code = (
        "import sys, huggingface_hub.constants\n"
        "from lab.cli import serve\n"
        "print(serve.main(['--public', '--runs', sys.argv[1]]))"
    )
    write(tmp_path / "home/.cache/huggingface/token")
    assert run(code, tmp_path, hub) == "2"
