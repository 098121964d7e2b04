"""Conversations as rows: a list of messages becomes what is asked and what is answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
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


class Flatten:
    """Puts the columns `prompt` and `reply` in the place of messages, row by row: the first row says where these are.

    A message is {"role", "content"} or {"from", "value"}. The prompt is everything before the last answer, one
    message a paragraph; a row without an answer has neither. Rows of a table without messages, or with such columns
    already, stay as they are. `conversations` is None for them.
    """

    def __init__(self) -> None:
        self.conversations: Conversations | None = None
        self._begun = False

    def __call__(self, row: Row) -> Row:
        if not self._begun:
            self._begun = True
            column = next((name for name in COLUMNS if isinstance(row.get(name), list)), "")
            if column and PROMPT not in row and REPLY not in row:
                self.conversations = Conversations(column, parts=False, gaps=False)
        if self.conversations:
            self._flatten(row, self.conversations)
        return row

    def _flatten(self, row: Row, conversations: Conversations) -> None:
        items = row.pop(conversations.column, None) or ()
        messages = [item for item in items if isinstance(item, dict)]
        contents = [item.get("content") or item.get("value") or "" for item in messages]
        gaps = len(messages) < len(items)
        parts = not all(isinstance(content, str) for content in contents)
        if gaps or parts:
            self.conversations = replace(
                conversations, parts=parts or conversations.parts, gaps=gaps or conversations.gaps
            )
        roles = [item.get("role") or item.get("from") for item in messages]
        last = max((number for number, role in enumerate(roles) if role in ASSISTANT), default=0)
        if last:
            row[PROMPT] = "\n\n".join(text for content in contents[:last] if (text := words(content)))
            row[REPLY] = words(contents[last])


def words(content: Any) -> str:
    """The text of a message's content: a text itself, or a list of parts of which those that hold text are joined.

    Empty where there is none, as in a message that only calls a tool.
    """
    if isinstance(content, list):
        texts = [part.get("text") if isinstance(part, dict) else part for part in content]
        return "\n".join(text for text in texts if text and isinstance(text, str))
    return content if isinstance(content, str) else ""
