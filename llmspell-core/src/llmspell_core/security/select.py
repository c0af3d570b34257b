"""Which security profile a run has: the settings' effective one, within all that bind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspell_core.security.builder import profile_from_settings
from llmspell_core.security.profile import SecurityProfile, tightest

if TYPE_CHECKING:
    from llmspell_core.config.sources import Loaded


def profile_for(loaded: Loaded) -> SecurityProfile:
    """The profile of the settings. An enforced or untrusted table only ever tightens it."""
    tables = loaded.security_tables or [{}]
    profile = profile_from_settings(tables[-1])
    for outer in tables[:-1]:
        profile = tightest(profile, profile_from_settings(outer))
    return profile
