"""Whether the security profiles that a configuration names exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from llmspell_core.config.mistakes import Mistake
from llmspell_core.config.widening import RANKS
from llmspell_core.errors import did_you_mean

if TYPE_CHECKING:
    from llmspell_core.config.settings import Settings

#: Every profile that needs no declaration; `custom` is `medium` with what is set over it.
BUILT_IN = (*RANKS, "custom")


def mistakes_in(settings: Settings, trusted: Mapping[str, Any]) -> Iterable[Mistake]:
    """A mistake for each name of a profile that does not exist, or is of an untrusted file.

    `trusted` are the custom profiles that the user's own and trusted files declare.
    """
    security = settings.security
    yield from _unknown(("security", "profile"), security.profile, settings)
    for name, table in security.profiles.items():
        yield from _unknown(("security", "profiles", name, "base"), table.base, settings)
        if name in BUILT_IN:
            yield Mistake(("security", "profiles", name), "is built in", "choose another name")
    for pattern, override in settings.script_overrides.items():
        if override.security is not None and override.security.profile:
            path = ("script_overrides", pattern, "security", "profile")
            yield from _unknown(path, override.security.profile, settings)


def _unknown(path: tuple[str, ...], name: str, settings: Settings) -> Iterable[Mistake]:
    known = [*BUILT_IN, *settings.security.profiles]
    if name.replace("-", "_") not in known and name not in known:
        hint = did_you_mean(name, known) or f"one of {', '.join(known)}"
        yield Mistake(path, f'unknown profile "{name}"', hint)
