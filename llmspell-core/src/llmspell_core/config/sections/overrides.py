"""`[script_overrides]`: what differs for the scripts that a pattern names."""

from __future__ import annotations

from typing import Literal

from llmspell_core.config.sections.base import Section, key
from llmspell_core.config.sections.system import LogLevel


class ScriptSecurity(Section):
    """The security of the scripts that a pattern names. Every use is audited."""

    profile: str = key("", "their profile; empty: as [security]")
    stdlib_access: dict[str, list[str]] = key({}, "libraries beyond the profile's, by language")
    reason: str = key("", "why they differ; required")


class ScriptOverride(Section):
    """What differs for the scripts that a pattern names."""

    log_level: Literal["", LogLevel] = key("", "of these scripts")
    security: ScriptSecurity | None = key(None, "their profile, with a reason")
