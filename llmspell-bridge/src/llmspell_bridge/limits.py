"""What the host counts of a session: host calls, their rate, and wall time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

TICK_S = 0.05


class CallBudget:
    """A total of host calls, and a rate that delays but never fails. 0 is no limit."""

    def __init__(self, total: int, per_second: int) -> None:
        self._left = total or None
        self._per_second = per_second
        self._tokens = float(per_second)
        self._at = 0.0

    def take(self, now: float) -> tuple[float, bool]:
        """Count one call: (seconds to delay it by, whether the total is used up)."""
        if self._left is not None:
            if self._left <= 0:
                return 0.0, True
            self._left -= 1
        if not self._per_second:
            return 0.0, False
        gained = (now - self._at) * self._per_second
        self._at = now
        self._tokens = min(float(self._per_second), self._tokens + gained) - 1
        return (0.0 if self._tokens >= 0 else -self._tokens / self._per_second), False


class WallClock:
    """Counts the wall time of a run, standing still while `exempt()` says it waits elsewhere."""

    def __init__(self, seconds: float, exempt: Callable[[], bool], end: Callable[[], None]) -> None:
        self._seconds = seconds
        self._exempt = exempt
        self._end = end
        self._used = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start counting; without a limit nothing is started."""
        if self._seconds:
            self._task = asyncio.ensure_future(self._count())

    def stop(self) -> None:
        """Stop counting."""
        if self._task is not None:
            self._task.cancel()

    async def _count(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(min(TICK_S, max(0.001, self._seconds - self._used)))
            now = time.monotonic()
            if not self._exempt():
                self._used += now - last
            last = now
            if self._used >= self._seconds:
                self._end()
                return
