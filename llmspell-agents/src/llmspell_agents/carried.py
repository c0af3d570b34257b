"""What goes along with a hand-off: messages of the conversation, and keys of the state."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from llmspell_agents.functions import call
from llmspell_agents.history.shown import messages_data, messages_from
from llmspell_core.messages import Message
from llmspell_core.provider import ModelRequest
from llmspell_core.state import StateView
from llmspell_core.state.scopes import scope_for

if TYPE_CHECKING:
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import HandoffRequest

_SUMMARIZE = (
    "Summarize this conversation for the colleague who goes on with it. Keep names, numbers, "
    "decisions and what is still open. Answer with the summary only.\n\n"
)


def agent_state(name: str, ctx: ExecutionContext) -> StateView:
    """The state of one agent: what `get_state` and `State.agent_get` read."""
    return StateView(ctx.runtime.store(), scope_for(ctx, "agent", name), ctx)


async def move_state(
    source: BaseAgent, target: BaseAgent, patterns: list[str], ctx: ExecutionContext
) -> dict[str, Any]:
    """Copy the keys that fit a pattern from one agent's state to another's; gives them."""
    if not patterns:
        return {}
    found = await agent_state(source.name, ctx).all()
    moved = {
        key: value
        for key, value in found.items()
        if any(fnmatchcase(key, pattern) for pattern in patterns)
    }
    state = agent_state(target.name, ctx)
    for key, value in moved.items():
        await state.set(key, value)
    return moved


async def carried_messages(
    history: Any,
    said: list[Message],
    about: HandoffRequest,
    source: BaseAgent,
    ctx: ExecutionContext,
) -> list[Message]:
    """What the target is shown of `said`.

    Args:
        history: all, last, summary, none, or a function of {source, target, reason, input,
            messages} that gives a text, a list of messages, or nothing
        said: the conversation so far
        about: the hand-off
        source: who hands over
        ctx: the run; a summary is asked for in it
    """
    if history == "all" or not said:
        return [*said]
    if history == "none":
        return []
    if history == "last":
        return [one for one in said if one.role == "user"][-1:]
    if history == "summary":
        text = await _summary(said, source, ctx)
        return [Message(role="user", content=f"Summary of the conversation so far:\n{text}")]
    given = await call(
        history,
        {
            "source": source.name,
            "target": about.target,
            "reason": about.reason,
            "input": about.input,
            "messages": messages_data(said),
        },
    )
    return messages_from(given, "history") or []


def settled(messages: list[Message]) -> list[Message]:
    """The messages without a last answer whose calls have no results yet."""
    if messages and messages[-1].role == "assistant" and messages[-1].tool_calls:
        return messages[:-1]
    return messages


async def _summary(said: list[Message], source: BaseAgent, ctx: ExecutionContext) -> str:
    lines = [f"{one.role}: {one.text}" for one in said if one.text]
    question = [Message(role="user", content=_SUMMARIZE + "\n".join(lines))]
    ask = getattr(source, "ask", None)
    if ask is not None:
        return str(await ask(question, ctx))
    return (await ctx.runtime.ask_model(ModelRequest("", question, temperature=0), ctx)).text
