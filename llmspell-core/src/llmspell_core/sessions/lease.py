"""`Lease`: who works in a session now; it ends by itself when its process is gone.

The lease is a key beside the records. Whoever appends a record names the version of the lease
that he holds, so that one who lost it (a machine that slept) can write nothing any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
import uuid
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import StateError
from llmspell_core.state.store import DELETE, KEEP, MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmspell_core.state import StateStore
    from llmspell_core.state.store import Change

KEY = "lease"
_POLL_S = (0.01, 0.25)


class Lease:
    """One run's right to append to a session."""

    def __init__(self, store: StateStore, scope: str, id: str, lease_ms: float) -> None:
        self._store = store
        self._scope = scope
        self._id = id
        self._lease_ms = lease_ms
        self._holder = uuid.uuid4().hex
        self._renewing: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self.version = 0

    async def take(self, wait_s: float) -> None:
        """Wait for the session to be free, and take it. Raises `session.busy`."""
        end = time.monotonic() + wait_s
        seen: tuple[int, float] | None = None
        pause = _POLL_S[0]
        while True:
            found, version = await self._store.get(self._scope, KEY)
            moment = time.monotonic()
            if version and (seen is None or seen[0] != version):
                seen = version, moment
            if self._is_free(found, seen, moment) and await self._put(version):
                self._renewing = asyncio.ensure_future(self._renew())
                return
            if moment >= end:
                raise busy(self._id, found)
            await asyncio.sleep(min(pause, max(0.0, end - moment)))
            pause = min(pause * 2, _POLL_S[1])

    async def write(self, changes: Mapping[str, Change], *, release: bool = False) -> None:
        """Make changes as the holder; with `release` let go. Raises `session.lost`."""
        async with self._lock:
            # A version of 0 would mean that nobody holds it, which is what must not be.
            wanted = {**changes, KEY: (self.version or -1, DELETE if release else KEEP)}
            done = await self._store.compare_and_set(self._scope, wanted)
            if done and release:
                self._ended()
        if not done:
            self._ended()
            raise StateError(
                f'another run has taken over the session "{self._id}"',
                code="session.lost",
                hint="this run was silent for longer than [sessions] lease_ms; do the turn again",
                retryable=True,
            )

    async def release(self) -> None:
        """Let go of the session; harmless when it is held no more."""
        async with self._lock:
            version, self.version = self.version, 0
            self._ended()
            if version:
                await self._store.compare_and_set(self._scope, {KEY: (version, DELETE)})

    def _ended(self) -> None:
        self.version = 0
        if self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None

    def _is_free(self, found: Any, seen: tuple[int, float] | None, moment: float) -> bool:
        if found is MISSING or not isinstance(found, dict):
            return True
        if found.get("place") == _place() and not _alive(found.get("pid")):
            return True
        # By our own clock: those of two machines differ.
        lasts = found.get("lease_ms") or self._lease_ms
        return seen is not None and moment - seen[1] > lasts / 1000

    async def _put(self, version: int) -> bool:
        """Write the lease over the version that was seen."""
        data = {
            "holder": self._holder,
            "place": _place(),
            "pid": os.getpid(),
            "lease_ms": self._lease_ms,
            "at": time.time(),
        }
        if not await self._store.compare_and_set(self._scope, {KEY: (version, data)}):
            return False
        found, self.version = await self._store.get(self._scope, KEY)
        return isinstance(found, dict) and found.get("holder") == self._holder

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease_ms / 3000)
            async with self._lock:
                if not self.version:
                    return
                try:
                    if not await self._put(self.version):
                        self.version = 0
                        return
                except StateError:
                    # Told where something is written: the session may still be ours by then.
                    continue


def busy(id: str, found: Any) -> StateError:
    """What is thrown when a session did not become free in time."""
    pid = found.get("pid") if isinstance(found, dict) else None
    here = isinstance(found, dict) and found.get("place") == _place()
    who = "another run"
    if here and pid != os.getpid():
        who = f"another run (process {pid})"
    return StateError(
        f'{who} is working in the session "{id}"',
        code="session.busy",
        hint="wait for it to end, or raise [sessions] wait_ms",
        details={"session": id},
        retryable=True,
    )


@cache
def _place() -> str:
    """Where process ids mean the same: this machine since it booted, in this namespace."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
    try:
        parts.append(os.readlink("/proc/self/ns/pid"))  # noqa: PTH115 - it names no file
    except OSError:
        parts.append(str(uuid.getnode()))
    return " ".join(parts)


def _alive(pid: Any) -> bool:
    """Whether a process of this machine may still live."""
    if not isinstance(pid, int) or os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return not _zombie(pid)


def _zombie(pid: int) -> bool:
    """Killed, but its parent has not looked yet: nothing of it runs any more."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[:1] == ["Z"]
