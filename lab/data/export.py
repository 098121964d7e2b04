"""Lines of a script that read the same training rows without the lab.

They use `load_dataset` as one would by hand, and no more than the data need: an empty cell or a text that is cut
costs two lines, a file that is clean none.
"""

from __future__ import annotations

import os
from pathlib import Path

from lab.data.conversations import ASSISTANT, PROMPT, Conversations
from lab.data.files import MAX_CELL, MAX_ROWS, ending
from lab.data.formats.separated import separator
from lab.data.mapping import Mapping
from lab.data.sampling import SEED
from lab.data.source import Table, kind, read
from lab.data.tasks import TaskData, examples, prepare
from lab.plan import CLASSIFY, Data

WORDS = """\
def words(content):
    if isinstance(content, list):
        texts = [part.get("text") if isinstance(part, dict) else part for part in content]
        return "\\n".join(text for text in texts if text and isinstance(text, str))
    return content if isinstance(content, str) else ""

"""

TURNS = f"""\
def turns(messages):
    spoken = [(item.get("role") or item.get("from"), CONTENT) for item in messagesONLY]
    last = max((number for number, (who, _) in enumerate(spoken) if who in {ASSISTANT}), default=0)
    return "\\n\\n".join(text for _, text in spoken[:last] if text), spoken[last][1] if last else ""
"""

CLEAN = f"""\
rows = [tuple("" if cell is None else str(cell).strip()[:{MAX_CELL}] for cell in row) for row in rows]
rows = [row for row in rows if all(cell and cell.lower() not in ("nan", "null") for cell in row)]"""

HELD_OUT = """\
places = [hashlib.sha256(f"{text}\\n{target}".encode()).digest()[0] for text, target in rows]
rows = [row for row, place in zip(rows, places) if place >= BOUND]"""

SOME = f"""\
places = random.Random({SEED}).sample(range(len(rows)), COUNT)
rows = [rows[place] for place in sorted(places)]"""

SHUFFLE = f"random.Random({SEED}).shuffle(rows)"

STRATIFY = """\
sizes, seen = Counter(target for _, target in rows), Counter()


def share(row):
    \"\"\"How much of the target's rows comes before this one: sorted by it, any beginning holds equal shares.\"\"\"
    seen[row[1]] += 1
    return (seen[row[1]] - 1) / sizes[row[1]]


rows = sorted(rows, key=share)[:ROWS]"""

#: The names of the standard library that the lines may need, each with what imports it.
IMPORTS = {
    "Counter": "from collections import Counter",
    "hashlib": "import hashlib",
    "random": "import random",
}


def source(data: Data) -> str:
    """The lines, which leave pairs of texts in `rows` and, for a classifier, its classes in `labels`.

    They need `from datasets import load_dataset` and what `IMPORTS` has for the names in them. Raises LabError as
    `prepare` does.
    """
    table, task = read(data), prepare(data)
    kept = examples(table.train, Mapping(task.task, task.input, task.target), [])
    plain = [(str(row.get(task.input)), str(row.get(task.target))) for row in table.train]
    clean = [(item.input, item.target) for item in kept] == plain
    lines = [*_load(data, table, task), *_pairs(data, table, task, clean)]
    if table.first:
        lines.append(f"rows = rows[:{len(table.train)}]")
    elif len(table.train) == MAX_ROWS:
        lines.append(SOME.replace("COUNT", str(MAX_ROWS)))
    if not clean:
        lines.append(CLEAN)
    if task.held_out:
        lines.append(HELD_OUT.replace("BOUND", str(task.held_out)))
    if len(task.train) < task.train_total:
        lines += [SHUFFLE, (STRATIFY if task.by_label else "rows = rows[:ROWS]").replace("ROWS", str(data.rows))]
    if task.task == CLASSIFY:
        lines.append(f"labels = {list(task.labels)!r}")
    return "\n".join(lines)


def _load(data: Data, table: Table, task: TaskData) -> list[str]:
    """The line that loads the training rows."""
    name = data.source.strip()
    place = kind(name)
    if place == "hub":
        config = f", {table.config!r}" if table.config else ""
        return [f"table = load_dataset({name!r}{config}, split={table.split!r})"]
    if place == "embedded":
        return [f'table = load_dataset("json", data_files="assets/data/{name}/train.jsonl", split="train")']
    path = Path(os.path.expanduser(name))
    form = {".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}.get(ending(name), "json")
    more = ""
    if form == "csv":
        # As texts, so that "01" stays "01" and "None" is a word.
        columns = ", ".join(f"{column!r}: str" for column in (task.input, task.target))
        sign = separator(path)
        more = f", sep={sign!r}" * (sign != ",") + f", converters={{{columns}}}, keep_default_na=False"
    return [f'table = load_dataset("{form}", data_files={str(path)!r}{more}, split="train")']


def _pairs(data: Data, table: Table, task: TaskData, clean: bool) -> list[str]:
    """The lines that make pairs of the rows."""
    if table.conversations and task.input == PROMPT:
        column = table.conversations.column
        return [_turns(table.conversations), f"rows = [turns(row[{column!r}] or []) for row in table]"]
    source, target = f"row[{task.input!r}]", f"row[{task.target!r}]"
    lines = []
    if task.target in table.named:
        lines.append(f"name = table.features[{task.target!r}].int2str")
        target = f"name({target})"
    if clean:
        source, target = (cell if cell.startswith("name(") else f"str({cell})" for cell in (source, target))
    return [*lines, f"rows = [({source}, {target}) for row in table]"]


def _turns(conversations: Conversations) -> str:
    """The function that makes a pair of texts of a conversation, as simple as these conversations allow."""
    content = 'item.get("content") or item.get("value")'
    turns = TURNS.replace("CONTENT", f"words({content})" if conversations.parts else f'{content} or ""')
    turns = turns.replace("ONLY", " if isinstance(item, dict)" if conversations.gaps else "")
    return WORDS + turns if conversations.parts else turns
