"""What is exported, and where to: nothing without an address that the user gave."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from llmspell_core.config.settings import Settings
from llmspell_core.telemetry.switch import plan

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def exported(env: dict[str, str] | None = None, **settings: Any) -> dict[str, str]:
    """Signal -> exporter and address, of these variables and settings."""
    found = plan(Settings.model_validate(settings), env or {})
    targets = found.targets if found else {}
    return {signal: f"{one.exporter} {one.endpoint}".strip() for signal, one in targets.items()}


def test_nothing_is_exported_by_default() -> None:
    assert plan(Settings(), {}) is None
    assert plan(Settings.model_validate({"telemetry": {"content": "both"}}), {}) is None


def test_otlp_without_an_address_goes_nowhere_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # The protocol's own default, localhost:4318, is an address that the user has not named.
    with caplog.at_level(logging.WARNING):
        assert exported(system={"telemetry": "otlp"}) == {}
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in caplog.text


def test_an_address_switches_it_on() -> None:
    assert exported(ENDPOINT) == {"traces": "otlp", "metrics": "otlp"}
    assert exported(telemetry={"endpoint": "http://c:1/"}) == {
        "traces": "otlp http://c:1/v1/traces",
        "metrics": "otlp http://c:1/v1/metrics",
    }


def test_only_the_signal_that_has_an_address_is_exported() -> None:
    assert exported({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/x"}) == {"traces": "otlp"}
    assert exported({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c/x"}) == {"metrics": "otlp"}


@pytest.mark.parametrize("disabled", ["true", "True "])
def test_the_standard_switch_and_our_own_hold(disabled: str) -> None:
    assert exported({**ENDPOINT, "OTEL_SDK_DISABLED": disabled}) == {}
    assert exported(ENDPOINT, system={"telemetry": "off"}) == {}
    assert exported(ENDPOINT, system={"log_level": "info"}) != {}


def test_the_exporter_of_each_signal_can_be_chosen(caplog: pytest.LogCaptureFixture) -> None:
    assert exported(system={"telemetry": "console"}) == {"traces": "console", "metrics": "console"}
    env = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "console"}
    assert exported({**ENDPOINT, **env}) == {"traces": "console"}
    with caplog.at_level(logging.WARNING):
        assert exported({**ENDPOINT, "OTEL_TRACES_EXPORTER": "zipkin"}) == {"metrics": "otlp"}
        assert exported({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}) == {}
    assert "zipkin" in caplog.text
    assert "grpc" in caplog.text


@pytest.mark.parametrize(
    ("variable", "setting", "content"),
    [
        ("", None, "none"),
        ("SPAN_ONLY", None, "spans"),
        ("event_only", None, "events"),
        ("SPAN_AND_EVENT", None, "both"),
        ("NO_CONTENT", None, "none"),
        ("everything", None, "none"),
        ("", "spans", "spans"),
        ("SPAN_AND_EVENT", "none", "none"),
    ],
)
def test_content_is_captured_only_when_asked_for(
    variable: str, setting: str | None, content: str
) -> None:
    settings = Settings.model_validate({"telemetry": {"content": setting}} if setting else {})
    found = plan(settings, {**ENDPOINT, CAPTURE: variable})
    assert found is not None
    assert found.content == content
    assert ("logs" in found.targets) == (content in ("events", "both"))
