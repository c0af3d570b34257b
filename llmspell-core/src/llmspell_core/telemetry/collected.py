"""`Collector`: keeps the spans of a run in memory, for the built-in hook `tracing`."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from llmspell_core.telemetry import Span, SpanKind, Tracer, names

if TYPE_CHECKING:
    from llmspell_core.telemetry.content import Content

_random = random.SystemRandom()


class Collector:
    """Keeps what has ended, at most `most` spans, and logs it when it has a `level`."""

    def __init__(self, most: int, level: int | None = None) -> None:
        self.content: Content | None = None
        self._most = most
        self._level = level
        self._log = logging.getLogger("llmspell.tracing")
        self.spans: list[dict[str, Any]] = []
        self.dropped = 0

    def start(
        self,
        name: str,
        kind: SpanKind = "internal",
        attributes: Mapping[str, Any] | None = None,
        *,
        parent: Span | None = None,
        follows: Sequence[Span | str] = (),
    ) -> Span:
        """A new span; below one that this tracer did not make it begins a trace."""
        above = parent.of(self) if parent is not None else None
        before = (one.of(self) for one in follows if not isinstance(one, str))
        data: dict[str, Any] = {"name": name, "kind": kind}
        if isinstance(above, CollectedSpan):
            data |= {"trace_id": above.trace_id, "parent_id": above.span_id}
        if links := [one.span_id for one in before if isinstance(one, CollectedSpan)]:
            data["links"] = links
        made = CollectedSpan(self, data)
        for key, value in (attributes or {}).items():
            made.set(key, value)
        return made

    def measure(self, name: str, value: float, attributes: Mapping[str, Any]) -> None:
        """Measurements are what the hook `metrics` is for."""

    def event(self, name: str, attributes: Mapping[str, Any], span: Span) -> None:
        """Events have content only, which is not collected."""

    def ended(self, span: dict[str, Any]) -> None:
        """A span is over."""
        if len(self.spans) < self._most:
            self.spans.append(span)
        else:
            self.dropped += 1
        if self._level is not None:
            failed = span["attributes"].get(names.ERROR)
            self._log.log(
                self._level,
                "%s %.1f ms%s",
                span["name"],
                span["duration_ms"],
                f" failed: {failed}" if failed else "",
            )


class CollectedSpan:
    """A span as plain data; `start_time` is seconds since 1970."""

    __slots__ = ("_attributes", "_data", "_ended", "_started", "_tracer", "span_id", "trace_id")

    def __init__(self, tracer: Collector, data: dict[str, Any]) -> None:
        self._tracer = tracer
        self.trace_id: str = data.get("trace_id") or f"{_random.getrandbits(128):032x}"
        self.span_id = f"{_random.getrandbits(64):016x}"
        self._attributes: dict[str, Any] = {}
        self._started = time.perf_counter()
        self._ended = False
        self._data = {
            **data,
            "trace_id": self.trace_id,
            "span_id": self.span_id,
            "start_time": time.time(),
            "attributes": self._attributes,
        }

    def set(self, name: str, value: Any) -> None:
        if value is not None and name not in names.CONTENT:
            self._attributes[name] = value

    def error(self, code: str, message: str) -> None:
        self._attributes[names.ERROR] = code

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._data["duration_ms"] = (time.perf_counter() - self._started) * 1000
            self._tracer.ended(self._data)

    def headers(self) -> dict[str, str]:
        """Nothing: this trace is nobody else's."""
        return {}

    def active(self) -> AbstractContextManager[None]:
        return nullcontext()

    def of(self, tracer: Tracer) -> Span | None:
        return self if tracer is self._tracer else None
