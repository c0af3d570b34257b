"""Asking a person before a tool acts: the request, the answer, and who may give it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol, runtime_checkable

from llmspell_core.records import Record, key
from llmspell_core.script.api import Result


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
    #: The call, where a model has made it.
    id: str = ""
    #: `policy`: whoever runs llmspell must agree; `tool`: a script may answer for its own tools.
    asked_by: Literal["tool", "policy"] = "policy"

    def to_script(self) -> Result:
        """For scripts, as `on_approval` gets it."""
        return Result({**self.model_dump(), "path": [*self.path]})


class ApprovalAnswer(Record):
    """The decision. `edit` carries other arguments; `always` holds for the tool in its `scope`."""

    kind: Literal["approve", "deny", "edit", "always"]
    message: str = ""
    arguments: dict[str, Any] | None = None
    scope: Literal["run", "session"] = "run"

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
    def always(cls, scope: Literal["run", "session"] = "run") -> ApprovalAnswer:
        """Go on, and do not ask about this tool again in this run, or in this session."""
        return cls("always", scope=scope)

    @classmethod
    def of(cls, value: Any) -> ApprovalAnswer:
        """An answer from what a callback returned; what is unclear is a refusal."""
        return cls.read(value) or cls.deny(f"the answer was unclear: {FORMS}")

    @classmethod
    def read(cls, value: Any) -> ApprovalAnswer | None:
        """An answer from a bool, a word, a table or an answer; None when it is none of them."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return _WORDS.get(value, lambda: None)()
        if value is True:
            return cls.approve()
        if value is False or value is None:
            return cls.deny()
        return _of_table(value) if isinstance(value, dict) else None


#: What an answer may be, for error messages.
FORMS = (
    'true, false, "approve", "always", {deny = "why"}, {arguments = {...}} or {always = "session"}'
)
_WORDS: dict[str, Callable[[], ApprovalAnswer | None]] = {
    "approve": ApprovalAnswer.approve,
    "deny": ApprovalAnswer.deny,
    "always": ApprovalAnswer.always,
}


def _of_table(table: dict[str, Any]) -> ApprovalAnswer | None:
    message = table.get("message")
    text = message if isinstance(message, str) else ""
    kind, deny = table.get("kind"), table.get("deny")
    refused = table.get("approve") is False or kind == "deny"
    if refused or deny is True or isinstance(deny, str):
        return ApprovalAnswer.deny(deny if isinstance(deny, str) else text)
    edited = table.get("arguments", table.get("edit"))
    if isinstance(edited, dict):
        return ApprovalAnswer.edit(edited)
    always = table.get("always", kind == "always")
    if always in (True, "run", "session"):
        session = "session" in (always, table.get("scope"))
        return ApprovalAnswer.always("session" if session else "run")
    approved = table.get("approve") is True or kind == "approve"
    return ApprovalAnswer.approve() if approved else None


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
