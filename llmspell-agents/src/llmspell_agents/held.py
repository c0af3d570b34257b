"""`Held`: how many bytes of conversation and tool results a run holds, against `max_memory_mb`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmspell_core.account import LimitHit, limit_error
from llmspell_core.tool import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmspell_core.messages import Message, ToolCall

MB = 1024 * 1024


@dataclass(slots=True)
class Held:
    """Counts what comes in; what is over the limit is not kept, and ends the run."""

    most_mb: float
    bytes: int = 0

    def add(self, messages: Iterable[Message], calls: Iterable[ToolCall] = ()) -> None:
        """Count these. Raises `agent.limit_exceeded` with the limit `memory_mb`."""
        for message in messages:
            self.bytes += size_of(message)
        for call in calls:
            # A text result is the message itself.
            if call.result is not None and not isinstance(call.result, str):
                self.bytes += _length(as_text(call.result))
        if self.bytes > self.most_mb * MB:
            hit = LimitHit("memory_mb", self.most_mb, self.bytes / MB)
            error = limit_error(hit, bytes=self.bytes)
            error.hint = "raise max_memory_mb, or let the tools answer with less"
            raise error


def size_of(message: Message) -> int:
    """The bytes of a message: its parts, and the calls in it."""
    content = message.content
    if isinstance(content, str):
        size = _length(content)
    else:
        size = sum(_length(one.text) + len(one.data) + len(one.url) for one in content)
    for call in message.tool_calls:
        size += _length(call.name) + _length(call.raw_arguments or as_text(call.arguments))
    return size


def _length(text: str) -> int:
    # Most texts are plain ASCII, of which the length is known.
    return len(text) if text.isascii() else len(text.encode("utf-8", errors="replace"))
