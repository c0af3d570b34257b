"""What is kept of a turn that was cut off: calls with their results, and an answer at the end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llmspell_agents.history.repair import INTERRUPTED
from llmspell_core.errors import LLMSpellError
from llmspell_core.messages import Message

if TYPE_CHECKING:
    from llmspell_agents.chain import Leg
    from llmspell_agents.loop import AgentLoop
    from llmspell_core.messages import AgentOutput

#: Stands for the answer that did not come.
NO_ANSWER = "[interrupted]"


def closed(messages: list[Message]) -> list[Message]:
    """The messages of a turn, closed: each call has a result, and an answer ends the turn."""
    kept: list[Message] = []
    waiting: list[str] = []
    for message in messages:
        if message.role == "tool":
            if message.tool_call_id in waiting:
                waiting.remove(message.tool_call_id)
                kept.append(message)
            continue
        kept.extend(map(_no_result, waiting))
        waiting = [call.id for call in message.tool_calls]
        kept.append(message)
    kept.extend(map(_no_result, waiting))
    if not kept or kept[-1].role != "assistant" or kept[-1].tool_calls:
        # Not every service takes two messages of the user in a row.
        kept.append(Message(role="assistant", content=NO_ANSWER))
    return kept


def was_cut_off(error: BaseException) -> bool:
    """Whether a run did not fail, but was cancelled, by somebody or by its deadline."""
    if isinstance(error, LLMSpellError):
        return error.code in ("agent.timeout", "cancelled")
    return isinstance(error, asyncio.CancelledError)


async def run_kept(loop: AgentLoop, user: list[Message], leg: Leg | None) -> AgentOutput:
    """The loop's output; what was said is written into the leg when it is cut off.

    Without a leg nothing is.
    """
    try:
        return await loop.run()
    except BaseException as error:
        if leg is not None and was_cut_off(error):
            leg.note(closed([*user, *loop.added]))
        raise


def _no_result(call_id: str) -> Message:
    return Message(role="tool", content=INTERRUPTED, tool_call_id=call_id)
