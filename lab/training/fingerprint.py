"""What a run began on, in a few words: its rows and its base, so that a change is noticed when the run goes on.

`run.json` holds the fingerprint of the run's beginning under "fingerprint", and under "accepted" that of a change
which its owner accepted. Runs of older labs have neither.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path
from typing import Any

from lab.data import tasks
from lab.errors import LabError
from lab.events import Warned
from lab.models import loading
from lab.plan import Plan
from lab.runs import Run

#: The files of a base that decide what it computes.
FILES = (
    "config.json", "generation_config.json", "model*.safetensors", "model*.index.json", "tokenizer*", "vocab*",
    "merges.txt", "special_tokens_map.json", "added_tokens.json", "*.model", "*.jinja",
)  # fmt: skip

#: Of a file larger than `WHOLE` bytes only its beginning (in a safetensors file the names and shapes of all tensors)
#: and `BLOCKS` blocks of this many bytes are read, evenly spread: other weights differ nearly everywhere.
WHOLE, BLOCKS, BLOCK = 2**20, 32, 2**12

UNKNOWN = "This run began in a lab that kept no fingerprint of its data and its base."


class ChangedError(LabError):
    """The data or the base are not those that the run began on, and nobody has accepted that."""


@dataclass(frozen=True)
class Fingerprint:
    """`rows` are those of all splits, `data` is a hash of those that are learned from or scored on, with their task
    and columns; `base` is a hash of the model's files, or its commit on the Hub."""

    rows: int
    task: str
    input: str
    target: str
    data: str
    base: str

    @classmethod
    def of(cls, plan: Plan) -> Fingerprint:
        """The fingerprint of what the plan names now. Loads no weights; raises LabError for what cannot be read."""
        data = tasks.prepare(plan.data)
        rows = data.train_total + len(data.validation) + len(data.test)
        return cls(rows, data.task, data.input, data.target, data.digest, base(plan.model))

    @classmethod
    def read(cls, value: Any) -> Fingerprint | None:
        """That of run.json's values; None if it holds none."""
        try:
            return cls(**value)
        except TypeError:
            return None

    def changes(self, now: Fingerprint) -> str:
        """What is different now, in a sentence or two; empty if nothing is."""
        sentences = []
        if since := self._data_changes(now):
            sentences.append(f"The data changed since this run began: {since}.")
        if self.base != now.base:
            commits = [item.removeprefix(COMMIT) for item in (self.base, now.base) if item.startswith(COMMIT)]
            known = len(commits) == 2
            since = f"commit {commits[0][:7]} then, {commits[1][:7]} now" if known else "its files are not the same"
            sentences.append(f"The base changed since this run began: {since}.")
        return " ".join(sentences)

    def _data_changes(self, now: Fingerprint) -> str:
        if self.data == now.data:
            return ""
        if (self.input, self.target) != (now.input, now.target):
            return f"columns '{self.input}' and '{self.target}' then, '{now.input}' and '{now.target}' now"
        if self.task != now.task:
            return f"the task was '{self.task}' then and is '{now.task}' now"
        if self.rows != now.rows:
            return f"{self.rows:,} rows then, {now.rows:,} now"
        return f"{now.rows:,} rows as before, but not the same ones"


def confirm(run: Run, accept: bool = False, hint: str = "") -> None:
    """Look, before a run goes on from its checkpoint, whether it goes on with what it began on.

    With `accept` a change is accepted and written down. Raises ChangedError with `hint` for one that is not. What
    cannot be read any more is not looked at: the training itself will say so.
    """
    about = run.about
    began, accepted = Fingerprint.read(about.get("fingerprint")), Fingerprint.read(about.get("accepted"))
    if began is None:
        return
    try:
        now = Fingerprint.of(run.plan)
    except LabError:
        return
    changes = began.changes(now)
    if not changes or now == accepted:
        return
    if not accept:
        raise ChangedError(changes, hint)
    run.note(accepted=asdict(now))


def note(run: Run, resumed: bool) -> Iterator[Warned]:
    """Write down what a run is trained on that starts, and warn of what changed for one that is resumed.

    Raises ChangedError if nobody accepted a change.
    """
    began = Fingerprint.read(run.about.get("fingerprint"))
    if began is None or not resumed:
        run.note(fingerprint=asdict(Fingerprint.of(run.plan)), accepted=None)
        if resumed:
            yield Warned(UNKNOWN, "Whether they have changed since cannot be told.")
        return
    confirm(run, hint="Continue the run to be asked about it, or start it again from its plan.")
    if changes := began.changes(Fingerprint.of(run.plan)):
        yield Warned(changes, "The run was continued all the same: what it learned before and after is mixed.")


def contents(run: Run) -> str:
    """A hash of what the run began on; empty for a run that has not begun, or of an older lab."""
    began = Fingerprint.read(run.about.get("fingerprint"))
    return f"{began.data} {began.base}" if began else ""


#: What the fingerprint of a base from the Hub begins with.
COMMIT = "commit "


def base(model: str) -> str:
    """The base's commit, if it comes from the Hub, else a hash of its files. Raises LabError if it is not there."""
    folder = loading.folder(model, weights=False)
    if folder.parent.name == "snapshots":  # the Hub's cache names the folder after the commit
        return f"{COMMIT}{folder.name}"
    total = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.is_file() and any(fnmatch(file.name, pattern) for pattern in FILES):
            stat = file.stat()
            total.update(f"{file.name} {_file_digest(file, stat.st_mtime_ns, stat.st_size)}\n".encode())
    return total.hexdigest()


@lru_cache(maxsize=256)
def _file_digest(file: Path, changed: int, size: int) -> str:
    """A hash of the file's bytes, or of a sample of them. `changed` tells a new file under an old name."""
    digest = hashlib.sha256(str(size).encode())
    with file.open("rb") as opened:
        if size <= WHOLE:
            digest.update(opened.read())
        else:
            digest.update(opened.read(2**16))
            for number in range(1, BLOCKS + 1):
                opened.seek(number * (size - BLOCK) // BLOCKS)
                digest.update(opened.read(BLOCK))
    return digest.hexdigest()
