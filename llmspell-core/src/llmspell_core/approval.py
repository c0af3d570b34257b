"""Asking a person before a tool acts: the request, the answer, and who may give it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from llmspell_core.errors import PolicyError
from llmspell_core.records import Record, key

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.tool import Tool


class ApprovalRequest(Record):
    """What is about to happen: shown to the person, secrets already removed."""

    tool: str
    arguments: dict[str, Any] = key({}, "what it is called with")
    #: Why it is asked: `destructive`, `privileged`, ...
    reason: str = ""
    description: str = ""
    #: The components the call is nested in, outermost first.
    path: tuple[str, ...] = ()
    correlation_id: str = ""


class ApprovalAnswer(Record):
    """The decision. `edit` carries other arguments, `always` holds for the tool in this run."""

    kind: Literal["approve", "deny", "edit", "always"]
    message: str = ""
    arguments: dict[str, Any] | None = None

    @classmethod
    def approve(cls) -> ApprovalAnswer:
        """Go on."""
        return cls("approve")

    @classmethod
    def deny(cls, message: str = "") -> ApprovalAnswer:
        """Refuse; the message goes to whoever made the call."""
        return cls("deny", message)

    @classmethod
    def edit(cls, arguments: dict[str, Any]) -> ApprovalAnswer:
        """Go on with these arguments instead; they are validated again."""
        return cls("edit", arguments=arguments)

    @classmethod
    def always(cls) -> ApprovalAnswer:
        """Go on, and do not ask about this tool again in this run."""
        return cls("always")

    @classmethod
    def of(cls, value: Any) -> ApprovalAnswer:
        """An answer from what a callback returned: a bool, a word, a table or an answer."""
        if isinstance(value, cls):
            return value
        if isinstance(value, dict):
            if isinstance(value.get("arguments"), dict):
                return cls.edit(value["arguments"])
            if value.get("approve") is True or value.get("kind") in ("approve", "always"):
                return cls.always() if value.get("kind") == "always" else cls.approve()
            return cls.deny(str(value.get("message", "")))
        if value is True or value == "approve":
            return cls.approve()
        return cls.always() if value == "always" else cls.deny()


@runtime_checkable
class Approver(Protocol):
    """Who is asked. Never answering is a refusal: callers bound the wait."""

    async def ask(self, request: ApprovalRequest) -> ApprovalAnswer:
        """The decision about one call."""


class _DenyAll:
    """Nobody can answer: what needs approval is refused."""

    async def ask(self, request: ApprovalRequest) -> ApprovalAnswer:
        return ApprovalAnswer.deny("nobody is there to approve it")


deny_all: Approver = _DenyAll()


class CallbackApprover:
    """Asks a function, sync or async; what it returns is read by `ApprovalAnswer.of`."""

    def __init__(self, callback: Callable[[ApprovalRequest], Any | Awaitable[Any]]) -> None:
        self._callback = callback

    async def ask(self, request: ApprovalRequest) -> ApprovalAnswer:
        answer = self._callback(request)
        if isinstance(answer, Awaitable):
            answer = await answer
        return ApprovalAnswer.of(answer)


async def approve(
    tool: Tool, params: dict[str, Any], ctx: ExecutionContext
) -> dict[str, Any] | None:
    """Ask the run's approver; returns edited arguments, or None when approved as they are."""
    answer = await ctx.approver.ask(
        ApprovalRequest(
            tool=tool.name,
            arguments=params,
            reason=_why_asked(tool),
            description=tool.description,
            path=ctx.path,
            correlation_id=ctx.correlation_id,
        )
    )
    if answer.kind == "deny":
        raise PolicyError(
            f"{tool.name}: {answer.message or 'not approved'}",
            code="tool.not_approved",
            hint="approve it when asked, or allow it with [security.tools] allow",
        )
    if answer.kind == "always":
        ctx.policy.always(tool)
    return answer.arguments if answer.kind == "edit" else None


def _why_asked(tool: Tool) -> str:
    """The mark of a tool that makes people ask, in one word."""
    if tool.destructive:
        return "destructive"
    return "open_world" if tool.open_world else tool.security_level
