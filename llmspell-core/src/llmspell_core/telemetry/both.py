"""`Both`: two tracers at once, each with its own spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from llmspell_core.telemetry import Span, SpanKind, Tracer


def joined(one: Tracer | None, other: Tracer | None) -> Tracer | None:
    """Both tracers, or the one that there is."""
    if one is None or other is None:
        return one or other
    return Both(one, other)


class Both:
    """Tells two tracers the same; what others receive of a trace is the first one's."""

    def __init__(self, first: Tracer, second: Tracer) -> None:
        self.first = first
        self.second = second
        self.content = first.content or second.content

    def start(
        self,
        name: str,
        kind: SpanKind = "internal",
        attributes: Mapping[str, Any] | None = None,
        *,
        parent: Span | None = None,
        follows: Sequence[Span | str] = (),
    ) -> Span:
        """A span of each tracer, below the one it made before."""
        first, second = (
            one.start(name, kind, attributes, parent=parent, follows=follows)
            for one in (self.first, self.second)
        )
        return BothSpans(self, first, second)

    def measure(self, name: str, value: float, attributes: Mapping[str, Any]) -> None:
        """Told to both."""
        self.first.measure(name, value, attributes)
        self.second.measure(name, value, attributes)

    def event(self, name: str, attributes: Mapping[str, Any], span: Span) -> None:
        """Told to both."""
        self.first.event(name, attributes, span)
        self.second.event(name, attributes, span)


class BothSpans:
    """One piece of work in two traces."""

    __slots__ = ("first", "second", "tracer")

    def __init__(self, tracer: Both, first: Span, second: Span) -> None:
        self.tracer = tracer
        self.first = first
        self.second = second

    def set(self, name: str, value: Any) -> None:
        self.first.set(name, value)
        self.second.set(name, value)

    def error(self, code: str, message: str) -> None:
        self.first.error(code, message)
        self.second.error(code, message)

    def end(self) -> None:
        self.first.end()
        self.second.end()

    def headers(self) -> dict[str, str]:
        return self.first.headers()

    @contextmanager
    def active(self) -> Iterator[None]:
        with self.first.active(), self.second.active():
            yield

    def of(self, tracer: Tracer) -> Span | None:
        if tracer is self.tracer:
            return self
        return self.first.of(tracer) or self.second.of(tracer)
