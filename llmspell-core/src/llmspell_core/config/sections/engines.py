"""`[engines]`: a table for each script engine."""

from __future__ import annotations

from llmspell_core.config.sections.base import Section, key


class Engine(Section):
    """A script engine."""

    debug_mode: bool = key(
        False, "stack traces with locals, time per call, assertions in the bridge"
    )
