"""The two ways to hear a run: `EventQueue` for one reader, `EventLog` for any number."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from llmspell_core.run_events.event import RunEvent

#: Events that wait for one reader before the model's answer is read no further.
WAITING = 64
#: Events of a run that are kept one by one; then deltas are merged.
KEPT = 4096
_DELTAS = frozenset({"text.delta", "reasoning.delta", "tool_call.delta"})
_MERGED = _DELTAS | {"tool.progress", "output.partial"}


class _Wake:
    """Tells tasks of one loop that something has changed, from any thread."""

    __slots__ = ("_loop", "_waiting")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[asyncio.Future[None]] = []

    def set(self) -> None:
        """Wake all who wait."""
        if not self._waiting:
            return
        try:
            inside = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            inside = False
        if inside:
            self._wake()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    async def wait(self) -> None:
        """Until the next `set`."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)


class EventQueue:
    """Events on their way to one reader; a model that is faster than he is read no further."""

    __slots__ = ("_come", "_events", "_gone", "_hungry", "_left")

    def __init__(self) -> None:
        self._events: deque[RunEvent] = deque()
        self._come = _Wake()
        self._gone = _Wake()
        self._left = False
        #: The reader waits for the next event.
        self._hungry = False

    @property
    def crowded(self) -> bool:
        """Whether more wait than should, or the first one that the reader waits for."""
        return (self._hungry or len(self._events) >= WAITING) and not self._left

    def take(self, event: RunEvent) -> None:
        """Keep an event until it is read."""
        self._events.append(event)
        self._come.set()

    async def room(self) -> None:
        """Wait until it is not crowded any more."""
        if self._hungry:
            # A model that never waits must not keep him from what is there.
            await asyncio.sleep(0)
        while len(self._events) >= WAITING and not self._left:
            await self._gone.wait()

    async def next(self) -> RunEvent:
        """The next event, waiting for it."""
        while not self._events:
            self._hungry = True
            try:
                await self._come.wait()
            finally:
                self._hungry = False
        event = self._events.popleft()
        self._gone.set()
        return event

    def leave(self) -> None:
        """Nobody reads any more."""
        self._left = True
        self._events.clear()
        self._gone.set()


class EventLog:
    """All events of a run, from its beginning, for readers who may come late or never.

    It holds no run up. Beyond `kept` events the deltas of one request are merged, and of a
    tool's progress the latest is kept, so that it grows with what a run says, not with how many
    pieces that came in.
    """

    __slots__ = ("_come", "_events", "_most", "_readers")
    crowded = False

    def __init__(self, kept: int = KEPT) -> None:
        self._events: list[RunEvent] = []
        self._come = _Wake()
        self._most = kept
        #: How far each reader is: the sequence of the event he has read last.
        self._readers: list[_Reader] = []

    def __len__(self) -> int:
        return len(self._events)

    @property
    def last(self) -> RunEvent | None:
        """The latest event."""
        return self._events[-1] if self._events else None

    def take(self, event: RunEvent) -> None:
        """Keep an event."""
        self._events.append(event)
        if len(self._events) > self._most:
            self._events = merged(self._events, sorted(one.sequence for one in self._readers))
            # When merging has not helped much, the next time comes later.
            self._most = max(self._most, 2 * len(self._events))
        self._come.set()

    async def room(self) -> None:
        """There is always some."""

    async def read(self) -> AsyncIterator[RunEvent]:
        """All events, those to come too; ends after the terminal one."""
        reader = _Reader()
        self._readers.append(reader)
        try:
            while True:
                event = self._after(reader.sequence)
                if event is None:
                    await self._come.wait()
                    continue
                reader.sequence = event.sequence
                yield event
                if event.terminal:
                    return
        finally:
            self._readers.remove(reader)

    def _after(self, sequence: int) -> RunEvent | None:
        at = bisect_right(self._events, sequence, key=lambda event: event.sequence)
        return self._events[at] if at < len(self._events) else None


class _Reader:
    """How far one reader is."""

    __slots__ = ("sequence",)

    def __init__(self) -> None:
        self.sequence = 0


def merged(events: list[RunEvent], cuts: list[int]) -> list[RunEvent]:
    """The same in fewer events: deltas put together, what a later event makes void left out.

    What one reader has read already (`cuts`: the sequences) is not put together with the rest.
    """
    found: list[RunEvent | None] = []
    last: dict[tuple[Any, ...], int] = {}
    for event in events:
        one = event
        if event.type in _MERGED:
            behind = bisect_left(cuts, event.sequence)
            key = (event.type, event.agent_path, event.request, event.index, event.call_id, behind)
            at = last.get(key)
            if at is not None:
                earlier, found[at] = found[at], None
                if event.type in _DELTAS and earlier is not None:
                    one = replace(event, text=(earlier.text or "") + (event.text or ""))
            last[key] = len(found)
        found.append(one)
    return [one for one in found if one is not None]
