"""`[events]`: the event bus."""

from __future__ import annotations

from llmspell_core.config.sections.base import Section, key


class Events(Section):
    """The event bus."""

    history: int = key(1000, "events kept", unit="events", least=0)
    queue: int = key(1024, "events a slow subscriber may lag behind", unit="events", least=1)
    share: list[str] = key([], "patterns of events that runs may see of each other")
