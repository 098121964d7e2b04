"""Patterns in the card of a data set: the files that `datasets` finds, and nothing outside of the repository."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from datasets.data_files import resolve_pattern

from lab.data import dataset_card, remote
from lab.errors import LabError
from lab.models import hub as client
from tests.alarm import within

NAMES = (
    "a.csv",
    "data/train-00000-of-00002.csv",
    "data/train-00001-of-00002.csv",
    "data/test-0.csv",
    "data/.hidden.csv",
    "data/__cache__/x.csv",
    "data/deep/er/b.csv",
    "data/config.json",
    ".dot/c.csv",
    "en/x1.csv",
    "de/x1.csv",
    "de/x22.csv",
)


def card(*patterns: str, **config: object) -> bytes:
    files = [{"split": "train", "path": list(patterns)}]
    told = {"configs": [{"config_name": "default", "data_files": files, **config}]}
    return f"---\n{yaml.safe_dump(told)}---\n# A data set\n".encode()


@pytest.mark.parametrize(
    "pattern",
    [
        "*.csv",
        "data/*",
        "data/**",
        "**",
        "**/*",
        "data/train-*",
        "./data/train-*.csv",
        "**/x?.csv",
        "d[ae]*/*1*",
        "a.csv",
        "data/config.json",
        "**/.*",
        ".dot/*",
        "**/__*/*",
        "*/*[0-9]-of-*",
    ],
)
def test_a_pattern_names_the_files_that_datasets_finds(pattern: str, tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = [Path(file).relative_to(tmp_path).as_posix() for file in resolve_pattern(pattern, str(tmp_path))]
    assert sorted(expected) == dataset_card.matches(pattern, NAMES)


OUTSIDE = (
    "/etc/*",
    "/etc/passwd",
    "/no/such/file",
    "../*",
    "data/../../*",
    "~/x",
    "http://localhost/x.csv",
    "hf://datasets/a/b/*",
    "zip://*::a.zip",
    "file:/etc/passwd",
    "C:\\x",
    "C:/x",
)


@pytest.mark.parametrize("pattern", OUTSIDE)
def test_a_pattern_that_leads_elsewhere_is_refused_whatever_is_there(pattern: str) -> None:
    for text in (card(pattern), card("a.csv", data_dir=pattern)):
        with pytest.raises(LabError, match="which is not in its repository"):
            dataset_card.resolved(text, NAMES)


#: A name of a file on which a pattern of some stars keeps `re` busy for years.
LONG = "a" * 200 + ".csv"


def test_no_pattern_keeps_the_lab_busy() -> None:
    with within(20):
        for pattern in ("*a" * 40 + "b.csv", "**/" + "*a" * 40 + "b", "[ab]*" * 30 + "!"):
            with pytest.raises(LabError):
                dataset_card.matches(pattern, [LONG])


def test_fields_of_every_form_are_read() -> None:
    train = NAMES[1:3]
    for files in ("data/train-*", ["data/train-*"], [{"split": "train", "path": "data/train-*"}]):
        told = f"---\n{yaml.safe_dump({'configs': [{'config_name': 'x', 'data_files': files}]})}---\n".encode()
        read = yaml.safe_load(dataset_card.resolved(told, NAMES).split("---")[1])["configs"][0]["data_files"]
        assert (read[0]["path"] if isinstance(read[0], dict) else read) == list(train)
    below = yaml.safe_load(dataset_card.resolved(card("train-*", data_dir="data"), NAMES).split("---")[1])
    assert below["configs"][0]["data_files"][0]["path"] == [name.removeprefix("data/") for name in train]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (card("*.parquet"), "matches"),
        (card("/etc/passwd"), "not in its repository"),
        (card("/no/such"), "not in its repository"),
        (b"---\nconfigs: [\n---\n", "cannot be told"),
        (b"---\nconfigs: 5\n---\n", "cannot be told"),
    ],
)
def test_a_card_of_the_hub_that_cannot_be_read_is_a_sentence(
    text: bytes, words: str, hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PATIENCE", 9.0)
    hub.add("lab/set", {"a.csv": b"text,label\na,b\n", "README.md": text}, kind="dataset")
    with pytest.raises(LabError, match=words) as caught:
        remote.read_hub("lab/set")
    assert caught.value.hint


def test_a_card_is_bounded() -> None:
    with pytest.raises(LabError, match="MB"):
        dataset_card.resolved(b" " * (dataset_card.LARGEST + 1), NAMES)
