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


def column(rows: Sequence[Row]) -> str:
    """The column that holds lists of messages; empty if there is none."""
    return next((name for name in COLUMNS if rows and isinstance(rows[0].get(name), list)), "")


def flatten(rows: Sequence[Row]) -> None:
    """Give each row whose messages hold an answer the columns `prompt` and `reply`, in place.

    A message is {"role", "content"} or {"from", "value"}. The prompt is everything before the last answer, one
    message a paragraph. Rows without messages, and tables that have such columns already, stay as they are.
    """
    talk = column(rows)
    if not talk or PROMPT in rows[0] or REPLY in rows[0]:
        return
    for row in rows:
        spoken = [_message(item) for item in row.get(talk) or ()]
        last = max((n for n, (who, _) in enumerate(spoken) if who in ASSISTANT), default=0)
        if last:
            row[PROMPT] = "\n\n".join(text for _, text in spoken[:last] if text)
            row[REPLY] = spoken[last][1]


def _message(item: Any) -> tuple[str, str]:
    """Who speaks, and the text that is said."""
    if not isinstance(item, dict):
        return "", ""
    return str(item.get("role") or item.get("from") or ""), words(item.get("content") or item.get("value"))


def words(content: Any) -> str:
    """The text of a message's content: a text itself, or a list of parts of which those that hold text are joined.

    Empty where there is none, as in a message that only calls a tool.
    """
    if isinstance(content, list):
        texts = [part.get("text") if isinstance(part, dict) else part for part in content]
        return "\n".join(text for text in texts if text and isinstance(text, str))
    return content if isinstance(content, str) else ""
