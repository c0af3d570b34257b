"""Asking about a tool's call: whether it must be, who answers, and what the answer changes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from llmspell_core.approval import ApprovalAnswer, ApprovalRequest
from llmspell_core.callables import arity
from llmspell_core.errors import LLMSpellError, PolicyError, ValidationError
from llmspell_core.script.api import Result, ScriptFunction

if TYPE_CHECKING:
    from llmspell_core.approval import Approver
    from llmspell_core.context import ExecutionContext
    from llmspell_core.run_call import Call
    from llmspell_core.tool import Tool

#: In `requires_approval`: only where the policy asks, as without it.
BY_POLICY = "policy"


@dataclass(slots=True)
class Asking:
    """One call that is asked about. `arguments` are the real ones, with secrets in them."""

    request: ApprovalRequest
    tool: Tool
    arguments: dict[str, Any]
    ctx: ExecutionContext


@runtime_checkable
class RunApprover(Protocol):
    """An approver of our own, which knows the call itself and not only what is shown of it."""

    async def answer(self, asking: Asking) -> ApprovalAnswer:
        """The decision about one call."""


async def answer_by(approver: Approver, asking: Asking) -> ApprovalAnswer:
    """What an approver decides about a call."""
    if isinstance(approver, RunApprover):
        return await approver.answer(asking)
    return with_hidden(await approver.ask(asking.request), asking)


def with_hidden(answer: ApprovalAnswer, asking: Asking) -> ApprovalAnswer:
    """An answer whose edited arguments have again what was hidden from whoever answered."""
    if answer.kind != "edit" or answer.arguments is None:
        return answer
    shown = asking.request.arguments
    return ApprovalAnswer.edit(_restored(answer.arguments, shown, asking.arguments))


async def wants_approval(tool: Tool, params: dict[str, Any], ctx: ExecutionContext) -> str:
    """Why the tool itself wants this call to be asked about; "" when it does not."""
    wanted = tool.requires_approval
    if callable(wanted):
        try:
            wanted = await _called(wanted, params, ctx)
        except LLMSpellError as error:
            # Whoever cannot say whether it is dangerous does not make it harmless.
            return f"requires_approval failed: {error.message}"
        except Exception as error:  # noqa: BLE001 - a tool's own function may raise anything
            return f"requires_approval failed: {type(error).__name__}"
    if not wanted or wanted == BY_POLICY:
        return ""
    return wanted if isinstance(wanted, str) else "requires_approval"


async def admitted(call: Call, tool: Tool, *, chosen_by_model: bool) -> Any:
    """The parsed parameters of a call that may be made.

    Validated first, then checked against the policy; where that or the tool wants it, whoever
    may approve is asked. The time that takes is not the tool's: its deadline moves.

    Raises `input.invalid`, `policy.tool`, `tool.not_approved`.
    """
    ctx, params = call.outer, call.payload
    parsed = tool.validate(params)
    if params == call.approved:
        return parsed
    why = await wants_approval(tool, params, ctx) if tool.requires_approval else ""
    policy = ctx.policy
    verdict = policy.check_tool(
        tool, chosen_by_model=chosen_by_model, wanted=bool(why), run_id=ctx.run_id
    )
    if verdict == "allow":
        return parsed
    rule = policy.asks_about(tool, chosen_by_model=chosen_by_model)
    asking = Asking(
        ApprovalRequest(
            tool=tool.name,
            arguments=ctx.runtime.redactor.value(params),
            reason=_reason(tool, why),
            description=tool.description,
            path=ctx.path,
            correlation_id=ctx.correlation_id,
            id=call.call_id or "",
            asked_by="policy" if rule or not tool.script_approves else "tool",
        ),
        tool,
        params,
        ctx,
    )
    began = time.monotonic()
    answer = await _asked(asking)
    call.wait(time.monotonic() - began)
    if answer.kind == "deny":
        raise _refused(tool, answer.message or "not approved")
    if answer.kind == "always":
        await _remember(asking, answer)
    call.approved = params
    if answer.kind != "edit" or answer.arguments is None:
        return parsed
    try:
        parsed = tool.validate(answer.arguments)
    except ValidationError as error:
        raise _refused(
            tool, f"the arguments were changed, and are wrong: {error.message}"
        ) from None
    call.payload = call.approved = answer.arguments
    call.edited = True
    return parsed


async def _asked(asking: Asking) -> ApprovalAnswer:
    if await _remembered(asking):
        return ApprovalAnswer.approve()
    _tell(asking)
    return await answer_by(asking.ctx.approver, asking)


def _tell(asking: Asking) -> None:
    ctx, request = asking.ctx, asking.request
    if ctx.run_events is not None:
        ctx.run_events.approval_requested(
            request.tool, request.arguments, request.id or None, request.reason
        )
    ctx.events.emit(
        "approval.requested",
        {
            "name": asking.tool.name,
            "id": asking.tool.id,
            "run_id": ctx.run_id,
            "call_id": request.id,
            "arguments": request.arguments,
            "reason": request.reason,
            "path": [*request.path],
        },
        correlation_id=ctx.correlation_id,
        language=ctx.language,
    )


async def _remember(asking: Asking, answer: ApprovalAnswer) -> None:
    ctx, tool = asking.ctx, asking.tool
    ctx.policy.always(tool, ctx.run_id, asking.request.asked_by)
    if answer.scope == "session" and ctx.session_id:
        await ctx.runtime.journal().append(
            _session(ctx.session_id), "approved", {"tool": tool.name}, key=_identity(asking)
        )


async def _remembered(asking: Asking) -> bool:
    """Whether somebody answered "always" in the session."""
    session = asking.ctx.session_id
    if not session:
        return False
    found = await asking.ctx.runtime.journal().records(_session(session))
    return any(one.key == _identity(asking) for one in found)


def _session(session_id: str) -> str:
    return f"session:{session_id}"


def _identity(asking: Asking) -> str:
    # What a script has approved for itself, nobody has approved for the policy.
    return f"{asking.request.asked_by}:{asking.tool.name}"


def _refused(tool: Tool, why: str) -> PolicyError:
    return PolicyError(
        f"{tool.name}: {why}",
        code="tool.not_approved",
        hint="approve it when asked, or allow it with [security.tools] allow",
    )


def _reason(tool: Tool, why: str) -> str:
    """Why it is asked: what the tool's function says, else the mark that makes people ask."""
    if why and why != "requires_approval":
        return why
    if tool.destructive:
        return "destructive"
    return "open_world" if tool.open_world else tool.security_level


async def _called(function: Callable[..., Any], params: Any, ctx: ExecutionContext) -> Any:
    if isinstance(function, ScriptFunction):
        about = {"path": [*ctx.path], "run_id": ctx.run_id, "correlation_id": ctx.correlation_id}
        if ctx.deps is not None:
            about["deps"] = ctx.deps
        return await function(params, Result(about))
    value = function(*(params, ctx)[: arity(function)])
    return await value if isinstance(value, Awaitable) else value


def _restored(edited: Any, shown: Any, real: Any) -> Any:
    """Edited arguments in which what is still as it was shown is what it really was."""
    if edited == shown:
        return real
    if isinstance(edited, dict) and isinstance(shown, dict) and isinstance(real, dict):
        return {
            key: _restored(value, shown[key], real[key]) if key in shown and key in real else value
            for key, value in edited.items()
        }
    if isinstance(edited, list) and isinstance(shown, list) and len(edited) == len(shown):
        return [_restored(*three) for three in zip(edited, shown, real, strict=True)]
    return edited
