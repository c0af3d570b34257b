"""`EventBus`: emit, subscribe, receive, history; a run's bus over the base one."""

from __future__ import annotations

import itertools
import time
import weakref
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LimitError, LLMSpellError, ValidationError, did_you_mean
from llmspell_core.events.event import Event
from llmspell_core.events.patterns import Pattern
from llmspell_core.events.subscription import Handler, Subscription, Tally, call_handler
from llmspell_core.script.api import ScriptFunction

if TYPE_CHECKING:
    pass

MAX_SUBSCRIPTIONS = 1000
#: Bytes of the data that scripts published, in the history of one bus.
MAX_HISTORY_SIZE = 4 << 20
#: How many types' matching subscriptions are remembered.
_MAX_CACHED = 512
_sequence = itertools.count(1)


class EventBus:
    """Publish and subscribe within one run, or in the base for everything.

    Every event also goes up to the parent. A run's subscriptions see its own events, and those
    of other runs whose type matches a pattern of `share`. `history` and `queue` are how many
    events are kept, and how many wait in one subscription.
    """

    def __init__(
        self,
        *,
        history: int = 1000,
        queue: int = 1024,
        parent: EventBus | None = None,
        share: list[str] | None = None,
    ) -> None:
        self.parent = parent
        self._queue = queue
        self._history: deque[Event] = deque(maxlen=history)
        self._history_size = 0
        self._subscriptions: dict[str, Subscription] = {}
        self._matching: dict[str, tuple[Subscription, ...]] = {}
        self._published = 0
        self._tally = Tally()
        self._share = tuple(Pattern(text) for text in share or ())
        self._sharing: weakref.WeakSet[EventBus] = weakref.WeakSet()
        if parent is not None and self._share:
            parent._sharing.add(self)

    def emit(
        self,
        type: str,
        data: Any = None,
        *,
        source: str = "llmspell",
        correlation_id: str | None = None,
        language: str = "python",
        priority: float = 0,
        target: str | None = None,
        ttl_seconds: float | None = None,
        size: int = 0,
    ) -> Event:
        """Publish an event. Cheap and never raises: handlers run later, as tasks.

        `data` is not copied. After `ttl_seconds` nobody gets it any more. Subscriptions that
        named a `target` get only events to it and those to nobody. `size` is about how many
        bytes the data takes: to be given for data from outside, since much of it is not kept.
        """
        now = time.time()
        expires = None if ttl_seconds is None else now + ttl_seconds
        event = Event(
            type,
            data,
            next(_sequence),
            now,
            source,
            correlation_id,
            language,
            priority,
            target,
            expires,
            size,
        )
        bus: EventBus | None = self
        below: EventBus | None = None
        while bus is not None:
            bus._published += 1
            bus._keep(event)
            if bus._subscriptions:
                bus._deliver(event)
            if bus._sharing:
                bus._pass_on(event, below)
            below, bus = bus, bus.parent
        return event

    def subscribe(
        self,
        pattern: str,
        handler: Handler | None = None,
        *,
        once: bool = False,
        queue: int | None = None,
        target: str | None = None,
    ) -> str:
        """Subscribe to event types; the id is for `receive` and `unsubscribe`.

        With a handler, it is called with each event; without one, events wait for `receive`.
        Raises ``input.invalid`` and ``limit.subscriptions``.
        """
        if len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            self._sweep()
        if len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            raise LimitError(
                f"more than {MAX_SUBSCRIPTIONS} subscriptions",
                code="limit.subscriptions",
                hint="unsubscribe what is not needed any more",
            )
        if queue is not None and queue < 1:
            raise ValidationError("queue must be at least 1")
        size = min(queue or self._queue, self._queue)
        made = Subscription(pattern, handler, self._tally, size=size, once=once, target=target)
        self._subscriptions[made.id] = made
        self._matching.clear()
        return made.id

    def unsubscribe(self, subscription_id: str) -> bool:
        """End a subscription; whether it existed. What waits in it is forgotten."""
        self._sweep()
        found = self._subscriptions.pop(subscription_id, None)
        if found is None:
            return False
        self._matching.clear()
        found.close()
        return True

    async def receive(self, subscription_id: str, timeout_ms: float | None = None) -> Event | None:
        """The next event of a subscription without handler, or None when the time is over.

        Without `timeout_ms` it waits; 0 looks only. Raises ``event.unknown_subscription``.
        """
        found = self._subscriptions.get(subscription_id)
        if found is None:
            raise LLMSpellError(
                f'unknown subscription "{subscription_id}"',
                code="event.unknown_subscription",
                hint=did_you_mean(subscription_id, list(self._subscriptions)),
            )
        if found.handler is not None:
            raise LLMSpellError(
                f"subscription {subscription_id} has a handler, which gets its events",
                code="event.has_handler",
                hint="subscribe without a function to receive",
            )
        event = await found.take(timeout_ms)
        if found.over:
            self._subscriptions.pop(found.id, None)
        return event

    async def wait_for(self, pattern: str, timeout_ms: float | None = None) -> Event | None:
        """The next event of these types from now on, or None when the time is over."""
        waiting = self.subscribe(pattern, queue=1)
        try:
            return await self.receive(waiting, timeout_ms)
        finally:
            self.unsubscribe(waiting)

    def history(
        self, pattern: str = "**", since: float | str | None = None, limit: int | None = None
    ) -> list[Event]:
        """Past events, oldest first; with `limit` the last ones.

        `since` is a time: seconds since 1970, or ISO 8601 text.
        """
        wanted = Pattern(pattern)
        start, now = _seconds(since), time.time()
        found = [
            event
            for event in self._history
            if event.timestamp > start
            and (event.expires is None or event.expires > now)
            and wanted.matches(event.type)
        ]
        return found if limit is None else found[max(0, len(found) - limit) :]

    async def replay(self, filter: dict[str, Any], handler: Callable[[Event], Any]) -> int:
        """Call `handler` with past events (`filter` as for `history`); how many there were."""
        events = self.history(**filter)
        scripted = isinstance(handler, ScriptFunction)
        for event in events:
            await call_handler(handler, event, scripted=scripted)
        return len(events)

    def subscriptions(self) -> list[dict[str, Any]]:
        """The subscriptions of this bus: `id`, `pattern`, `pending`, `dropped`."""
        self._sweep()
        return [
            {
                "id": one.id,
                "pattern": one.pattern.text,
                "pending": one.pending,
                "dropped": one.dropped,
            }
            for one in self._subscriptions.values()
        ]

    def stats(self) -> dict[str, Any]:
        """Counts of this bus: `published`, `delivered`, `dropped`, `subscriptions`, `history`."""
        self._sweep()
        return {
            "published": self._published,
            "delivered": self._tally.delivered,
            "dropped": self._tally.dropped,
            "subscriptions": len(self._subscriptions),
            "history": len(self._history),
        }

    async def drain(self, timeout_ms: float = 5000) -> bool:
        """Wait for handlers that still have events; whether they ended in time."""
        import asyncio

        end = time.monotonic() + timeout_ms / 1000
        while tasks := [*self._tally.tasks]:
            left = end - time.monotonic()
            if left <= 0:
                return False
            await asyncio.wait(tasks, timeout=left)
        return True

    def close(self) -> None:
        """End all subscriptions; handlers that run are cancelled, whoever waits gets None."""
        for one in self._subscriptions.values():
            one.close()
        self._subscriptions.clear()
        self._matching.clear()
        for task in self._tally.tasks:
            task.cancel()
        if self.parent is not None:
            self.parent._sharing.discard(self)

    def _keep(self, event: Event) -> None:
        """Add to the history, which holds so many events and so many bytes."""
        history = self._history
        history.append(event)
        if event.size:
            self._history_size += event.size
            if self._history_size > MAX_HISTORY_SIZE:
                # What has left at the other end is not counted: count again, and make room.
                self._history_size = sum(one.size for one in history)
                while self._history_size > MAX_HISTORY_SIZE:
                    self._history_size -= history.popleft().size

    def _sweep(self) -> None:
        """Forget the subscriptions to one event that have had it."""
        for one in [one for one in self._subscriptions.values() if one.over]:
            del self._subscriptions[one.id]

    def _deliver(self, event: Event) -> None:
        matching = self._matching.get(event.type)
        if matching is None:
            matching = tuple(
                one
                for one in self._subscriptions.values()
                if not one.closed and one.pattern.matches(event.type)
            )
            if len(self._matching) >= _MAX_CACHED:
                self._matching.clear()
            self._matching[event.type] = matching
        for one in matching:
            if one.wants(event):
                one.push(event)
                if one.once:
                    one.closed = True
                    self._matching.clear()

    def _pass_on(self, event: Event, below: EventBus | None) -> None:
        for bus in list(self._sharing):
            if bus is not below and any(one.matches(event.type) for one in bus._share):
                bus._keep(event)
                bus._deliver(event)


def _seconds(since: float | str | None) -> float:
    if since is None:
        return 0.0
    if isinstance(since, (int, float)):
        return float(since)
    try:
        return datetime.fromisoformat(since).timestamp()
    except ValueError:
        raise ValidationError(
            f'since must be a time, not "{since}"', hint='for example "2026-01-31T12:00:00Z"'
        ) from None
