"""`[system]`: the process, its logs and its directories."""

from __future__ import annotations

from typing import Literal

from llmspell_core.config.sections.base import Section, key

LogLevel = Literal["trace", "debug", "info", "warn", "error"]


class System(Section):
    """The process: its logs and its directories."""

    environment: str = key(
        "default", "names `llmspell.<environment>.toml`, read after the project file; LLMSPELL_ENV"
    )
    log_level: LogLevel = key("warn", "how much is logged")
    log_format: Literal["pretty", "json"] = key("pretty", "lines for people, or one JSON a line")
    log_file: str = key("", "where logs go; empty: stderr", restart=True)
    data_dir: str = key("", "state, history, models' data; empty: the platform's", restart=True)
    cache_dir: str = key("", "what can be made or fetched again; empty: the platform's")
    telemetry: Literal["off", "otlp", "console"] = key(
        "off", "OpenTelemetry export; the standard OTEL_* variables apply", restart=True
    )
