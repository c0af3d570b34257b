"""Calls of a tool that are made again when they fail: `retry` of a tool."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from llmspell_core.errors import LLMSpellError
from llmspell_core.script.model import ScriptModel

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

#: The kinds of failure that may be over the next time, though nobody said so.
_UNKNOWN = frozenset({"script.error", "error"})


class RetryOptions(ScriptModel):
    """How often a failed call is made again, and after how long. Times are ms."""

    max_attempts: int = Field(3, ge=1, le=20, description="calls in all")
    backoff_ms: float = Field(200, ge=0, description="before the second call")
    multiplier: float = Field(2, ge=1, description="how much longer each further wait is")
    jitter: float = Field(0.5, ge=0, le=1, description="random share of each wait")

    def wait_ms(self, attempt: int) -> float:
        """How long to wait after failed call number `attempt` (from 1)."""
        longest = self.backoff_ms * self.multiplier ** (attempt - 1)
        return longest * (1 - self.jitter * random.random())  # noqa: S311 - spreads load only


def may_pass(error: Exception) -> bool:
    """Whether the same call may succeed later: what says so, and what nobody expected.

    A refusal, a wrong argument, a limit, and what a tool calls failed itself are answers.
    """
    if not isinstance(error, LLMSpellError):
        return True
    return error.retryable or error.code in _UNKNOWN


async def attempted(
    options: RetryOptions, ctx: ExecutionContext, work: Callable[[], Awaitable[Any]]
) -> Any:
    """What `work` gives, called until it succeeds, at most as often as the options say.

    No wait outlasts the deadline. Raises the last failure.
    """
    attempt = 1
    while True:
        try:
            return await work()
        except Exception as error:
            wait_ms = options.wait_ms(attempt)
            left = ctx.remaining_ms()
            late = left is not None and wait_ms >= left
            if attempt >= options.max_attempts or late or not may_pass(error):
                raise
        await asyncio.sleep(wait_ms / 1000)
        attempt += 1
