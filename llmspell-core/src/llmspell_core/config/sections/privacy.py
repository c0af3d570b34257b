"""`[telemetry]` and `[secrets]`: what traces carry and where they go, where keys come from."""

from __future__ import annotations

from typing import Literal

from llmspell_core.config.sections.base import Section, key


class Telemetry(Section):
    """What traces carry, and where they go, when they are exported."""

    content: Literal["none", "spans", "events", "both"] = key(
        "none", "where prompts, answers, tool arguments and results are put"
    )
    endpoint: str = key(
        "",
        "of an OTLP/HTTP collector, without `/v1/traces`; empty: OTEL_EXPORTER_OTLP_ENDPOINT",
        restart=True,
    )


class SecretStore(Section):
    """Where keys come from when no variable has them."""

    command: str = key("", "prints the secret named by its last argument (pass, op, vault)")
