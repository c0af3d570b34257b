"""Rate limits and the circuit breaker, by a clock that the test moves or a short minute."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.chat.breaker import FAILURES, REST_S, Breaker
from llmspell_core.chat.limits import RateLimits
from llmspell_core.errors import ProviderError

MINUTE = 0.2


def admitted(limits: RateLimits, guesses: list[int]) -> list[float]:
    """When each of these requests, started at once, was let through."""

    async def main() -> list[float]:
        async def one(guess: int) -> float:
            await limits.admit(guess, lambda: None)
            return time.monotonic()

        return [*await asyncio.gather(*map(one, guesses))]

    return asyncio.run(main())


def test_without_limits_nothing_waits() -> None:
    async def main() -> None:
        limits = RateLimits("p")
        assert await limits.admit(10**9, lambda: 0) is None
        limits.used(None, 5)

    asyncio.run(main())


@given(st.integers(1, 3), st.integers(1, 5))
def test_no_minute_has_more_requests_than_the_limit(limit: int, count: int) -> None:
    minute = 0.02
    times = admitted(RateLimits("p", limit, window_s=minute), [0] * count)
    assert times == sorted(times)
    for first, later in zip(times, times[limit:], strict=False):
        # The time is taken a moment after it was let through.
        assert later - first >= minute * 0.9


def test_tokens_are_a_guess_until_the_answer_is_here() -> None:
    async def main() -> None:
        limits = RateLimits("p", tokens=100, window_s=MINUTE)
        started = time.monotonic()
        sent = await limits.admit(90, lambda: None)
        limits.used(sent, 20)
        await limits.admit(80, lambda: None)
        assert time.monotonic() - started < MINUTE / 2
        await limits.admit(1, lambda: None)
        assert time.monotonic() - started >= MINUTE

    asyncio.run(main())


def test_a_request_larger_than_the_limit_goes_alone() -> None:
    limits = RateLimits("p", tokens=10, window_s=MINUTE)
    first, second = admitted(limits, [1000, 1000])
    assert second - first >= MINUTE * 0.9


def test_a_turn_after_the_deadline_is_refused_at_once() -> None:
    async def main() -> None:
        limits = RateLimits("p", 1)
        await limits.admit(0, lambda: 1000)
        started = time.monotonic()
        with pytest.raises(ProviderError) as caught:
            await limits.admit(0, lambda: 1000)
        assert caught.value.code == "provider.rate_limit"
        assert not caught.value.retryable
        assert time.monotonic() - started < 1

    asyncio.run(main())


def test_a_waiting_request_that_is_cancelled_frees_its_turn() -> None:
    async def main() -> None:
        limits = RateLimits("p", 1, window_s=MINUTE)
        await limits.admit(0, lambda: None)
        waiting = asyncio.ensure_future(limits.admit(0, lambda: None))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait([waiting])
        async with asyncio.timeout(5):
            await limits.admit(0, lambda: None)

    asyncio.run(main())


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def failed(code: str = "provider.server") -> ProviderError:
    return ProviderError("x", code=code)


def opened(clock: Clock) -> Breaker:
    breaker = Breaker("p/m", clock)
    for _ in range(FAILURES):
        breaker.enter()
        breaker.leave(failed())
    return breaker


def test_a_model_that_fails_again_and_again_rests_and_then_is_tried_once() -> None:
    clock = Clock()
    breaker = opened(clock)
    with pytest.raises(ProviderError, match="not asked for now") as caught:
        breaker.enter()
    assert caught.value.code == "provider.circuit_open"
    clock.now = REST_S
    breaker.enter()
    with pytest.raises(ProviderError):
        breaker.enter()
    breaker.leave(failed())
    with pytest.raises(ProviderError):
        breaker.enter()
    clock.now = 2 * REST_S
    breaker.enter()
    breaker.leave(None)
    breaker.enter()
    breaker.enter()


def test_failures_that_are_the_requests_own_do_not_count() -> None:
    breaker = Breaker("p/m", Clock())
    for code in ("provider.auth", "provider.rate_limit", "provider.invalid_request") * FAILURES:
        breaker.enter()
        breaker.leave(failed(code))
    breaker.enter()


def test_a_trial_that_was_cancelled_says_nothing() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = REST_S
    breaker.enter()
    breaker.leave(asyncio.CancelledError())
    breaker.enter()
    breaker.leave(failed())
    with pytest.raises(ProviderError):
        breaker.enter()
