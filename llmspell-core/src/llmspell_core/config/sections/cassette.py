"""`[cassette]`: recorded answers of models and tools."""

from __future__ import annotations

from typing import Literal

from llmspell_core.config.sections.base import Section, key


class CassetteFile(Section):
    """Recorded answers of models and tools."""

    path: str = key("", "the file; empty: nothing is recorded or played", restart=True)
    mode: Literal["live", "record", "replay", "auto"] = key(
        "auto", "replay never asks, auto asks what is not recorded", restart=True
    )
    tools: list[str] = key(
        ["outside"], "whose calls are recorded: names, patterns, `outside`: beyond this machine"
    )
