"""What the host counts of a session: host calls, their rate, and wall time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from llmspell_core.errors import LimitError


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


class HeldSize:
    """Bytes of arguments that the host holds for a script. 0 is no limit.

    Args:
        most: as much as the script's own memory
        error: what is thrown when that is not enough
    """

    def __init__(self, most: int, error: Callable[[], LimitError]) -> None:
        self._most = most
        self._error = error
        self._held = 0

    def take(self, size: int) -> None:
        """Hold so much more. One value alone is never too large: it has a limit of its own."""
        if self._most and self._held and self._held + size > self._most:
            raise self._error()
        self._held += size

    def give_back(self, size: int) -> None:
        """It is not held any more."""
        self._held -= size


#: Waiting so short is the script's own time: else calls in a row would stop the clock.
SHORT_S = 0.05


class WallClock:
    """Counts the wall time of a run. It stands still while the run waits for others.

    A run waits for others while more host calls that have a deadline of their own (a model, a
    tool, a person) are open than functions of the script are running on their behalf: a tool
    that is itself written in the script takes the script's time.

    Args:
        seconds: how long it may run; 0 is no limit
        end: called once when the time is over, in the event loop or from `look`
    """

    def __init__(self, seconds: float = 0, end: Callable[[], None] = lambda: None) -> None:
        self._seconds = seconds
        self._end = end
        self._used = 0.0
        self._calls = 0
        self._callbacks = 0
        #: When it last began to count; None while it stands still.
        self._since: float | None = None
        #: When it last began to stand still.
        self._still = 0.0
        self._running = False
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start counting; without a limit nothing is counted."""
        if self._seconds:
            self._running = True
            self._follow()

    def stop(self) -> None:
        """Stop counting."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def calls(self, change: int) -> None:
        """A host call with a deadline of its own began (1) or ended (-1); 0: another one did."""
        self._calls += change
        if self._running:
            self._follow()

    def callbacks(self, change: int) -> None:
        """The host began (1) or stopped (-1) waiting for a function of the script."""
        self._callbacks += change
        if self._running:
            self._follow()

    def look(self) -> None:
        """End the run if its time is over: for when the event loop cannot do it."""
        if self._running and self.used >= self._seconds:
            self.stop()
            self._end()

    @property
    def used(self) -> float:
        """Seconds counted so far."""
        return self._used + (0.0 if self._since is None else time.monotonic() - self._since)

    def _follow(self) -> None:
        waits = self._calls > self._callbacks
        if waits and self._since is not None:
            self._used, self._since = self.used, None
            self._still = time.monotonic()
        elif not waits and self._since is None:
            now = time.monotonic()
            self._since = self._still if now - self._still < SHORT_S else now
            if self._timer is None:
                self._arm()
        elif waits:
            # Whoever makes other calls meanwhile does not only wait.
            now = time.monotonic()
            if now - self._still < SHORT_S:
                self._used += now - self._still
                self.look()
            self._still = now

    def _arm(self) -> None:
        left = max(0.001, self._seconds - self.used)
        self._timer = asyncio.get_running_loop().call_later(left, self._fired)

    def _fired(self) -> None:
        # The timer is not moved at every call: when it fires early it is set again.
        self._timer = None
        self.look()
        if self._running and self._since is not None:
            self._arm()
