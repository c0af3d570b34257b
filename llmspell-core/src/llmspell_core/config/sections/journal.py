"""`[journal]`: where runs that may pause are written down, and for how long."""

from __future__ import annotations

from llmspell_core.config.sections.base import Section, key


class JournalFile(Section):
    """Where runs that may pause are written down, and for how long."""

    backend: str = key(
        "", "memory, sqlite or a plugin's; empty: memory where state is, else sqlite", restart=True
    )
    file: str = key("", "of sqlite; empty: journal.db in data_dir", restart=True)
    paused_days: int = key(7, "how long a paused run can be resumed", unit="days", least=1)
    keep_days: int = key(30, "how long a run is kept after its last record", unit="days", least=1)
