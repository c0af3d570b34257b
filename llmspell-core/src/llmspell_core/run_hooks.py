"""The hooks around a run: what they see, what their answers mean, what they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_core.errors import HookError
from llmspell_core.hooks import HookContext, HookResult
from llmspell_core.messages import AgentOutput
from llmspell_core.tool import ToolResult

if TYPE_CHECKING:
    from llmspell_core.run_call import Call


class Again(Exception):  # noqa: N818 - control flow of a `retry` answer
    """A hook asked for another attempt."""

    def __init__(self, delay_ms: float) -> None:
        self.delay_ms = delay_ms


class Redirect(Exception):  # noqa: N818 - control flow of a `redirect` answer
    """A hook named another tool."""

    def __init__(self, target: str) -> None:
        self.target = target


async def ask_hooks(
    call: Call, point: str, *, output: Any = None, error: dict[str, Any] | None = None
) -> HookResult:
    """Run the hooks of a point. What they changed is in the call and in `output` then.

    Raises ``hook.cancelled`` for a `cancel`; `Again` and `Redirect` for those answers.
    """
    ctx, component = call.ctx, call.component
    is_tool = call.moments.kind == "tool"
    seen = HookContext(
        point=point,
        component=component.name,
        component_id=component.id,
        operation=call.operation,
        input=None if is_tool else call.payload,
        output=output,
        tool=component.name if is_tool else None,
        arguments=call.payload if is_tool else None,
        error=error,
        metadata={"attempt": call.attempt},
        correlation_id=ctx.correlation_id,
        language=ctx.language,
        state=ctx.state_scope,
        duration_ms=call.elapsed_ms(),
    )
    outcome = await ctx.hooks.run(point, seen)
    if outcome.kind == "cancel":
        raise HookError(
            f"{component.name}: {outcome.reason or 'cancelled by a hook'}",
            details={"point": point, "reason": outcome.reason or ""},
        )
    if outcome.kind == "retry":
        raise Again(outcome.delay_ms)
    if outcome.kind == "redirect" and is_tool and outcome.target:
        raise Redirect(outcome.target)
    _take_changes(call, seen, output)
    return outcome


def _take_changes(call: Call, seen: HookContext, output: Any) -> None:
    """What hooks changed in the context goes into the call and its output."""
    if call.moments.kind == "tool":
        if seen.arguments is not call.payload and isinstance(seen.arguments, dict):
            call.payload = seen.arguments
    elif seen.input is not call.payload:
        call.payload = call.component.read_input(seen.input)
    if output is not None and seen.output is not output:
        _merge_output(output, seen.output)


def shape(call: Call, value: Any) -> Any:
    """A hook's replacement in the type that callers of this kind expect."""
    if call.moments.kind == "tool":
        return ToolResult.of(value)
    if isinstance(value, AgentOutput):
        return value
    text = value if isinstance(value, str) else str(value)
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        text = value["text"]
    return AgentOutput(text=text, data=value, agent=call.component.name)


def _merge_output(output: Any, changed: Any) -> None:
    """Copy a changed output's known fields onto the result object; a plain value is its text."""
    if isinstance(output, ToolResult):
        if isinstance(changed, dict):
            for name in ("result", "output", "text", "metadata"):
                if name in changed:
                    setattr(output, name, changed[name])
        else:
            output.result, output.output = changed, changed
    elif isinstance(changed, dict):
        for name in ("text", "data", "success"):
            if name in changed:
                setattr(output, name, changed[name])
    elif isinstance(changed, str):
        output.text = changed
