"""The event stream of one run: what each kind of event has, who tells it, who hears it.

A component that has something to tell asks its context::

    if ctx.run_events is not None:
        ctx.run_events.compacted("summarize", messages=(40, 12), tokens=(9000, 3100))

Nobody listening costs that look.
"""

from llmspell_core.run_events.event import RUN_EVENT_TYPES, TERMINAL, RunEvent, RunEventType
from llmspell_core.run_events.listening import EventLog, EventQueue
from llmspell_core.run_events.part import RunEvents
from llmspell_core.run_events.stream import Listener, RunEventStream

__all__ = [
    "RUN_EVENT_TYPES",
    "TERMINAL",
    "EventLog",
    "EventQueue",
    "Listener",
    "RunEvent",
    "RunEventStream",
    "RunEventType",
    "RunEvents",
]
