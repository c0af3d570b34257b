"""The script global `Event` (= `Events`): tell others what happened, and hear of it."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from llmspell_core.errors import ValidationError
from llmspell_core.events import Event
from llmspell_core.events.patterns import check_name
from llmspell_core.hooks.hook import priority_number
from llmspell_core.script.api import Result, ScriptFunction, ScriptGlobal, script_method
from llmspell_core.script.model import ScriptModel
from llmspell_core.security.limits import check_value


class EventOptions(ScriptModel):
    """What may be said of an event beside its data."""

    correlation_id: str | None = Field(
        default=None, description="what it belongs to; default: this run"
    )
    target: str | None = Field(default=None, description="only for subscriptions with this target")
    ttl_seconds: float | None = Field(
        default=None, gt=0, description="nobody gets it later, seconds"
    )
    priority: float | str = Field(
        default=0, description="lower is received first; or highest, high, normal, low, lowest"
    )
    language: str | None = Field(default=None, description="default: the language of the script")


class EventSpec(EventOptions):
    """An event in one table."""

    aliases: ClassVar[dict[str, str]] = {"event_type": "type"}

    type: str = Field(description="such as order.created")
    data: Any = None


class SubscribeOptions(ScriptModel):
    """How a subscription works."""

    once: bool = Field(default=False, description="end after the first event")
    queue: int | None = Field(default=None, ge=1, description="how many events may wait")
    target: str | None = Field(default=None, description="skip events to other targets")


class EventFilter(ScriptModel):
    """Which past events are meant."""

    pattern: str = "**"
    since: str | float | None = Field(default=None, description="ISO 8601, or ms since 1970")
    limit: int | None = Field(default=None, ge=0, description="the last ones only")

    def arguments(self) -> dict[str, Any]:
        """For `EventBus.history`, which counts in seconds."""
        since = self.since / 1000 if isinstance(self.since, (int, float)) else self.since
        return {"pattern": self.pattern, "since": since, "limit": self.limit}


class EventGlobal(ScriptGlobal):
    """Events: publish, subscribe, receive, look back.

    Patterns: `agent.*` (one segment), `*.error`, `workflow.**` (any number), `**` (all). A
    script hears the events of its own run.
    """

    name = "Event"
    aliases = ("Events",)

    @script_method(aliases=("emit",))
    def publish(
        self, type: str | EventSpec, data: Any = None, options: EventOptions | None = None
    ) -> str:
        """Publish an event; its id.

        Args:
            type: what happened, such as order.created; or all in one table
            data: what subscribers get with it
            options: correlation_id, target, ttl_seconds, priority, language
        """
        spec = type if isinstance(type, EventSpec) else None
        given = spec or options or EventOptions()
        content = spec.data if spec else data
        event = self.ctx.events.emit(
            check_name(type if isinstance(type, str) else type.type, "type"),
            content,
            source=self.ctx.state_scope,
            correlation_id=given.correlation_id or self.ctx.correlation_id,
            language=given.language or self.ctx.language,
            priority=priority_number(given.priority),
            target=given.target,
            ttl_seconds=given.ttl_seconds,
            size=check_value(content, self.ctx.policy.profile.limits),
        )
        return event.id

    @script_method
    def subscribe(
        self,
        pattern: str,
        handler: ScriptFunction | SubscribeOptions | None = None,
        options: SubscribeOptions | None = None,
    ) -> str:
        """Subscribe to events; the id for receive and unsubscribe.

        Args:
            pattern: which types, such as agent.*
            handler: called with each event; without it events wait for receive
            options: once, queue, target
        """
        if isinstance(handler, SubscribeOptions):
            if options is not None:
                raise ValidationError("Event.subscribe: the options were given twice")
            handler, options = None, handler
        return self._subscribe(pattern, handler, options or SubscribeOptions())

    @script_method
    def once(
        self,
        pattern: str,
        handler: ScriptFunction | None = None,
        options: SubscribeOptions | None = None,
    ) -> str:
        """Subscribe to the next event only; the subscription's id.

        Args:
            pattern: which types, such as agent.*
            handler: called with the event; without it the event waits for receive
            options: queue, target
        """
        given = options or SubscribeOptions()
        return self._subscribe(pattern, handler, given.model_copy(update={"once": True}))

    @script_method
    def unsubscribe(self, id: str) -> bool:
        """End a subscription; whether it existed.

        Args:
            id: what subscribe returned
        """
        return self.ctx.events.unsubscribe(id)

    @script_method
    async def receive(self, id: str, timeout_ms: float | None = None) -> Event | None:
        """The next event of a subscription without a function, or nil when the time is over.

        Args:
            id: what subscribe returned
            timeout_ms: how long to wait, ms; 0 looks only, left out waits for as long as it takes
        """
        return await self.ctx.events.receive(id, timeout_ms)

    @script_method
    async def wait_for(self, pattern: str, timeout_ms: float | None = None) -> Event | None:
        """The next event of these types from now on, or nil when the time is over.

        Args:
            pattern: which types, such as agent.*
            timeout_ms: how long to wait, ms
        """
        return await self.ctx.events.wait_for(pattern, timeout_ms)

    @script_method
    def list_subscriptions(self) -> list[dict[str, Any]]:
        """This run's subscriptions: {id, pattern, pending, dropped}."""
        return [Result(one) for one in self.ctx.events.subscriptions()]  # type: ignore[misc]

    @script_method
    def history(self, filter: str | EventFilter | None = None) -> list[Event]:
        """Past events of this run, oldest first.

        Args:
            filter: a pattern, or {pattern, since, limit}
        """
        return self.ctx.events.history(**_filter(filter).arguments())

    @script_method
    async def replay(self, filter: str | EventFilter | None, handler: ScriptFunction) -> int:
        """Call a function with past events, oldest first; how many there were.

        Args:
            filter: a pattern, or {pattern, since, limit}
            handler: called with each event
        """
        return await self.ctx.events.replay(_filter(filter).arguments(), handler)

    @script_method
    def get_stats(self) -> dict[str, Any]:
        """Counts of this run: published, delivered, dropped, subscriptions."""
        stats = self.ctx.events.stats()
        waiting = sum(one["pending"] for one in self.ctx.events.subscriptions())
        bridge = {"language": self.ctx.language, "pending": waiting}
        counts = {key: stats[key] for key in ("published", "delivered", "dropped", "subscriptions")}
        return Result(  # type: ignore[return-value]
            {**counts, "event_bus_stats": Result(stats), "bridge_stats": Result(bridge)}
        )

    def _subscribe(
        self, pattern: str, handler: ScriptFunction | None, options: SubscribeOptions
    ) -> str:
        return self.ctx.events.subscribe(
            pattern, handler, once=options.once, queue=options.queue, target=options.target
        )


def _filter(given: str | EventFilter | None) -> EventFilter:
    if isinstance(given, EventFilter):
        return given
    return EventFilter() if given is None else EventFilter(pattern=given)
