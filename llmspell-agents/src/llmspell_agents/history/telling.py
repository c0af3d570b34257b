"""What is told when the view of a conversation was made smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext


def compacted(
    ctx: ExecutionContext,
    name: str,
    id: str,
    *,
    tokens: tuple[int, int],
    messages: tuple[int, int],
    steps: list[str],
) -> None:
    """Tell the run's own stream and its bus (`agent.compacted`).

    Args:
        ctx: the run
        name: the agent's
        id: the agent's
        tokens: of the request, before and after, as they are guessed
        messages: of the request, before and after
        steps: what was done
    """
    if ctx.run_events is not None:
        ctx.run_events.compacted(" ".join(steps), messages=messages, tokens=tokens)
    data = {
        "name": name,
        "id": id,
        "run_id": ctx.run_id,
        "before_tokens": tokens[0],
        "after_tokens": tokens[1],
        "before_messages": messages[0],
        "after_messages": messages[1],
        "steps": steps,
    }
    ctx.events.emit(
        "agent.compacted", data, correlation_id=ctx.correlation_id, language=ctx.language
    )
