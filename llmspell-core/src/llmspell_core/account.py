"""The account of a run tree: limits on requests, tool calls, tokens, money and time.

One account serves a run and everything nested in it. A nested run may have limits of its own:
its account charges its parent as well, so the tighter one wins.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import AgentError
from llmspell_core.records import Record

if TYPE_CHECKING:
    from llmspell_core.messages import Usage
    from llmspell_core.run_limits import Limits

__all__ = ["Account", "LimitHit", "Limits", "limit_error"]


class LimitHit(Record):
    """A limit that is used up."""

    name: str
    value: float
    used: float

    def as_dict(self) -> dict[str, Any]:
        """`{name, value, used}`, as `metadata.limit` shows it."""
        return self.model_dump()


class Account:
    """What a run tree has used, against its limits.

    Every run has one, and few have limits or ask a model: those models are made on first use.
    """

    def __init__(self, limits: Limits | None = None, parent: Account | None = None) -> None:
        self.parent = parent
        self.requests = 0
        self.tool_calls = 0
        self.per_tool: dict[str, int] = {}
        self.started = time.monotonic()
        #: What model requests have used, None before the first.
        self.spent: Usage | None = None
        self._limits = limits

    @property
    def limits(self) -> Limits:
        """The account's own limits."""
        if self._limits is None:
            from llmspell_core.run_limits import Limits

            self._limits = Limits()
        return self._limits

    @property
    def usage(self) -> Usage:
        """Tokens and money, so far."""
        if self.spent is None:
            from llmspell_core.messages import Usage

            self.spent = Usage()
        return self.spent

    def child(self, limits: Limits | None) -> Account:
        """An account of a nested run: the same one unless it has limits of its own."""
        return Account(limits, parent=self) if limits is not None else self

    def before_request(self) -> LimitHit | None:
        """The limit that forbids another model request, or None."""
        return self._first(
            ("requests", self.limits.requests, self.requests),
            ("input_tokens", self.limits.input_tokens, self.usage.input_tokens),
            ("output_tokens", self.limits.output_tokens, self.usage.output_tokens),
            ("total_tokens", self.limits.total_tokens, self.usage.total_tokens),
            ("cost_usd", self.limits.cost_usd, self.usage.cost_usd or 0.0),
            ("wall_ms", self.limits.wall_ms, (time.monotonic() - self.started) * 1000),
        ) or (self.parent.before_request() if self.parent else None)

    def requests_left(self) -> int | None:
        """How many more requests may be made; None when unlimited."""
        own = None if self.limits.requests is None else self.limits.requests - self.requests
        above = self.parent.requests_left() if self.parent else None
        return min((n for n in (own, above) if n is not None), default=None)

    def before_tools(self, names: list[str]) -> LimitHit | None:
        """The limit that this batch of tool calls would cross, or None: all run or none."""
        limit = self.limits.tool_calls
        if limit is not None and self.tool_calls + len(names) > limit:
            return LimitHit("tool_calls", limit, self.tool_calls)
        for name in set(names):
            most = (self.limits.per_tool or {}).get(name)
            used = self.per_tool.get(name, 0)
            if most is not None and used + names.count(name) > most:
                return LimitHit(f"per_tool.{name}", most, used)
        return self.parent.before_tools(names) if self.parent else None

    def charge_request(self) -> None:
        """Count one model request, whether or not it succeeds."""
        self.requests += 1
        if self.parent:
            self.parent.charge_request()

    def charge_usage(self, usage: Usage) -> None:
        """Count the tokens and the money of one request."""
        self.usage.add(usage)
        if self.parent:
            self.parent.charge_usage(usage)

    def charge_tool(self, name: str) -> None:
        """Count one tool call."""
        self.tool_calls += 1
        self.per_tool[name] = self.per_tool.get(name, 0) + 1
        if self.parent:
            self.parent.charge_tool(name)

    @staticmethod
    def _first(*rows: tuple[str, float | None, float]) -> LimitHit | None:
        for name, value, used in rows:
            if value is not None and used >= value:
                return LimitHit(name, value, used)
        return None


def limit_error(hit: LimitHit, **details: Any) -> AgentError:
    """`agent.limit_exceeded` for a limit that was reached."""
    return AgentError(
        f"limit {hit.name} reached: {hit.used:g} of {hit.value:g} used",
        code="agent.limit_exceeded",
        hint=f'raise limits.{hit.name}, or use on_limit = "finish"',
        details={"limit": hit.as_dict(), **details},
    )


def __getattr__(name: str) -> Any:
    # Its base is a pydantic model, which most starts need not import.
    if name == "Limits":
        from llmspell_core.run_limits import Limits

        return Limits
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
