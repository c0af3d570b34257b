"""How much of a model's window messages take: bytes, and from them tokens, roughly."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmspell_core.messages import ContentPart, Message
    from llmspell_core.provider import ToolDefinition

BYTES_A_TOKEN = 4
#: What stands around each message, call and tool.
_AROUND = 16
#: A picture, a sound or a file counts like this many bytes of text, however large it is.
_MEDIUM = 4000
#: How far what a service reports may be from the guess; beyond it, it counts something else.
_LEAST, _MOST = 0.7, 3.0
#: Of shorter requests the guess is too rough to learn from.
_ENOUGH = 200


def size_of(message: Message) -> int:
    """The bytes of a message as it is sent, roughly."""
    content = message.content
    size = _AROUND
    if isinstance(content, str):
        size += len(content) if content.isascii() else _bytes(content)
    else:
        size += sum(map(_part, content))
    if message.tool_calls:
        for call in message.tool_calls:
            size += _AROUND + len(call.name) + len(str(call.arguments))
    if message.reasoning is not None and message.reasoning.signature:
        # Without a signature it stays here.
        size += len(str(message.reasoning.signature))
    return size


def sizes_of(messages: list[Message]) -> list[int]:
    """The bytes of each."""
    return [size_of(one) for one in messages]


def size_of_tools(tools: Iterable[ToolDefinition]) -> int:
    """The bytes of the tools that are offered, roughly."""
    return sum(
        _AROUND + len(one.name) + _bytes(one.description) + len(str(one.parameters))
        for one in tools
    )


class Gauge:
    """Tokens of bytes, put right by what the service has counted for the last request."""

    __slots__ = ("ratio",)

    def __init__(self) -> None:
        self.ratio = 1.0

    def tokens(self, size: int) -> int:
        """The tokens that so many bytes are."""
        return round(size / BYTES_A_TOKEN * self.ratio)

    def size(self, tokens: float) -> int:
        """The bytes that so many tokens are."""
        return int(tokens * BYTES_A_TOKEN / self.ratio)

    def learn(self, size: int, tokens: int) -> None:
        """A request of this size had so many tokens; 0 says nothing."""
        guess = size / BYTES_A_TOKEN
        if tokens > 0 and guess >= _ENOUGH:
            self.ratio = min(max(tokens / guess, _LEAST), _MOST)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _part(part: ContentPart) -> int:
    return _bytes(part.text) if part.type == "text" else _MEDIUM
