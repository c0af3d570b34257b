"""`[sessions]`: conversations that are kept."""

from __future__ import annotations

from llmspell_core.config.sections.base import Section, key


class Sessions(Section):
    """Conversations that are kept in the state store."""

    wait_ms: int = key(
        30_000, "how long a second run waits for the first, then session.busy", unit="ms", least=0
    )
    lease_ms: int = key(
        15_000,
        "after this silence another machine takes over the session of a lost process",
        unit="ms",
        least=1000,
    )
    max_mb: int = key(64, "records of one session; 0: no limit", unit="MiB", least=0)
