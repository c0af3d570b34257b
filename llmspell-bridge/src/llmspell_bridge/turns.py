"""Turns on the event loop: what one script has done on the host must not keep the others waiting.

Hundreds of its calls may end in the same turn of the loop, each with a large value to encode.
"""

from __future__ import annotations

import asyncio
from collections import deque

#: How long one session may encode at a stretch, in seconds.
TURN_S = 0.005
#: How many that wait are woken at once; most have little to do.
_WOKEN = 16


class Turns:
    """The turns of one session. Use it from the thread of its event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._spent = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._scheduled = False

    @property
    def over(self) -> bool:
        """Whether this turn's time is used up."""
        return self._spent >= TURN_S

    async def next(self) -> None:
        """Wait until there is time again."""
        while self.over:
            waiter = self._loop.create_future()
            self._waiting.append(waiter)
            await waiter

    def spend(self, seconds: float) -> None:
        """Count time that was used."""
        self._spent += seconds
        if not self._scheduled and self.over:
            self._scheduled = True
            self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._scheduled = False
        self._spent = 0.0
        for _ in range(min(_WOKEN, len(self._waiting))):
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
        if self._waiting:
            self._scheduled = True
            self._loop.call_soon(self._begin)
