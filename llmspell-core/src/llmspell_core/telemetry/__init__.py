"""Tracing and metrics: spans around model requests, agents, workflows, tools, steps and scripts.

A `Tracer` belongs to a layer of hooks (`ctx.hooks.tracer`) and is None unless somebody asked for
one: then what is traced costs a look-up. Three kinds exist: `otel.OtelTracer` exports to where
the user's settings say, `collected.Collector` keeps the spans of one run for the built-in hook
`tracing`, and `both.Both` is two at once. `names` has every name that is emitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.telemetry.content import Content

SpanKind = Literal["internal", "client"]


class Span(Protocol):
    """A piece of work that is being traced. It ends once, and is not changed afterwards."""

    def set(self, name: str, value: Any) -> None:
        """Set an attribute: a text, a number, a truth value or a list of texts. None: nothing."""
        ...

    def error(self, code: str, message: str) -> None:
        """The work failed: `code` is our stable error code (`error.type`)."""
        ...

    def end(self) -> None:
        """The work is over, at this moment."""
        ...

    def headers(self) -> dict[str, str]:
        """What an outgoing request carries so that the other side goes on with this trace."""
        ...

    def active(self) -> AbstractContextManager[None]:
        """While it is entered, libraries that trace by themselves put their spans below."""
        ...

    def of(self, tracer: Tracer) -> Span | None:
        """The span that this tracer made for the same work, if it did."""
        ...


class Tracer(Protocol):
    """Makes spans and takes measurements. No method raises, none waits."""

    #: Which prompts, answers, arguments and results are captured; None: none at all.
    content: Content | None

    def start(
        self,
        name: str,
        kind: SpanKind = "internal",
        attributes: Mapping[str, Any] | None = None,
        *,
        parent: Span | None = None,
        follows: Sequence[Span | str] = (),
    ) -> Span:
        """A new span, below `parent`, linked to those that it follows from.

        A text is the `traceparent` of a span that another process may have made.
        """
        ...

    def measure(self, name: str, value: float, attributes: Mapping[str, Any]) -> None:
        """Count a value into the histogram of this name (`names.METRICS`)."""
        ...

    def event(self, name: str, attributes: Mapping[str, Any], span: Span) -> None:
        """Something that happened during a span, in a record of its own."""
        ...


def headers_of(span: Span | None) -> dict[str, str]:
    """The headers of an outgoing request below this span; empty when nothing is traced."""
    return {} if span is None else span.headers()


def after_handoff(ctx: ExecutionContext) -> ExecutionContext:
    """The context of an agent that control was just handed to: its span follows the one before.

    It stands beside that one; where nothing is above both, below it: a trace is one tree.
    """
    if ctx.hooks.tracer is None:
        return ctx
    from llmspell_core.telemetry.runs import ended

    before = ended.get()
    return ctx.child(follows=before, span=ctx.span or before)
