"""What a run may use: CPU time, steps, memory; and how often a busy script looks up."""

from __future__ import annotations

import time

from llmspell_js.peak import peak

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Calls and jumps back between two looks: the engine's own number.
STEP = 10_000
#: How long output may wait while a script computes.
HOUSEKEEPING_S = 0.02

#: An error is null only where not even its object found room: the peak is then near the limit.
_BRIM = 7 / 8
#: Characters of a text whose copies show in the peak.
_LARGE = 1 << 18

MESSAGES = {
    "script.cpu_limit": "the script used up its CPU time",
    "script.instructions_limit": "the script used up its instructions",
    "script.memory_limit": "the script used up its memory",
    "script.exit": "the script called process.exit",
    "script.closed": "the session is closed",
}


class Budget:
    """The limits of a run, asked by the engine's interrupt handler.

    Args:
        limits: the ``limits`` of a session's options
    """

    def __init__(self, limits: dict[str, Any]) -> None:
        self._cpu = limits.get("cpu_s") or 0
        self._instructions = limits.get("instructions") or 0
        self.memory = int((limits.get("memory_mb") or 0) * (1 << 20))
        self._used = 0.0
        self._began = 0.0
        self._count = 0
        self._kept = 0.0
        self._most = 0
        #: Bytes in use, and how to free what nothing reaches; set where the engine can tell.
        self.bytes_used: Callable[[], int] | None = None
        self.collect: Callable[[], None] = lambda: None
        self._peak = 0
        #: Set from outside, on any thread: the code with which the script must end.
        self.stop: str | None = None

    def reset(self) -> None:
        """Each run has the whole budget: a session may serve many, as in a REPL."""
        self._used, self._count, self._most = 0.0, 0, 0
        self._peak = peak()

    def passed(self, text: str) -> None:
        """A text went into the engine or came out: the copies of a large one are not its memory."""
        if len(text) > _LARGE:
            self._peak = peak()

    def start(self) -> None:
        """The engine runs from now on."""
        self._began = time.thread_time()
        self._kept = time.monotonic()

    def pause(self) -> None:
        """The engine waits."""
        self._used += time.thread_time() - self._began

    @property
    def cpu_left(self) -> float | None:
        """Seconds of CPU time that are left; None without a limit."""
        return max(self._cpu - self._used, 0.001) if self._cpu else None

    def look(self) -> str | None:
        """Why the script must end, if it must."""
        if self.stop is None:
            self._count += STEP
            if self._instructions and self._count > self._instructions:
                self.stop = "script.instructions_limit"
            elif self._cpu and self._used + time.thread_time() - self._began > self._cpu:
                self.stop = "script.cpu_limit"
            elif self._too_large():
                self.stop = "script.memory_limit"
        return self.stop

    def _too_large(self) -> bool:
        used = self.bytes_used
        if used is None:
            return False
        self._most = max(self._most, used())
        if self._most <= self.memory or used() <= self.memory:
            return False
        self.collect()
        return used() > self.memory

    def short(self) -> bool:
        """Whether the run has come near the end of its memory.

        What one C function had made is free again when it has failed, and nobody looked
        meanwhile: only the process's peak still tells of it.
        """
        if self.bytes_used is None:
            return bool(self.memory)
        if max(self._most, self.bytes_used()) > self.memory // 2:
            return True
        return bool(self.memory) and peak() - self._peak > self.memory * _BRIM

    def overdue(self) -> bool:
        """Whether what the script has written has waited long enough."""
        now = time.monotonic()
        if now - self._kept <= HOUSEKEEPING_S:
            return False
        self._kept = now
        return True
