"""The built-in hook `redact`: secrets and what patterns name are masked where data passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from pydantic import BaseModel, Field, field_validator

from llmspell_core.hooks.context import HookContext, HookResult
from llmspell_core.hooks.points import point_name
from llmspell_core.script.model import ScriptModel
from llmspell_core.security.redact import MASK, Redactor
from llmspell_core.tool import ToolResult

_FIELDS = ("input", "messages", "arguments", "output")
_LONGEST_PATTERN = 1000


class RedactConfig(ScriptModel):
    """What is masked: all that looks like a secret, and what `patterns` (RE2) match.

    `points`: what models are asked, what tools give, what agents answer. With `after_llm_call`
    among them an answer is handed out when it is whole, and not piece by piece. `mask` stands in
    the place of what `patterns` match.
    """

    points: list[str] = Field(
        default_factory=lambda: ["before_llm_call", "after_tool_execution", "after_agent_execution"]
    )
    patterns: list[str] = Field(default_factory=list)
    mask: str = MASK

    @field_validator("patterns")
    @classmethod
    def _readable(cls, patterns: list[str]) -> list[str]:
        for text in patterns:
            compiled(text)
        return patterns


class RedactHook:
    """Replaces; it never refuses. When it cannot look, the operation is refused."""

    Config = RedactConfig
    priority: ClassVar[float] = 900
    guard: ClassVar[bool] = True
    observes: ClassVar[bool] = False

    def __init__(self, config: RedactConfig) -> None:
        self._points = [point_name(point) for point in config.points]
        self._patterns = [compiled(text) for text in config.patterns]
        self._mask = config.mask
        self._masked = 0
        self._shapes = Redactor()

    def handlers(self) -> Iterable[tuple[str, Callable[[HookContext], Any]]]:
        return [(point, self._redact) for point in self._points]

    def report(self) -> dict[str, Any]:
        return {"masked": self._masked, "points": self._points}

    def _redact(self, ctx: HookContext) -> HookResult | None:
        changes: dict[str, Any] = {}
        for name in _FIELDS:
            before = _plain(getattr(ctx, name))
            after = self._value(before)
            if after != before:
                changes[name] = after
        if not changes:
            return None
        self._masked += 1
        return HookResult("modified", changes)

    def _value(self, value: Any) -> Any:
        from llmspell_core.context import current

        run = current()
        redactor = run.runtime.redactor if run is not None else self._shapes
        return self._matched(redactor.value(value))

    def _matched(self, value: Any) -> Any:
        if not self._patterns:
            return value
        if isinstance(value, str):
            for pattern in self._patterns:
                value = pattern.sub(lambda _: self._mask, value)
            return value
        if isinstance(value, dict):
            return {key: self._matched(part) for key, part in value.items()}
        return [self._matched(part) for part in value] if isinstance(value, list) else value


def compiled(text: str) -> Any:
    """A pattern of a user: in the syntax of RE2, whose time grows with the text alone."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        if len(text) > _LONGEST_PATTERN:
            raise re2.error(f"longer than {_LONGEST_PATTERN} characters")
        return re2.compile(text, options)
    except re2.error as error:
        why = error.args[0] if error.args else error
        why = why.decode("utf-8", "replace") if isinstance(why, bytes) else why
        raise ValueError(f"{text[:100]!r} is no pattern of RE2: {why}") from None


def _plain(value: Any) -> Any:
    """What a hook may change, as data: results and inputs by the fields that hold content."""
    if isinstance(value, ToolResult):
        return {"result": value.result, "output": value.output, "text": value.text}
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        if "metadata" in fields:
            return value.model_dump(include={"text", "data"})
        return value.model_dump(exclude_defaults=True)
    return value
