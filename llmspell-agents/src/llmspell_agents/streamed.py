"""One answer of a model, told piece by piece as it comes."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmspell_agents.guardrails.turn import GuardedTurn
    from llmspell_agents.partials import Partials
    from llmspell_agents.requests import ModelCaller
    from llmspell_core.provider import CallDelta, ModelDelta, ModelRequest, ModelResponse
    from llmspell_core.run_events import RunEvents


async def streamed(
    models: ModelCaller,
    request: ModelRequest,
    events: RunEvents,
    said: list[str],
    *,
    live: bool,
    partials: Callable[[], Partials | None] | None = None,
    guard: GuardedTurn | None = None,
) -> ModelResponse | None:
    """Ask for an answer and tell its pieces; None when the model gave none.

    Args:
        models: who asks
        request: what is asked
        events: who is told
        said: gets the text as it comes: what is there when the answer breaks off
        live: whether the text is told as it comes; its caller tells it otherwise
        partials: makes what reads an answer that is data, for each attempt
        guard: nothing is told before the input has passed it, nor arguments that it checks
    """
    events.request_started()
    response = None
    reader = partials() if partials else None
    async with aclosing(models.stream(request)) as deltas:
        async for delta in deltas:
            if guard is not None:
                await guard.passed()
            if delta.restart:
                reader = partials() if partials else None
            if reader is not None:
                reader.tell(delta, events)
            if delta.reasoning:
                events.reasoning(delta.reasoning)
            _keep(delta, said)
            if delta.text and live:
                events.text(delta.text)
            owned = reader is not None and delta.call is not None and reader.owns(delta.call)
            if delta.call is not None and not owned and not (guard and guard.checks_arguments):
                _tell_call(delta.call, events)
            response = delta.response or response
            if events.crowded:
                await events.room()
    if response is not None:
        events.usage(response.usage)
    return response


def _keep(delta: ModelDelta, said: list[str]) -> None:
    if delta.restart:
        said.clear()
    if delta.text:
        said.append(delta.text)


def _tell_call(piece: CallDelta, events: RunEvents) -> None:
    if piece.name:
        events.tool_call_started(piece.index, piece.name, piece.id)
    if piece.arguments:
        events.tool_call_delta(piece.index, piece.arguments)
