"""Agents made of code: a function of a script, or of Python, that answers instead of a model."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError as PydanticError

from llmspell_agents.conversation import message_data
from llmspell_core.adapters import component_of
from llmspell_core.callables import arity
from llmspell_core.context import in_context
from llmspell_core.errors import ValidationError
from llmspell_core.messages import AgentInput, AgentOutput, HandoffRequest
from llmspell_core.names import to_snake
from llmspell_core.schema import mistakes_text, pydantic_mistakes
from llmspell_core.script.api import Result, ScriptFunction
from llmspell_core.tool import as_text

if TYPE_CHECKING:
    from llmspell_agents.chain import Leg
    from llmspell_core.context import ExecutionContext

_FIELDS = ("text", "data", "success")


async def call_code(
    function: Callable[..., Any], name: str, input: AgentInput, ctx: ExecutionContext, leg: Leg
) -> AgentOutput:
    """Call the function with the input and the context, and read what it returns.

    A text is the answer; a table may have `text`, `data`, `success` and `handoff_request`;
    any other value is the answer's `data`.
    """

    async def work(ctx: ExecutionContext) -> Any:
        if isinstance(function, ScriptFunction):
            return await function(_for_script(input), _context(ctx, leg))
        value = function(*(input, ctx)[: arity(function)])
        return await value if inspect.isawaitable(value) else value

    # What it calls finds the run as the agent may use it.
    return read_output(await in_context(ctx, work), name)


def read_output(value: Any, name: str) -> AgentOutput:
    """An AgentOutput of what a code agent returned."""
    if isinstance(value, AgentOutput):
        return value
    if isinstance(value, dict) and ("handoff_request" in value or "handoffRequest" in value):
        request = value.get("handoff_request", value.get("handoffRequest"))
        return AgentOutput(
            text=as_text(value.get("text")),
            data=value.get("data"),
            agent=name,
            handoff_request=_handoff(request, name),
        )
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        known = {key: value[key] for key in _FIELDS if key in value}
        return AgentOutput(agent=name, **known)
    return AgentOutput(
        text=as_text(value), data=None if isinstance(value, str) else value, agent=name
    )


def _handoff(request: Any, name: str) -> HandoffRequest:
    if isinstance(request, dict):
        # A script writes a request as it writes an entry of `handoffs`.
        request = {to_snake(key): value for key, value in request.items() if value is not None}
        agent = component_of(request.get("target"))
        if agent is not None:
            request = {**request, "target": agent.name, "agent": agent}
        if request.get("state_filter") == {}:
            request["state_filter"] = []
    try:
        return HandoffRequest.model_validate(request)
    except PydanticError as error:
        mistakes = mistakes_text(pydantic_mistakes(error))
        raise ValidationError(f"handoff_request of {name}: {mistakes}") from None


def _for_script(input: AgentInput) -> Any:
    """A plain text as itself, anything more as its fields."""
    data = {key: value for key, value in input.model_dump().items() if value not in (None, "", [])}
    data = {key: value for key, value in data.items() if value != {}}
    if set(data) <= {"text"}:
        return input.text
    return input.value if set(data) == {"value"} else Result(data)


def _context(ctx: ExecutionContext, leg: Leg) -> Result:
    fields: dict[str, Any] = {
        "run_id": ctx.run_id,
        "correlation_id": ctx.correlation_id,
        "path": [*ctx.path],
        "remaining_ms": ctx.remaining_ms(),
        "deps": ctx.deps,
    }
    if leg.source:
        fields["handoff"] = Result(
            {
                "source": leg.source,
                "reason": leg.reason,
                "state": leg.state,
                "messages": [Result(message_data(one)) for one in leg.carried],
            }
        )
    return Result({key: value for key, value in fields.items() if value is not None})
