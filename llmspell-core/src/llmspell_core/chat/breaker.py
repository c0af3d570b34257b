"""A circuit breaker: a model that fails again and again is not asked for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from llmspell_core.errors import ProviderError

#: Requests, with all their attempts, that fail in a row.
FAILURES = 5
REST_S = 30.0
#: What says something about the service, not about the request.
_COUNTED = frozenset({"provider.connection", "provider.server", "provider.timeout"})


class Breaker:
    """The breaker of one model of one provider.

    After `FAILURES` in a row requests fail at once; after `REST_S` one is let through, and its
    end decides.
    """

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._failures = 0
        self._opened: float | None = None
        self._trying = False

    def enter(self) -> None:
        """Raise `provider.circuit_open` when the model rests."""
        if self._opened is None:
            return
        left = self._opened + REST_S - self._clock()
        if left > 0 or self._trying:
            raise ProviderError(
                f"{self._what} failed {self._failures} times in a row and is not asked for now",
                code="provider.circuit_open",
                hint="name fallback_models, or try again later",
                details={"retry_after_ms": max(left, 0) * 1000},
            )
        self._trying = True

    def leave(self, error: BaseException | None) -> None:
        """How a request that entered has ended."""
        self._trying = False
        if not isinstance(error, Exception) and error is not None:
            # Cancelled: nothing is known about the service.
            return
        if not isinstance(error, ProviderError) or error.code not in _COUNTED:
            self._failures, self._opened = 0, None
            return
        self._failures += 1
        if self._failures >= FAILURES:
            self._opened = self._clock()
