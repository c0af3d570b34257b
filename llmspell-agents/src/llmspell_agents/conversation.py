"""`Conversation`: what an agent and its user said, and how much of it a model is shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from llmspell_core.errors import AgentError
from llmspell_core.messages import AgentOutput, Message

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from llmspell_agents.history.view import ViewState
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext

#: The conversations that the present run is a turn of, from the outermost on.
_talking: ContextVar[tuple[object, ...]] = ContextVar("llmspell_conversations", default=())


class Turn(Protocol):
    """One turn of a conversation, from its begin on in one run's hands."""

    #: What was said in earlier turns.
    before: list[Message]
    #: The context that the turn runs in.
    ctx: ExecutionContext

    async def keep(self, said: list[Message]) -> None:
        """What was said in this turn so far, after each step of it."""
        ...

    async def done(self, said: list[Message]) -> None:
        """All that was said in this turn, which is over."""
        ...


class Talk(Protocol):
    """A conversation in which one turn follows the other, wherever it is kept."""

    #: Who answers the next turn, once the first agent has handed the conversation over.
    holder: BaseAgent | None
    #: Those it came from: what they must not do, the holder must not either.
    passed: list[BaseAgent]
    #: What each agent has done to show it, by the agent's id.
    views: dict[str, ViewState]

    def turn(self, ctx: ExecutionContext) -> AbstractAsyncContextManager[Turn]:
        """Wait for the turn before, and begin one. Raises `agent.busy` inside of its own turn."""
        ...


class Conversation:
    """The messages of a conversation that ends with its process.

    Whole turns are appended when they are over: a turn that failed leaves nothing behind, one
    that was cut off leaves what was said, closed. So the messages can always be sent.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.views: dict[str, ViewState] = {}
        self.holder: BaseAgent | None = None
        self.passed: list[BaseAgent] = []
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, ctx: ExecutionContext) -> AsyncIterator[Turn]:
        """One turn; a second one waits for it."""
        with_this = talking_in(self, "the agent's conversation")
        async with self._lock:
            token = _talking.set(with_this)
            try:
                yield _Turn(self, ctx)
            finally:
                _talking.reset(token)

    def add_turn(self, messages: list[Message]) -> None:
        """Append a finished turn."""
        self.messages.extend(messages)


class _Turn:
    def __init__(self, conversation: Conversation, ctx: ExecutionContext) -> None:
        self._conversation = conversation
        self.before = [*conversation.messages]
        self.ctx = ctx

    async def keep(self, said: list[Message]) -> None:
        """Nothing is kept of a turn before it is over."""

    async def done(self, said: list[Message]) -> None:
        self._conversation.add_turn(said)


def talking_in(conversation: object, what: str) -> tuple[object, ...]:
    """The conversations of the present run and this one. Raises `agent.busy` when it is one."""
    already = _talking.get()
    if any(one is conversation for one in already):
        raise AgentError(
            f"{what} is in the middle of a turn, which this call is part of",
            code="agent.busy",
            hint="use execute without a session inside of tools and hooks",
        )
    return (*already, conversation)


def spoken(output: AgentOutput) -> str:
    """The text of an output, which one that paused does not have: `agent.paused`."""
    if output.status != "paused":
        return output.text
    raise AgentError(
        f"agent {output.agent} waits for an approval of "
        + ", ".join(one.tool for one in output.pending),
        code="agent.paused",
        hint="use execute, whose output says so, then resume",
        details={"pending": [one.model_dump() for one in output.pending], "state": output.state},
    )


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
