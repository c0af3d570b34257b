"""`Subscription`: one bounded queue of events, read by `receive` or by a handler."""

from __future__ import annotations

import itertools
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import error_data
from llmspell_core.events.event import Event
from llmspell_core.events.patterns import Pattern
from llmspell_core.hooks.running import entered
from llmspell_core.script.api import ScriptFunction

if TYPE_CHECKING:
    import asyncio
    from contextvars import Context

Handler = Callable[..., Any]
_log = logging.getLogger("llmspell.events")
_numbers = itertools.count(1)
#: Bytes of the data that scripts published, in the queues of one bus together.
MAX_QUEUED_SIZE = 64 << 20
#: After so many events a handler lets others run.
_TURN = 16


class Tally:
    """What the subscriptions of one bus count together, and the tasks of their handlers."""

    __slots__ = ("delivered", "dropped", "size", "tasks")

    def __init__(self) -> None:
        self.delivered = 0
        self.dropped = 0
        #: Bytes of the events that wait.
        self.size = 0
        self.tasks: set[asyncio.Task[None]] = set()


class Subscription:
    """Events that match a pattern, waiting in order; urgent ones (low priority) go first.

    When the queue is full the oldest of the least urgent is dropped and counted. A handler gets
    one event after the other, in the context it was subscribed in.
    """

    def __init__(
        self,
        pattern: str,
        handler: Handler | None,
        tally: Tally,
        *,
        size: int,
        once: bool = False,
        target: str | None = None,
    ) -> None:
        self.id = f"sub-{next(_numbers)}"
        self.pattern = Pattern(pattern)
        self.handler = handler
        self.once = once
        self.target = target
        self.dropped = 0
        self.errors = 0
        #: It takes no more events.
        self.closed = False
        self._tally = tally
        self._scripted = isinstance(handler, ScriptFunction)
        self._size = size
        self._queue: deque[tuple[Event, frozenset[str]]] = deque()
        self._waiting: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = _running_loop()
        self._context: Context | None = None
        if handler is not None:
            import contextvars

            self._context = contextvars.copy_context()

    @property
    def pending(self) -> int:
        """How many events wait."""
        return len(self._queue)

    @property
    def over(self) -> bool:
        """Whether nothing will come of it any more."""
        return self.closed and not self._queue and self._task is None

    def wants(self, event: Event) -> bool:
        """Whether an event of a matching type is for this subscription."""
        return event.target is None or self.target is None or event.target == self.target

    def push(self, event: Event) -> None:
        """Queue an event and wake whoever takes it. Also works from another thread."""
        self._insert(event)
        loop = _running_loop()
        if loop is None:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._wake)
        else:
            self._loop = loop
            self._wake()

    def pop(self) -> tuple[Event, frozenset[str]] | None:
        """The next event that has not expired."""
        while self._queue:
            item = self._queue.popleft()
            self._tally.size -= item[0].size
            if item[0].expires is None or item[0].expires > time.time():
                self._tally.delivered += 1
                return item
            self._count_dropped()
        return None

    async def take(self, timeout_ms: float | None) -> Event | None:
        """The next event, waiting for it; None when the time is over or it was closed."""
        import asyncio

        item = self.pop()
        if item is not None:
            return item[0]
        if timeout_ms is not None and timeout_ms <= 0:
            return None
        try:
            async with asyncio.timeout(None if timeout_ms is None else timeout_ms / 1000):
                return await self._next()
        except TimeoutError:
            return None

    def close(self) -> None:
        """Forget waiting events; whoever waits gets None. A handler that runs goes on."""
        self.closed = True
        self._tally.size -= sum(event.size for event, _ in self._queue)
        self._queue.clear()
        self._wake_waiting()

    async def _next(self) -> Event | None:
        loop = _running_loop()
        assert loop is not None  # noqa: S101 - a coroutine runs in a loop
        self._loop = loop
        while not self.closed:
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiting.append(waiter)
            try:
                await waiter
            finally:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
            item = self.pop()
            if item is not None:
                return item[0]
        return None

    def _insert(self, event: Event) -> None:
        queue, tally = self._queue, self._tally
        if len(queue) >= self._size:
            self._drop_one()
        if event.size:
            while queue and tally.size + event.size > MAX_QUEUED_SIZE:
                self._drop_one()
            if tally.size and tally.size + event.size > MAX_QUEUED_SIZE:
                self._count_dropped()
                return
            tally.size += event.size
        at = len(queue)
        while at and queue[at - 1][0].priority > event.priority:
            at -= 1
        queue.insert(at, (event, entered.get()))

    def _drop_one(self) -> None:
        queue = self._queue
        self._count_dropped()
        least = queue[-1][0].priority
        at = next(i for i, (event, _) in enumerate(queue) if event.priority == least)
        self._tally.size -= queue[at][0].size
        del queue[at]

    def _count_dropped(self) -> None:
        self.dropped += 1
        self._tally.dropped += 1

    def _wake(self) -> None:
        if self.handler is None:
            self._wake_waiting()
        elif self._task is None and self._loop is not None:
            self._task = self._loop.create_task(self._pump(), context=self._context)
            self._tally.tasks.add(self._task)
            self._task.add_done_callback(self._tally.tasks.discard)

    def _wake_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def _pump(self) -> None:
        import asyncio

        handled = 0
        try:
            while (item := self.pop()) is not None:
                await self._handle(*item)
                handled += 1
                if handled % _TURN == 0:
                    # A handler that publishes what it hears must not keep the loop for itself.
                    await asyncio.sleep(0)
        finally:
            self._task = None

    async def _handle(self, event: Event, inside: frozenset[str]) -> None:
        # What a hook starts by an event must not enter that hook again either.
        token = entered.set(inside)
        try:
            await call_handler(self.handler, event, scripted=self._scripted)
        except Exception as error:  # noqa: BLE001 - a handler only observes
            self.errors += 1
            if self.errors == 1:
                data = error_data(error)
                where = f"{data['source']}: " if data.get("source") else ""
                _log.warning(
                    "handler of %s failed: %s%s", self.pattern.text, where, data["message"]
                )
        finally:
            entered.reset(token)


async def call_handler(handler: Handler | None, event: Event, *, scripted: bool) -> None:
    """Call a handler, sync or async, with an event."""
    if handler is None:
        return
    answer = handler(event.to_script() if scripted else event)
    if answer is not None and hasattr(answer, "__await__"):
        await answer


def _running_loop() -> asyncio.AbstractEventLoop | None:
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
