"""The tracing hook: nothing by default, an installed tracer otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import pytest

from llmspell_core import telemetry


class Recorded:
    """A span that keeps what it is told."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.told: list[Any] = []

    def set(self, name: str, value: Any) -> None:
        self.told.append((name, value))

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        self.told.append(name)

    def error(self, code: str, message: str) -> None:
        self.told.append(code)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        self.told.append("end")


class Recorder:
    """A tracer for tests."""

    def __init__(self) -> None:
        self.spans: list[Recorded] = []

    def span(
        self, name: str, kind: str = "internal", attributes: Mapping[str, Any] | None = None
    ) -> Recorded:
        self.spans.append(Recorded(name))
        return self.spans[-1]

    def headers(self) -> dict[str, str]:
        return {"traceparent": "00-1-2-01"}


@pytest.fixture(autouse=True)
def no_tracer_is_left() -> Iterator[None]:
    yield
    telemetry.install(None)


def test_nothing_is_traced_by_default() -> None:
    assert not telemetry.enabled()
    with telemetry.tracer().span("chat", "client", {"a": 1}) as span:
        span.set("b", 2)
        span.event("c")
        span.error("d", "e")
    assert telemetry.tracer().headers() == {}
    assert telemetry.tracer().span("one") is telemetry.tracer().span("two")


def test_an_error_inside_of_an_untraced_span_is_not_swallowed() -> None:
    with pytest.raises(ValueError, match="mine"), telemetry.tracer().span("x"):
        raise ValueError("mine")


def test_an_installed_tracer_gets_the_spans() -> None:
    recorder = Recorder()
    telemetry.install(recorder)
    assert telemetry.enabled()
    with telemetry.tracer().span("execute_tool x") as span:
        span.set("gen_ai.tool.name", "x")
    assert recorder.spans[0].told == [("gen_ai.tool.name", "x"), "end"]
    assert telemetry.tracer().headers() == {"traceparent": "00-1-2-01"}
