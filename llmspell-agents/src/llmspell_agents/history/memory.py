"""How much of the earlier conversation a run is shown at all: `memory` of an agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmspell_agents.functions import call
from llmspell_agents.history.compaction import SUMMARY
from llmspell_agents.history.shown import messages_data, messages_from
from llmspell_agents.history.sizes import size_of
from llmspell_core.messages import Message

if TYPE_CHECKING:
    from llmspell_agents.history.settings import Memory
    from llmspell_agents.history.summary import Summarizer
    from llmspell_agents.history.view import ViewState


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that is shown: messages, and bytes of them; None where there is no bound."""

    messages: int | None = None
    size: int | None = None

    def hold(self, messages: list[Message]) -> bool:
        """Whether these are not too many."""
        if self.messages is not None and len(messages) > self.messages:
            return False
        return self.size is None or sum(map(size_of, messages)) <= self.size

    def half(self) -> Bounds:
        """Half of them, so that the next turns find room."""
        messages, size = self.messages, self.size
        return Bounds(messages and max(1, messages // 2), size and size // 2)


async def remembered(
    messages: list[Message],
    memory: Memory | None,
    most: int | None,
    state: ViewState,
    summarizer: Summarizer,
) -> list[Message]:
    """What is shown of the messages of earlier turns.

    Args:
        messages: of earlier turns
        memory: the agent's field
        most: the agent's `max_conversation_length`, which counts beside `memory.max_messages`
        state: of the conversation; a summary is made once and goes on being shown
        summarizer: asks for it
    """
    if not messages or (memory is None and most is None):
        return messages
    if memory is not None and callable(memory.strategy):
        given = await call(memory.strategy, messages_data(messages))
        found = messages_from(given, "memory.strategy")
        return messages if found is None else found
    bounds = _bounds(memory, most, state)
    if memory is None or memory.strategy == "truncate":
        return newest(messages, bounds)
    return await _with_summary(messages, bounds, state, summarizer)


def newest(messages: list[Message], bounds: Bounds) -> list[Message]:
    """The newest messages within the bounds, beginning with what a user said."""
    if bounds.hold(messages):
        return messages
    start = 0 if bounds.messages is None else max(0, len(messages) - bounds.messages)
    if bounds.size is not None:
        size, index = 0, len(messages)
        while index > start and size <= bounds.size:
            index -= 1
            size += size_of(messages[index])
        start = index if size <= bounds.size else index + 1
    # A result without its call, or an answer without its question, means nothing.
    for index in range(start, len(messages)):
        if messages[index].role == "user":
            return messages[index:]
    return []


async def _with_summary(
    messages: list[Message], bounds: Bounds, state: ViewState, summarizer: Summarizer
) -> list[Message]:
    count = state.remembered
    if count and (count > len(messages) or messages[count - 1] != state.newest):
        # It was forgotten, and another one has begun.
        state.remembered, state.newest, state.memory = 0, None, ""
    rest = messages[state.remembered :]
    shown = [*_summary(state.memory), *rest]
    if bounds.hold(shown):
        return shown
    left = newest(rest, bounds.half())
    gone = rest[: len(rest) - len(left)]
    text = await summarizer.of(gone, state.memory) if gone else ""
    if not text:
        return newest(rest, bounds)
    state.remembered += len(gone)
    state.newest = gone[-1]
    state.memory = text
    return [*_summary(text), *left]


def _summary(text: str) -> list[Message]:
    return [Message(role="user", content=SUMMARY + text)] if text else []


def _bounds(memory: Memory | None, most: int | None, state: ViewState) -> Bounds:
    own = memory.max_messages if memory else None
    given = [one for one in (most, own) if one is not None]
    tokens = memory.max_tokens if memory else None
    return Bounds(min(given, default=None), tokens and state.gauge.size(tokens))
