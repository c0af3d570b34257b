"""`RunEventStream`: the events of one run, numbered in one order, on their way to a listener."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from llmspell_core.run_events.event import TERMINAL, RunEvent, RunEventType

if TYPE_CHECKING:
    from llmspell_core.run_events.part import RunEvents


class Listener(Protocol):
    """Takes the events of a run."""

    @property
    def crowded(self) -> bool:
        """Whether whoever reads lags behind: a model's answer is read on when `room` returns."""
        ...

    def take(self, event: RunEvent) -> None:
        """Keep an event, or hand it on. Called from any thread; must not raise."""
        ...

    async def room(self) -> None:
        """Wait until it is not crowded any more."""
        ...


class RunEventStream:
    """The events of one run. After the terminal event it takes no more.

    Args:
        listener: who takes them
        run_id: the run
        deep: whether agents that run inside of tools are heard too
        outer: what a run around this one tells its own listener, which hears of this one too
    """

    def __init__(
        self,
        listener: Listener,
        run_id: str,
        *,
        deep: bool = True,
        outer: RunEvents | None = None,
    ) -> None:
        self.listener = listener
        self.run_id = run_id
        self.deep = deep
        self.ended = False
        #: While a paused run is done again up to where it was: that was told before.
        self.muted = False
        #: The request whose text is the answer; 0: none has given one.
        self.answer = 0
        self._outer = outer
        self._lock = threading.Lock()
        self._number = 0
        # Runs inside of each other number their requests together.
        self._requests: itertools.count[int] = (
            outer.stream._requests if outer is not None else itertools.count(1)
        )
        self._names: dict[str, int] = {}
        #: How the run around this one calls the agents that this one begins with.
        self._entries: dict[str, str] = {}
        self._started = time.perf_counter()

    def emit(self, type_: RunEventType, agent_path: str, depth: int, **fields: Any) -> None:
        """Number an event and hand it to the listener."""
        event = RunEvent(type_, 0, self.run_id, agent_path, 0.0, depth, **fields)
        self._send(event)

    def forward(self, event: RunEvent, inside: RunEvents, path: str) -> None:
        """Take over an event of a run inside of this one, numbered anew."""
        depth = inside.depth + event.depth + 1
        self._send(replace(event, run_id=self.run_id, agent_path=path, depth=depth))

    def _send(self, event: RunEvent) -> None:
        # Tools in threads tell of themselves too: no two events are numbered at once.
        with self._lock:
            if self.ended or self.muted:
                return
            self._number += 1
            event.sequence = self._number
            event.elapsed_ms = (time.perf_counter() - self._started) * 1000
            self.ended = event.type in TERMINAL
            self.listener.take(event)
        outer = self._outer
        if outer is None or not outer.stream.deep:
            return
        if event.type != "run.started" and event.type not in TERMINAL:
            outer.stream.forward(event, outer, self._outside(event.agent_path, outer))

    def _outside(self, path: str, outer: RunEvents) -> str:
        first, slash, rest = path.partition("/")
        placed = self._entries.get(first)
        if placed is None:
            name = first.partition("#")[0]
            placed = self._entries[first] = outer.stream.place(f"{outer.agent_path}/{name}")
        return f"{placed}{slash}{rest}"

    def next_request(self) -> int:
        """The number of the next model request."""
        return next(self._requests)

    def place(self, path: str) -> str:
        """An agent's path: with `#2` when it is the second of this path, and so on."""
        times = self._names[path] = self._names.get(path, 0) + 1
        return path if times == 1 else f"{path}#{times}"
