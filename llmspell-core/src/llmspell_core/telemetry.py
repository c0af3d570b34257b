"""The tracing hook: spans around model calls, agents, workflows and tools.

Nothing is traced until a tracer is installed: without one a span costs a function call. An
exporter implements `Tracer` and calls `install`; it is imported only when telemetry is on.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Protocol, Self

SpanKind = Literal["internal", "client"]

#: The OpenTelemetry GenAI semantic conventions whose names are emitted.
CONVENTIONS = "1.41.0"


class Span(Protocol):
    """A piece of work that is being traced; entered and left as a context manager."""

    def set(self, name: str, value: Any) -> None:
        """Set an attribute; None is left out."""
        ...

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Something that happened at this moment."""
        ...

    def error(self, code: str, message: str) -> None:
        """The work failed: `code` is our stable error code (`error.type`)."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...


class Tracer(Protocol):
    """Makes spans. `headers` are what an outgoing request carries (`traceparent`)."""

    def span(
        self, name: str, kind: SpanKind = "internal", attributes: Mapping[str, Any] | None = None
    ) -> Span:
        """A new span below the current one."""
        ...

    def headers(self) -> dict[str, str]:
        """The current span's context as HTTP headers; empty when nothing is traced."""
        ...


class _NoSpan:
    """The span of nothing: one object for everybody."""

    __slots__ = ()

    def set(self, name: str, value: Any) -> None: ...

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None: ...

    def error(self, code: str, message: str) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...


_NO_SPAN = _NoSpan()


class NoTracer:
    """Traces nothing; the default."""

    __slots__ = ()

    def span(
        self, name: str, kind: SpanKind = "internal", attributes: Mapping[str, Any] | None = None
    ) -> Span:
        return _NO_SPAN

    def headers(self) -> dict[str, str]:
        return {}


_tracer: Tracer = NoTracer()


def tracer() -> Tracer:
    """The installed tracer, else one that does nothing."""
    return _tracer


def install(new: Tracer | None) -> None:
    """Use this tracer from now on; None: trace nothing."""
    global _tracer  # noqa: PLW0603 - one a process, as in OpenTelemetry itself
    _tracer = new or NoTracer()


def enabled() -> bool:
    """Whether anything is traced: skip making costly attributes when not."""
    return not isinstance(_tracer, NoTracer)
