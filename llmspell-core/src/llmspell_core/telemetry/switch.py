"""Whether anything is exported, and where to: the settings and the standard variables together.

Nothing is unless the user named an endpoint, or asked for the console: the default address of
the protocol is never taken, so that nothing leaves by itself.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from llmspell_core.records import Record, key

if TYPE_CHECKING:
    from llmspell_core.config.settings import Settings

Signal = Literal["traces", "metrics", "logs"]
Exporter = Literal["otlp", "console"]
SIGNALS: tuple[Signal, ...] = ("traces", "metrics", "logs")
_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
#: Looked at in every start, so by name.
_ENDPOINTS = (
    _ENDPOINT,
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
)
_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_CAPTURES = {
    "NO_CONTENT": "none",
    "SPAN_ONLY": "spans",
    "EVENT_ONLY": "events",
    "SPAN_AND_EVENT": "both",
}

log = logging.getLogger("llmspell.telemetry")


class Target(Record):
    """Where one signal goes. `endpoint` is a whole URL; "" leaves it to the variables."""

    exporter: Exporter
    endpoint: str = ""


class Plan(Record):
    """What is exported, and where prompts, answers, arguments and results are put."""

    targets: dict[Signal, Target] = key({}, "by signal")
    content: str = "none"
    #: The settings ask for it, not only a variable that is there for other programs too.
    asked: bool = False


def plan(settings: Settings, env: Mapping[str, str] = os.environ) -> Plan | None:
    """What these settings and variables ask for; None: nothing is exported."""
    asked = _asked(settings, env)
    if asked is None or env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    targets: dict[Signal, Target] = {}
    for signal in SIGNALS:
        target = _target(signal, asked, settings, env)
        if target is not None:
            targets[signal] = target
    content = _content(settings, env)
    if content not in ("events", "both"):
        # The records have nothing but content.
        targets.pop("logs", None)
    if not targets:
        if asked == "otlp":
            log.warning(
                "telemetry is on and goes nowhere: set [telemetry] endpoint or %s", _ENDPOINT
            )
        return None
    return Plan(targets, content, settings.system.telemetry != "off")


def _asked(settings: Settings, env: Mapping[str, str]) -> Exporter | None:
    """What is asked for: by the settings, or by an endpoint that is set and not refused."""
    if settings.has("system") and settings.system.telemetry != "off":
        return settings.system.telemetry
    if not any(map(env.get, _ENDPOINTS)) and not _configured(settings):
        return None
    refused = "telemetry" in settings.data().get("system", {})
    return None if refused else "otlp"


def _configured(settings: Settings) -> str:
    return settings.telemetry.endpoint if settings.has("telemetry") else ""


def _target(
    signal: Signal, asked: Exporter, settings: Settings, env: Mapping[str, str]
) -> Target | None:
    upper = signal.upper()
    wanted = env.get(f"OTEL_{upper}_EXPORTER", "").strip().lower() or asked
    if wanted == "console":
        return Target("console")
    if wanted != "otlp":
        if wanted != "none":
            log.warning("OTEL_%s_EXPORTER=%s is not supported: otlp or console", upper, wanted)
        return None
    protocol = env.get(f"OTEL_EXPORTER_OTLP_{upper}_PROTOCOL") or env.get(
        "OTEL_EXPORTER_OTLP_PROTOCOL", ""
    )
    if protocol not in ("", "http/protobuf"):
        log.warning("OTLP over %s is not supported: %s are not exported", protocol, signal)
        return None
    configured = _configured(settings)
    if configured:
        return Target("otlp", f"{configured.rstrip('/')}/v1/{signal}")
    if env.get(f"OTEL_EXPORTER_OTLP_{upper}_ENDPOINT") or env.get(_ENDPOINT):
        return Target("otlp")
    return None


def _content(settings: Settings, env: Mapping[str, str]) -> str:
    if "content" in settings.data().get("telemetry", {}):
        return settings.telemetry.content
    given = env.get(_CAPTURE, "").strip().upper()
    if given and given not in _CAPTURES:
        log.warning("%s=%s is none of %s: no content", _CAPTURE, given, ", ".join(_CAPTURES))
    return _CAPTURES.get(given, "none")
