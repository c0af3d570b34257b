"""`Allowance`: which requests and tool calls a run may still make, and what ended them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmspell_core.account import LimitHit
from llmspell_core.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmspell_core.account import Account


@dataclass(slots=True)
class Allowance:
    """A run's account as the loop asks it.

    With `finish` the last request is made with the tools switched off, so that the run ends with
    an answer; without it a limit that is reached is raised as `exceeded` makes it.
    """

    agent: str
    account: Account
    finish: bool
    exceeded: Callable[[LimitHit], AgentError]
    #: Whether there are tools to be switched off.
    has_tools: bool = False
    requests: int = 0
    hit: LimitHit | None = None
    tools_off: bool = False

    def request(self) -> bool:
        """Charge one request, or say that there must be none. Raises `agent.timeout`, too."""
        hit = self.account.before_request()
        if hit is None:
            if self.has_tools and self.finish and self.account.requests_left() == 1:
                self.tools_off = True
                self.hit = self.hit or _last_request(self.account)
            self.account.charge_request()
            self.requests += 1
            return True
        if hit.name == "wall_ms":
            raise AgentError(
                f"agent {self.agent} took longer than {hit.value:g} ms",
                code="agent.timeout",
                retryable=True,
            )
        if self.requests == 0 or not self.finish:
            raise self.exceeded(hit)
        self.hit = hit
        return False

    def end_tools(self, hit: LimitHit) -> None:
        """No tool may be called any more, since this limit is reached."""
        if not self.finish:
            raise self.exceeded(hit)
        self.hit, self.tools_off = hit, True


def _last_request(account: Account) -> LimitHit:
    """The limit on requests that the next one uses up: this account's, or one above it."""
    found: Account | None = account
    while found is not None:
        limit = found.limits.requests
        if limit is not None and limit - found.requests <= 1:
            return LimitHit("requests", limit, found.requests + 1)
        found = found.parent
    return LimitHit("requests", account.requests + 1, account.requests + 1)
