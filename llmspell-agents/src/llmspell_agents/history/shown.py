"""Messages as a function of the user's sees them, and what it gives back."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError as PydanticError

from llmspell_agents.conversation import message_data, message_of
from llmspell_core.errors import ValidationError
from llmspell_core.messages import Message
from llmspell_core.schema import describe


def messages_data(messages: list[Message]) -> list[dict[str, Any]]:
    """The messages as data, absent fields left out."""
    return [message_data(one) for one in messages]


def messages_from(given: Any, what: str) -> list[Message] | None:
    """The messages that a function has given: a text, a list of {role, content}; None for nothing.

    Args:
        given: what it has given
        what: the field that it stands in

    Raises `input.invalid` naming the field.
    """
    if given is None:
        return None
    if isinstance(given, str):
        return [Message(role="user", content=given)]
    # An empty table of Lua does not say that it is a list.
    rows = [] if given == {} else given
    if not isinstance(rows, list):
        raise ValidationError(
            f"{what}: a function gives a text or a list of messages, not {describe(given)}"
        )
    try:
        return [message_of(one) for one in rows]
    except PydanticError as error:
        raise ValidationError(f"{what}: no message: {error.errors()[0]['msg']}") from None
