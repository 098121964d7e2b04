"""Conversations as rows: a list of messages becomes what is asked and what is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.data.formats.budget import Row

#: Columns that usually hold a list of messages, and the two columns that are made of one.
COLUMNS = ("messages", "conversations", "conversation")
PROMPT, REPLY = "prompt", "reply"

#: Who speaks in the last message that a model learns to write.
ASSISTANT = ("assistant", "gpt", "model", "bot")


@dataclass(frozen=True)
class Conversations:
    """How the conversations of a table were written: the column of the messages, whether the content of some is more
    than a text, and whether some items are no messages at all."""

    column: str
    parts: bool
    gaps: bool


def flatten(rows: Sequence[Row]) -> Conversations | None:
    """Put the columns `prompt` and `reply` in the place of messages, and return how these were written.

    A message is {"role", "content"} or {"from", "value"}. The prompt is everything before the last answer, one
    message a paragraph; a row without an answer has neither. Tables without messages, and those that have such
    columns already, stay as they are.
    """
    column = next((name for name in COLUMNS if rows and isinstance(rows[0].get(name), list)), "")
    if not column or PROMPT in rows[0] or REPLY in rows[0]:
        return None
    parts = gaps = False
    for row in rows:
        # The messages themselves are dropped: kept beside the two texts, they would take their memory twice.
        items = row.pop(column, None) or ()
        messages = [item for item in items if isinstance(item, dict)]
        gaps |= len(messages) < len(items)
        contents = [item.get("content") or item.get("value") or "" for item in messages]
        parts |= not all(isinstance(content, str) for content in contents)
        roles = [item.get("role") or item.get("from") for item in messages]
        last = max((number for number, role in enumerate(roles) if role in ASSISTANT), default=0)
        if last:
            row[PROMPT] = "\n\n".join(text for content in contents[:last] if (text := words(content)))
            row[REPLY] = words(contents[last])
    return Conversations(column, parts, gaps)


def words(content: Any) -> str:
    """The text of a message's content: a text itself, or a list of parts of which those that hold text are joined.

    Empty where there is none, as in a message that only calls a tool.
    """
    if isinstance(content, list):
        texts = [part.get("text") if isinstance(part, dict) else part for part in content]
        return "\n".join(text for text in texts if text and isinstance(text, str))
    return content if isinstance(content, str) else ""
