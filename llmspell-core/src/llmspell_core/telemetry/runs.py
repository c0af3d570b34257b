"""The span around a run of an agent, a workflow or a tool."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import error_data
from llmspell_core.journal.paused import Held, Paused
from llmspell_core.run_hooks import Redirect
from llmspell_core.telemetry import names

if TYPE_CHECKING:
    from llmspell_core.messages import Usage
    from llmspell_core.run_call import Call
    from llmspell_core.telemetry import Span, Tracer
    from llmspell_core.telemetry.content import Content

#: The span of the run that ended last in this task: an agent that control is handed to follows it.
ended: ContextVar[Span | None] = ContextVar("llmspell_span_ended", default=None)

_OPERATIONS = {"agent": "invoke_agent", "workflow": "invoke_workflow", "tool": "execute_tool"}


def trace_of_ended() -> dict[str, str]:
    """The `trace` that the run which ended last in this task was part of, for its journal."""
    span = ended.get()
    found = {} if span is None else span.headers()
    return {"trace": found["traceparent"]} if "traceparent" in found else {}


async def traced_run(tracer: Tracer, call: Call, work: Callable[[], Awaitable[Any]]) -> Any:
    """Do the work of a run inside of its span; what is nested in it finds the span in its context.

    A `call.ctx` belongs to this run alone, so that the span can be put there.
    """
    ctx, component, kind = call.ctx, call.component, call.moments.kind
    operation = _OPERATIONS[kind]
    follows, ctx.follows = ctx.follows, None
    span = tracer.start(
        f"{operation} {component.name}",
        "internal",
        {names.OPERATION: operation, **_ATTRIBUTES[kind](call)},
        parent=ctx.span,
        follows=() if follows is None else (follows,),
    )
    ctx.span, call.traced = span, True
    content = tracer.content if tracer.content and tracer.content.on_spans else None
    try:
        with span.active():
            result = await work()
        _result(span, call, result, content)
    except (Redirect, Paused, Held):
        # The other tool has a span of its own; what waits for an approval has not failed.
        raise
    except BaseException as error:
        failed(span, error)
        raise
    finally:
        if content is not None:
            _given(span, call, content)
        span.end()
        ended.set(span)
    return result


def failed(span: Span, error: BaseException) -> None:
    """The work of a span failed, or was cancelled."""
    span.error(code_of(error), str(error))


def code_of(error: BaseException) -> str:
    """Our stable code of an error; ``cancelled`` where nobody waits any more."""
    if isinstance(error, Exception):
        return str(error_data(error)["code"])
    return "cancelled"


def set_usage(span: Span, usage: Usage, cost_usd: float | None) -> None:
    """The tokens and the money of a request or a run."""
    span.set(names.USAGE_INPUT, usage.input_tokens)
    span.set(names.USAGE_OUTPUT, usage.output_tokens)
    for field, attribute in names.USAGE_DETAILS.items():
        span.set(attribute, getattr(usage, field, None) or None)
    span.set(names.COST, cost_usd)


def _agent(call: Call) -> dict[str, Any]:
    component = call.component
    return {
        names.AGENT_ID: component.id,
        names.AGENT_NAME: component.name,
        names.AGENT_DESCRIPTION: component.description or None,
        names.AGENT_VERSION: component.metadata.get("version"),
        names.AGENT_PATH: "/".join(call.ctx.path),
        names.CONVERSATION: conversation_of(call),
    }


def _workflow(call: Call) -> dict[str, Any]:
    return {
        names.WORKFLOW_NAME: call.component.name,
        names.AGENT_PATH: "/".join(call.ctx.path),
    }


def _tool(call: Call) -> dict[str, Any]:
    component = call.component
    return {
        names.TOOL_NAME: component.name,
        names.TOOL_DESCRIPTION: component.description or None,
        names.TOOL_TYPE: "function",
        names.TOOL_CALL_ID: call.call_id,
        names.AGENT_PATH: "/".join(call.ctx.path[:-1]) or None,
    }


_ATTRIBUTES: dict[str, Callable[[Call], dict[str, Any]]] = {
    "agent": _agent,
    "workflow": _workflow,
    "tool": _tool,
}


def conversation_of(call: Call) -> str | None:
    """The session that a run belongs to."""
    given = getattr(call.payload, "session", None)
    if given and isinstance(given, str):
        # What is nested in the run belongs to the same session.
        call.ctx.conversation = given
    return call.ctx.conversation or call.ctx.session_id


def _given(span: Span, call: Call, content: Content) -> None:
    if call.moments.kind == "tool":
        span.set(names.TOOL_ARGUMENTS, content.text(call.payload))
    elif call.moments.kind == "agent" and call.payload.text:
        span.set(names.INPUT_MESSAGES, content.said("user", call.payload.text))


def _result(span: Span, call: Call, result: Any, content: Content | None) -> None:
    kind = call.moments.kind
    if kind == "agent":
        usage = result.metadata.usage
        set_usage(span, usage, usage.cost_usd)
        if content is not None and result.text:
            span.set(names.OUTPUT_MESSAGES, content.said("assistant", result.text))
    elif kind == "tool" and content is not None:
        shown = result.output if result.output is not None else result.result
        span.set(names.TOOL_RESULT, content.text(shown))
    if kind != "tool" and not result.success:
        span.error(str((result.error or {}).get("code", "failed")), "")
