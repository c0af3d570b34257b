"""Asking again: after a lost connection or certain statuses, later each time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING

from llmspell_core.errors import LLMSpellError

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_core.security.http import HttpResponse

#: Statuses of servers that are busy or broken for the moment.
PASSING = (429, 500, 502, 503, 504)
_LONGEST_WAIT_MS = 60_000


async def repeated(
    ctx: ToolContext,
    send: Callable[[], Awaitable[HttpResponse]],
    *,
    attempts: int,
    backoff_ms: float,
    statuses: Collection[int] = PASSING,
) -> tuple[HttpResponse, int]:
    """The first good answer, or the last one, and how many requests it took.

    Args:
        ctx: is told of each further attempt
        send: one request
        attempts: at most, the first included
        backoff_ms: before the second one; doubled each time, unless the server asks for more
        statuses: answers that do not count
    """
    for attempt in range(1, attempts):
        wait_ms = _backoff(backoff_ms, attempt)
        try:
            response = await send()
        except LLMSpellError as error:
            if not error.retryable:
                raise
        else:
            if response.status not in statuses:
                return response, attempt
            wait_ms = max(wait_ms, _retry_after_ms(response))
        ctx.progress(attempt, attempts, "asking again")
        await asyncio.sleep(wait_ms / 1000)
    return await send(), attempts


def _backoff(base: float, attempt: int) -> float:
    # Many callers that failed together must not come back together.
    jitter = random.uniform(0.8, 1.2)  # noqa: S311 - no secret
    return float(min(base * 2 ** (attempt - 1) * jitter, _LONGEST_WAIT_MS))


def _retry_after_ms(response: HttpResponse) -> float:
    given = response.headers.get("retry-after", "")
    return min(float(given) * 1000, _LONGEST_WAIT_MS) if given.isdecimal() else 0
