"""`[scripts]`, `[script_overrides]` and `[engines]`: how scripts run, and which differ."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from llmspell_core.config.sections.base import Section, key
from llmspell_core.config.sections.system import LogLevel


class Scripts(Section):
    """Scripts in general."""

    default_engine: str = key("lua", "for input with no extension and no shebang")
    log_level: Literal["", LogLevel] = key("", "of scripts; empty: as [system]")


class ScriptSecurity(Section):
    """The security of the scripts that a pattern names. Every use is audited."""

    profile: str = key("", "their profile; empty: as [security]")
    stdlib_access: dict[str, list[str]] = key({}, "libraries beyond the profile's, by language")
    reason: str = key("", "why they differ; required")


class ScriptOverride(Section):
    """What differs for the scripts that a pattern names."""

    log_level: Literal["", LogLevel] = key("", "of these scripts")
    security: ScriptSecurity | None = Field(None, description="their profile, with a reason")


class Engine(Section):
    """A script engine."""

    debug_mode: bool = key(
        False, "stack traces with locals, time per call, assertions in the bridge"
    )
