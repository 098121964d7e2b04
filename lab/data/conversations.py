"""Conversations as rows: a list of messages becomes what is asked and what is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lab.data.files import Row

#: Columns that usually hold a list of messages, and the two columns that are made of one.
COLUMNS = ("messages", "conversations", "conversation")
PROMPT, REPLY = "prompt", "reply"

#: Who speaks in the last message that a model learns to write.
ASSISTANT = ("assistant", "gpt", "model", "bot")


def flatten(rows: Sequence[Row]) -> None:
    """Give each row whose messages end with the assistant's the columns `prompt` and `reply`, in place.

    A message is {"role", "content"} or {"from", "value"}. The prompt is everything before the last answer, one
    message a paragraph. Rows without messages, and columns that are already there, stay as they are.
    """
    if not rows or PROMPT in rows[0] or REPLY in rows[0]:
        return
    column = next((name for name in COLUMNS if isinstance(rows[0].get(name), list)), None)
    for row in rows if column else ():
        spoken = [_message(item) for item in row.get(column) or ()]
        last = max((n for n, (who, _) in enumerate(spoken) if who in ASSISTANT), default=0)
        if last:
            row[PROMPT] = "\n\n".join(text for _, text in spoken[:last])
            row[REPLY] = spoken[last][1]


def _message(item: Any) -> tuple[str, str]:
    if not isinstance(item, dict):
        return "", ""
    who, text = item.get("role", item.get("from")), item.get("content", item.get("value"))
    return str(who or "").lower(), text if isinstance(text, str) else ""
