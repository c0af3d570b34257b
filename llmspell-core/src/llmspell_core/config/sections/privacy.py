"""`[telemetry]` and `[secrets]`: what traces carry, where keys come from."""

from __future__ import annotations

from typing import Literal

from llmspell_core.config.sections.base import Section, key


class Telemetry(Section):
    """What traces carry, when they are exported."""

    content: Literal["none", "spans", "events", "both"] = key(
        "none", "where prompts, answers, tool arguments and results are put"
    )


class SecretStore(Section):
    """Where keys come from when no variable has them."""

    command: str = key("", "prints the secret named by its last argument (pass, op, vault)")
