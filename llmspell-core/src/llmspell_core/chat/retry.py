"""When a failed request is tried again, and after how long."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from llmspell_core.chat.errors import LONGEST_RETRY_AFTER_MS
from llmspell_core.errors import ProviderError
from llmspell_core.provider import RetryPolicy

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

log = logging.getLogger("llmspell.providers")


def wait_ms(error: ProviderError, attempt: int, policy: RetryPolicy) -> float | None:
    """How long to wait after failed attempt number `attempt` (from 1); None: do not try again.

    What the service asks for wins over the doubling waits, up to 30 s.
    """
    if not error.retryable or attempt >= policy.max_attempts:
        return None
    asked = error.details.get("retry_after_ms")
    if asked is not None:
        return float(asked) if asked <= LONGEST_RETRY_AFTER_MS else None
    longest = policy.backoff_ms * policy.multiplier ** (attempt - 1)
    fixed = longest * (1 - policy.jitter)
    return fixed + random.uniform(0, longest - fixed)  # noqa: S311 - spreads load, hides nothing


async def pause(
    error: ProviderError, attempt: int, policy: RetryPolicy, ctx: ExecutionContext
) -> bool:
    """Wait before the next attempt; False when there must be none (rules, or the deadline)."""
    delay = wait_ms(error, attempt, policy)
    if delay is None:
        return False
    left = ctx.remaining_ms()
    if left is not None and delay >= left:
        return False
    if ctx.run_events is not None:
        ctx.run_events.retry(attempt, delay, error.to_dict())
    ctx.events.emit(
        "llm.retry",
        {
            "attempt": attempt + 1,
            "delay_ms": delay,
            "error": error.to_dict(),
            "run_id": ctx.run_id,
        },
        correlation_id=ctx.correlation_id,
        language=ctx.language,
    )
    log.info("%s; trying again in %.0f ms (attempt %d)", error, delay, attempt + 1)
    await asyncio.sleep(delay / 1000)
    return True
