"""`[state]`: where `State` is kept."""

from __future__ import annotations

from llmspell_core.config.sections.base import Section, key


class State(Section):
    """Where `State` is kept."""

    backend: str = key("sqlite", "memory, sqlite, postgresql or a plugin's", restart=True)
    url: str = key("", "of postgresql; sqlite: a file in data_dir when empty", secret=True)
