"""`OtelTracer`: our spans, measurements and events in OpenTelemetry's SDK (extra `otel`)."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, ConsoleLogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SimpleSpanProcessor,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from llmspell_core.telemetry import Span, SpanKind, Tracer, names

if TYPE_CHECKING:
    from llmspell_core.telemetry.content import Content
    from llmspell_core.telemetry.switch import Plan, Target

_KINDS = {"internal": trace.SpanKind.INTERNAL, "client": trace.SpanKind.CLIENT}
_PROPAGATOR = TraceContextTextMapPropagator()
_MAX_WARNING = 200


class OtelTracer:
    """Exports what a plan says, from threads of the SDK: a run never waits for it."""

    def __init__(self, plan: Plan, content: Content | None, version: str) -> None:
        self.content = content
        service = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "llmspell"}
        resource = Resource.create(service)
        targets = plan.targets
        self._closing: list[Callable[[], object]] = []
        tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        if target := targets.get("traces"):
            tracers.add_span_processor(_span_processor(target))
        self._tracer = tracers.get_tracer("llmspell", version, schema_url=names.SCHEMA_URL)
        self._closing.append(tracers.shutdown)
        self._instruments: dict[str, Any] = {}
        if target := targets.get("metrics"):
            self._add_metrics(target, resource, version)
        self._events: Any = None
        if target := targets.get("logs"):
            loggers = LoggerProvider(resource=resource, shutdown_on_exit=False)
            loggers.add_log_record_processor(BatchLogRecordProcessor(_log_exporter(target)))
            self._events = loggers.get_logger("llmspell", version, schema_url=names.SCHEMA_URL)
            self._closing.append(loggers.shutdown)
        # A program that calls us may be part of a trace already.
        carried = {"traceparent": os.environ.get("TRACEPARENT", "")}
        self._outer = _PROPAGATOR.extract(carried) if carried["traceparent"] else None

    def _add_metrics(self, target: Target, resource: Resource, version: str) -> None:
        reader = PeriodicExportingMetricReader(_metric_exporter(target))
        meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        meter = meters.get_meter("llmspell", version, schema_url=names.SCHEMA_URL)
        for name, (unit, description, bounds) in names.METRICS.items():
            self._instruments[name] = meter.create_histogram(
                name,
                unit=unit,
                description=description,
                explicit_bucket_boundaries_advisory=list(bounds),
            )
        self._closing.append(meters.shutdown)

    def start(
        self,
        name: str,
        kind: SpanKind = "internal",
        attributes: Mapping[str, Any] | None = None,
        *,
        parent: Span | None = None,
        follows: Sequence[Span | str] = (),
    ) -> Span:
        """A new span; without a parent below the current one of the program around us."""
        above = parent.of(self) if parent is not None else None
        context: otel_context.Context | None = None
        if isinstance(above, OtelSpan):
            context = trace.set_span_in_context(above.inner)
        elif not trace.get_current_span().get_span_context().is_valid:
            context = self._outer
        links = [trace.Link(found) for one in follows if (found := self._context_of(one))]
        known = {key: value for key, value in (attributes or {}).items() if value is not None}
        made = self._tracer.start_span(
            name, context=context, kind=_KINDS[kind], attributes=known, links=links
        )
        return OtelSpan(self, made)

    def _context_of(self, span: Span | str) -> trace.SpanContext | None:
        if isinstance(span, str):
            carried = _PROPAGATOR.extract({"traceparent": span})
            found = trace.get_current_span(carried).get_span_context()
            return found if found.is_valid else None
        mine = span.of(self)
        return mine.inner.get_span_context() if isinstance(mine, OtelSpan) else None

    def measure(self, name: str, value: float, attributes: Mapping[str, Any]) -> None:
        """Count it into the histogram, if metrics are exported."""
        instrument = self._instruments.get(name)
        if instrument is not None:
            instrument.record(value, attributes)

    def event(self, name: str, attributes: Mapping[str, Any], span: Span) -> None:
        """A log record of this name, if logs are exported."""
        above = span.of(self)
        if self._events is not None and isinstance(above, OtelSpan):
            self._events.emit(
                event_name=name,
                attributes=dict(attributes),
                context=trace.set_span_in_context(above.inner),
            )

    def close(self) -> list[threading.Thread]:
        """Send what is left, each signal in a thread: the threads may be left to themselves."""
        threads = [
            threading.Thread(target=one, name="llmspell-telemetry", daemon=True)
            for one in self._closing
        ]
        for thread in threads:
            thread.start()
        return threads


class OtelSpan:
    """One of OpenTelemetry's spans."""

    __slots__ = ("_tracer", "inner")

    def __init__(self, tracer: OtelTracer, inner: trace.Span) -> None:
        self._tracer = tracer
        self.inner = inner

    def set(self, name: str, value: Any) -> None:
        if value is not None:
            self.inner.set_attribute(name, value)

    def error(self, code: str, message: str) -> None:
        self.inner.set_attribute(names.ERROR, code)
        content = self._tracer.content
        # A message may quote what was given: it is content like any other.
        told = content.text(message)[1:-1] if content and content.on_spans else None
        self.inner.set_status(trace.Status(trace.StatusCode.ERROR, told))

    def end(self) -> None:
        self.inner.end()

    def headers(self) -> dict[str, str]:
        carried: dict[str, str] = {}
        _PROPAGATOR.inject(carried, trace.set_span_in_context(self.inner))
        return carried

    @contextmanager
    def active(self) -> Iterator[None]:
        token = otel_context.attach(trace.set_span_in_context(self.inner))
        try:
            yield
        finally:
            otel_context.detach(token)

    def of(self, tracer: Tracer) -> Span | None:
        return self if tracer is self._tracer else None


def _span_processor(target: Target) -> Any:
    if target.exporter == "console":
        exporter = ConsoleSpanExporter(
            out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + "\n"
        )
        return SimpleSpanProcessor(exporter)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return BatchSpanProcessor(OTLPSpanExporter(endpoint=target.endpoint or None))


def _metric_exporter(target: Target) -> Any:
    if target.exporter == "console":
        return ConsoleMetricExporter(
            out=sys.stderr, formatter=lambda found: found.to_json(indent=None) + "\n"
        )
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter(endpoint=target.endpoint or None)


def _log_exporter(target: Target) -> Any:
    if target.exporter == "console":
        return ConsoleLogRecordExporter(
            out=sys.stderr, formatter=lambda found: found.to_json(indent=None) + "\n"
        )
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

    return OTLPLogExporter(endpoint=target.endpoint or None)


class OneWarning(logging.Handler):
    """Says once that the export fails; the SDK would say it with every batch."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said = False

    def emit(self, record: logging.LogRecord) -> None:
        if not self.said:
            self.said = True
            logging.getLogger("llmspell.telemetry").warning(
                "telemetry cannot be exported: %s", record.getMessage()[:_MAX_WARNING]
            )
