"""`[scripts]`: how scripts run."""

from __future__ import annotations

from typing import Literal

from llmspell_core.config.sections.base import Section, key
from llmspell_core.config.sections.system import LogLevel


class Scripts(Section):
    """Scripts in general."""

    default_engine: str = key("lua", "for input with no extension and no shebang")
    log_level: Literal["", LogLevel] = key("", "of scripts; empty: as [system]")
