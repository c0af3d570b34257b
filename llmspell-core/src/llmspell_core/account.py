"""The account of a run tree: limits on requests, tool calls, tokens, money and time.

One account serves a run and everything nested in it. A nested run may have limits of its own:
its account charges its parent as well, so the tighter one wins.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import AgentError
from llmspell_core.names import canonical
from llmspell_core.records import Record

if TYPE_CHECKING:
    from llmspell_core.messages import Usage
    from llmspell_core.run_limits import Limits

__all__ = ["Account", "Booked", "LimitHit", "Limits", "limit_error"]


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
        #: USD of all requests whose price was known; `usage.cost_usd` is None beside others.
        self.spent_usd = 0.0
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

    def holds_money(self) -> bool:
        """Whether `cost_usd` is limited, here or above."""
        if self._limits is not None and self._limits.cost_usd is not None:
            return True
        return self.parent is not None and self.parent.holds_money()

    def before_request(self) -> LimitHit | None:
        """The limit that forbids another model request, or None."""
        hit = self._own_hit() if self._limits is not None else None
        if hit is None and self.parent is not None:
            return self.parent.before_request()
        return hit

    def _own_hit(self) -> LimitHit | None:
        limits, usage = self.limits, self.usage
        for name, value, used in (
            ("requests", limits.requests, self.requests),
            ("input_tokens", limits.input_tokens, usage.input_tokens),
            ("output_tokens", limits.output_tokens, usage.output_tokens),
            ("total_tokens", limits.total_tokens, usage.total_tokens),
            ("cost_usd", limits.cost_usd, self.spent_usd),
            ("wall_ms", limits.wall_ms, (time.monotonic() - self.started) * 1000),
        ):
            if value is not None and used >= value:
                return LimitHit(name, value, used)
        return None

    def requests_left(self) -> int | None:
        """How many more requests may be made; None when unlimited."""
        most = self._limits.requests if self._limits is not None else None
        own = None if most is None else most - self.requests
        above = self.parent.requests_left() if self.parent else None
        return min((n for n in (own, above) if n is not None), default=None)

    def before_tools(self, names: list[str]) -> LimitHit | None:
        """The limit that this batch of tool calls would cross, or None: all run or none."""
        hit = self._own_tools(names) if self._limits is not None else None
        if hit is None and self.parent is not None:
            return self.parent.before_tools(names)
        return hit

    def _own_tools(self, names: list[str]) -> LimitHit | None:
        limit, per_tool = self.limits.tool_calls, self.limits.per_tool
        if limit is not None and self.tool_calls + len(names) > limit:
            return LimitHit("tool_calls", limit, self.tool_calls)
        if not per_tool:
            return None
        wanted = [canonical(name) for name in names]
        for name, most in per_tool.items():
            one = canonical(name)
            used = sum(count for key, count in self.per_tool.items() if canonical(key) == one)
            if used + wanted.count(one) > most and one in wanted:
                return LimitHit(f"per_tool.{name}", most, used)
        return None

    def book(self, names: list[str]) -> LimitHit | list[Booked]:
        """Count a whole batch of tool calls before any of them runs, or none of them.

        A run beside this one, on the same account, cannot take their place meanwhile. Whatever is
        not called in the end is given back by `Booked.release`.
        """
        if hit := self.before_tools(names):
            return hit
        booked = []
        for name in names:
            self.charge_tool(name)
            booked.append(Booked(self, name))
        return booked

    def charge_request(self) -> None:
        """Count one model request, whether or not it succeeds."""
        self.requests += 1
        if self.parent:
            self.parent.charge_request()

    def charge_usage(self, usage: Usage) -> None:
        """Count the tokens and the money of one request."""
        self.usage.add(usage)
        self.spent_usd += usage.cost_usd or 0.0
        if self.parent:
            self.parent.charge_usage(usage)

    def charge_tool(self, name: str, times: int = 1) -> None:
        """Count one tool call; -1 times takes one back."""
        self.tool_calls += times
        self.per_tool[name] = self.per_tool.get(name, 0) + times
        if self.parent:
            self.parent.charge_tool(name, times)


class Booked:
    """One tool call that an account has counted before it runs."""

    __slots__ = ("_account", "_open", "name")

    def __init__(self, account: Account, name: str) -> None:
        self._account = account
        self._open = True
        self.name = name

    def take(self, name: str) -> bool:
        """Whether a call of this tool is the one that was counted. It is taken once."""
        taken, self._open = self._open and name == self.name, self._open and name != self.name
        return taken

    def release(self) -> None:
        """Give it back, unless the call was made."""
        if self._open:
            self._open = False
            self._account.charge_tool(self.name, -1)


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
