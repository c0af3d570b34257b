"""`Conversation`: what an agent and its user said, and how much of it a model is shown."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from llmspell_core.messages import Message

if TYPE_CHECKING:
    from llmspell_core.component import BaseAgent


class Conversation:
    """The messages of one conversation; `lock` is held for a turn, so that a second waits.

    Whole turns are appended when they are over: a turn that failed leaves nothing behind, and
    the messages can always be sent.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        #: Who answers the next turn, once the first agent has handed the conversation over.
        self.holder: BaseAgent | None = None
        self.lock = asyncio.Lock()

    def add_turn(self, messages: list[Message]) -> None:
        """Append a finished turn."""
        self.messages.extend(messages)

    def clear(self) -> None:
        """Forget everything."""
        self.messages.clear()

    def to_script(self) -> list[dict[str, Any]]:
        """The messages as scripts see them."""
        return [message_data(message) for message in self.messages]


def message_data(message: Message) -> dict[str, Any]:
    """A message as data: absent fields left out."""
    data: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.tool_calls:
        data["tool_calls"] = [
            {"id": call.id, "name": call.name, "arguments": call.arguments}
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        data["tool_call_id"] = message.tool_call_id
    if message.name:
        data["name"] = message.name
    if message.reasoning is not None:
        data["reasoning"] = message.reasoning.model_dump(exclude_none=True)
    return data


def message_of(data: Any) -> Message:
    """A message from what `message_data` made, perhaps changed by a hook."""
    return data if isinstance(data, Message) else Message.model_validate(data)
