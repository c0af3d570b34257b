"""Events: what happened, told to whoever subscribed to its type."""

from llmspell_core.events.bus import MAX_SUBSCRIPTIONS, EventBus
from llmspell_core.events.event import Event
from llmspell_core.events.patterns import Pattern

__all__ = ["MAX_SUBSCRIPTIONS", "Event", "EventBus", "Pattern"]
