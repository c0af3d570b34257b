"""How many requests and tokens a provider is sent in a minute, by all agents together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from llmspell_core.errors import ProviderError

WINDOW_S = 60.0


@dataclass(slots=True)
class Sent:
    """One request of the last minute; its tokens are a guess until the answer is here."""

    when: float
    tokens: int


class RateLimits:
    """The limits of one provider. Who comes first is let through first.

    Args:
        name: of the provider.
        requests: in a minute; 0 is no limit.
        tokens: in a minute; 0 is no limit.
        window_s: what a minute is.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        name: str,
        requests: int = 0,
        tokens: int = 0,
        *,
        window_s: float = WINDOW_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._requests = requests
        self._tokens = tokens
        self._window_s = window_s
        self._clock = clock
        self._sent: deque[Sent] = deque()
        self._turn = asyncio.Lock()

    async def admit(self, guess: int, left_ms: Callable[[], float | None]) -> Sent | None:
        """Wait until one more request may go; None where there is no limit.

        Args:
            guess: tokens that the request and its answer will probably take.
            left_ms: the time until the deadline, None without one.

        Raises:
            ProviderError: `provider.rate_limit` when its turn comes after the deadline.
        """
        if not self._requests and not self._tokens:
            return None
        async with self._turn:
            while (wait := self._wait_s(guess)) > 0:
                left = left_ms()
                if left is not None and wait * 1000 >= left:
                    raise self._too_late(wait)
                await asyncio.sleep(wait)
            sent = Sent(self._clock(), guess)
            self._sent.append(sent)
            return sent

    def used(self, sent: Sent | None, tokens: int) -> None:
        """What the request took in truth; 0 where the service does not say."""
        if sent is not None and tokens:
            sent.tokens = tokens

    def _wait_s(self, guess: int) -> float:
        """Seconds until the next request may go, as far as is known now."""
        now = self._clock()
        while self._sent and self._sent[0].when + self._window_s <= now:
            self._sent.popleft()
        if not self._sent:
            return 0
        full = bool(self._requests) and len(self._sent) >= self._requests
        spent = sum(one.tokens for one in self._sent)
        # A request that is larger than the limit itself goes when nothing else does.
        if full or (self._tokens and spent + guess > self._tokens):
            return self._sent[0].when + self._window_s - now
        return 0

    def _too_late(self, wait: float) -> ProviderError:
        return ProviderError(
            f"{self._name}: the limit of [providers.{self._name}] lets the next request go in "
            f"{wait:.0f} s, after the deadline",
            code="provider.rate_limit",
            hint=f"raise requests_per_minute or tokens_per_minute of [providers.{self._name}], "
            "or give the run more time",
            details={"provider": self._name, "retry_after_ms": wait * 1000},
        )
