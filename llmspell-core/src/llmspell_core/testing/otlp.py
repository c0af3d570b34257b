"""`OtlpCollector`: a server on this machine that takes telemetry and decodes it (extra `otel`).

    with OtlpCollector() as collector:
        ...  # with OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint
    assert [span["name"] for span in collector.spans] == ["invoke_agent clerk"]

It speaks OTLP over HTTP with protobuf. `answer` is the status that it gives, `delay_s` how long
it takes.
"""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_KINDS = {1: "internal", 2: "server", 3: "client"}


class OtlpCollector:
    """Collects spans, metrics and log records, each as plain data; ids are hexadecimal."""

    def __init__(self, *, answer: int = 200, delay_s: float = 0.0) -> None:
        self.spans: list[dict[str, Any]] = []
        #: Metric -> its data points: `attributes count sum bounds`.
        self.metrics: dict[str, list[dict[str, Any]]] = {}
        self.logs: list[dict[str, Any]] = []
        #: The headers of each request, with lower-case names.
        self.headers: list[dict[str, str]] = []
        self.resources: list[dict[str, Any]] = []
        self.answer = answer
        self.delay_s = delay_s
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def endpoint(self) -> str:
        """Its address, as `OTEL_EXPORTER_OTLP_ENDPOINT` has it."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def names(self) -> list[str]:
        """The names of the spans, in the order they began."""
        return [span["name"] for span in sorted(self.spans, key=lambda one: one["start"])]

    def one(self, name: str) -> dict[str, Any]:
        """The only span of this name."""
        (found,) = [span for span in self.spans if span["name"] == name]
        return found

    def above(self, span: dict[str, Any]) -> list[str]:
        """The names of the spans that one is nested in, innermost first."""
        by_id = {one["span_id"]: one for one in self.spans}
        found = []
        while span["parent_id"] in by_id:
            span = by_id[span["parent_id"]]
            found.append(span["name"])
        return found

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.headers.append({k.lower(): v for k, v in self.headers.items()})
                time.sleep(collector.delay_s)
                if collector.answer == 200:  # noqa: PLR2004
                    collector._take(self.path, body)
                self.send_response(collector.answer)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: requests are kept instead."""

        return Handler

    def _take(self, path: str, body: bytes) -> None:
        {"/v1/traces": self._traces, "/v1/metrics": self._metrics, "/v1/logs": self._logs}[path](
            body
        )

    def _traces(self, body: bytes) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
            ExportTraceServiceRequest,
        )

        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append(_attributes(resource.resource.attributes))
            for scope in resource.scope_spans:
                self.spans += [_span(one, scope) for one in scope.spans]

    def _metrics(self, body: bytes) -> None:
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
            ExportMetricsServiceRequest,
        )

        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    self.metrics.setdefault(metric.name, []).extend(
                        {
                            "attributes": _attributes(point.attributes),
                            "count": point.count,
                            "sum": point.sum,
                            "bounds": list(point.explicit_bounds),
                            "unit": metric.unit,
                        }
                        for point in metric.histogram.data_points
                    )

    def _logs(self, body: bytes) -> None:
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

        for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
            for scope in resource.scope_logs:
                self.logs += [
                    {
                        "name": record.event_name,
                        "span_id": record.span_id.hex(),
                        "attributes": _attributes(record.attributes),
                    }
                    for record in scope.log_records
                ]


def _span(span: Any, scope: Any) -> dict[str, Any]:
    return {
        "name": span.name,
        "kind": _KINDS.get(span.kind, str(span.kind)),
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_id": span.parent_span_id.hex(),
        "links": [link.span_id.hex() for link in span.links],
        "start": span.start_time_unix_nano,
        "end": span.end_time_unix_nano,
        "attributes": _attributes(span.attributes),
        "failed": span.status.code == 2,  # noqa: PLR2004
        "status": span.status.message,
        "schema_url": scope.schema_url,
    }


def _attributes(given: Iterable[Any]) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in given}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None
