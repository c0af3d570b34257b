"""What a hook's handler is given (`HookContext`) and what it may answer (`HookResult`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from llmspell_core.errors import HookError, did_you_mean
from llmspell_core.records import Record, key
from llmspell_core.script.api import Result

#: What a hook is shown.
FIELDS = (
    "point", "component", "component_id", "operation", "input", "output", "messages", "tool",
    "arguments", "error", "metadata", "correlation_id", "language", "state", "duration_ms",
)  # fmt: skip
#: What a hook may change; everything else of the context is information.
CHANGEABLE = ("input", "messages", "arguments", "output", "metadata")

Kind = Literal["continue", "modified", "cancel", "replace", "redirect", "retry"]
_KINDS: tuple[str, ...] = (
    "continue",
    "modified",
    "modify",
    "cancel",
    "replace",
    "redirect",
    "retry",
)


class HookContext:
    """What happens at a hook point; fields that do not apply are None. Times are ms.

    `component` is the name of the agent, tool or workflow, `state` what the point says of state.
    After a script changed `input` or `messages` they hold plain data.
    """

    __slots__ = (*FIELDS, "source")

    def __init__(
        self,
        point: str,
        *,
        component: str | None = None,
        component_id: str | None = None,
        operation: str | None = None,
        input: Any = None,
        output: Any = None,
        messages: list[Any] | None = None,
        tool: str | None = None,
        arguments: dict[str, Any] | None = None,
        error: Any = None,
        metadata: dict[str, Any] | None = None,
        correlation_id: str | None = None,
        language: str = "python",
        state: Any = None,
        duration_ms: float | None = None,
        source: Any = None,
    ) -> None:
        self.point = point
        #: What the point is about, in the host's own form, for hooks written in Python.
        self.source = source
        self.component = component
        self.component_id = component_id
        self.operation = operation
        self.input = input
        self.output = output
        self.messages = messages
        self.tool = tool
        self.arguments = arguments
        self.error = error
        self.metadata: dict[str, Any] = {} if metadata is None else metadata
        self.correlation_id = correlation_id
        self.language = language
        self.state = state
        self.duration_ms = duration_ms

    def to_script(self) -> Result:
        """For scripts: absent fields left out."""
        data = {name: getattr(self, name) for name in FIELDS}
        return Result({name: value for name, value in data.items() if value is not None})

    def copy(self) -> HookContext:
        """A copy for one handler: what it changes in place has no effect."""
        # Written out: `copy.copy` of a class with slots takes ten times as long.
        return HookContext(
            self.point,
            component=self.component,
            component_id=self.component_id,
            operation=self.operation,
            input=self.input,
            output=self.output,
            messages=self.messages and [*self.messages],
            tool=self.tool,
            arguments=self.arguments and {**self.arguments},
            error=self.error,
            metadata={**self.metadata},
            correlation_id=self.correlation_id,
            language=self.language,
            state=self.state,
            duration_ms=self.duration_ms,
            source=self.source,
        )

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Take over the changeable fields of `changes`; the others are ignored."""
        for name in CHANGEABLE:
            if name in changes:
                value, before = changes[name], getattr(self, name)
                # A script's empty table may arrive as the other kind of empty.
                if value in ([], {}) and isinstance(before, (list, dict)):
                    value = type(before)()
                setattr(self, name, value)


class HookResult(Record):
    """What a handler decided.

    `continue` (go on), `modified` (`data`: fields of the context to change), `cancel`
    (`reason`), `replace` (skip the call, `result` is its result), `redirect` (call the tool
    `target` instead), `retry` (again after `delay_ms`).
    """

    kind: Kind
    data: dict[str, Any] = key({}, "fields of the context to change")
    reason: str = ""
    result: Any = None
    target: str = ""
    delay_ms: float = 0.0

    @classmethod
    def of(cls, answer: Any, *, guard: bool = False) -> HookResult:
        """Whatever a handler returned, as a HookResult.

        Nothing, a number, a boolean or an empty table mean `continue`: in JavaScript an arrow
        function returns what its expression happens to give. A guard that says False has not
        said yes. Raises ``hook.bad_result``.
        """
        if answer is None or answer == "continue":
            return CONTINUE
        if isinstance(answer, HookResult):
            return answer
        if isinstance(answer, Result):
            answer = answer.data
        if isinstance(answer, HookContext):
            return cls("modified", {name: getattr(answer, name) for name in CHANGEABLE})
        if isinstance(answer, dict) and answer:
            return _typed(answer) if "type" in answer else _changed(answer)
        if answer == "cancel":
            return cls("cancel")
        if answer in ([], {}) or (isinstance(answer, (int, float)) and not (guard and not answer)):
            return CONTINUE
        raise _bad(answer)


CONTINUE = HookResult("continue")


def _changed(answer: dict[str, Any]) -> HookResult:
    if not answer.keys() & set(FIELDS):
        raise _bad(answer)
    return HookResult("modified", {k: answer[k] for k in CHANGEABLE if k in answer})


def _typed(answer: dict[str, Any]) -> HookResult:
    kind = answer["type"]
    if kind not in _KINDS:
        raise HookError(
            f'a hook returned the unknown type "{kind}"',
            code="hook.bad_result",
            hint=did_you_mean(str(kind), list(_KINDS)) or f"one of {', '.join(_KINDS)}",
        )
    if kind in ("modified", "modify"):
        return _modified(answer)
    if kind == "redirect" and not isinstance(answer.get("target"), str):
        raise HookError(
            "a hook returned a redirect without a target",
            code="hook.bad_result",
            hint='return {type = "redirect", target = "tool-name"}',
        )
    delay = answer.get("delay_ms", answer.get("delayMs")) or 0
    if isinstance(delay, bool) or not isinstance(delay, (int, float)) or delay < 0:
        raise HookError("delay_ms must be a number of ms", code="hook.bad_result")
    return HookResult(
        cast("Kind", kind),
        reason=str(answer.get("reason") or ""),
        result=answer.get("result", answer.get("data")),
        target=answer.get("target") or "",
        delay_ms=float(delay),
    )


def _modified(answer: dict[str, Any]) -> HookResult:
    data = answer.get("data")
    if data is None:
        data = {key: value for key, value in answer.items() if key != "type"}
    if data == []:
        data = {}
    unknown = [key for key in data if key not in FIELDS] if isinstance(data, dict) else ["data"]
    if unknown:
        raise HookError(
            f'a hook cannot change "{unknown[0]}"',
            code="hook.bad_result",
            hint=f"it may change {', '.join(CHANGEABLE)}",
        )
    return HookResult("modified", {k: data[k] for k in CHANGEABLE if k in data})


def _bad(answer: Any) -> HookError:
    from llmspell_core.schema import describe

    return HookError(
        f"a hook returned {describe(answer)}",
        code="hook.bad_result",
        hint='return nothing, "continue", "cancel", the changed ctx, or {type = "..."}',
    )
