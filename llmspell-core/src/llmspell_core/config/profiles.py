"""Whether the profiles and hosts that `[security]` names make sense."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from llmspell_core.config.mistakes import Mistake
from llmspell_core.errors import did_you_mean

if TYPE_CHECKING:
    from llmspell_core.config.sections.security import CustomProfile, Network
    from llmspell_core.config.settings import Settings

#: The built-in profiles and presets, the weakest first; equal ranks differ in what they allow.
RANKS = {
    "none": 0,
    "low": 1,
    "development": 1,
    "medium": 2,
    "testing": 2,
    "production": 2,
    "data_analysis": 2,
    "high": 3,
}
#: Every profile that needs no declaration; `custom` is `medium` with what is set over it.
BUILT_IN = (*RANKS, "custom")
_MOST_BASES = 16


def mistakes_in(settings: Settings, trusted: Mapping[str, Any]) -> Iterator[Mistake]:
    """A mistake for each name of a profile that does not exist, or that only a project knows.

    `trusted` is the `[security]` table of the user's own and trusted files and options.
    """
    security = settings.security
    yield from _unknown(("security", "profile"), security.profile, security.profiles)
    for name, table in security.profiles.items():
        path = ("security", "profiles", name)
        if is_built_in(name):
            yield Mistake(path, "is built in", "choose another name")
        yield from _unknown((*path, "base"), table.base, security.profiles)
        if wrong := _wrong_bases(name, security.profiles):
            yield Mistake((*path, "base"), wrong)
    for pattern, override in settings.script_overrides.items():
        if override.security is not None and override.security.profile:
            where = ("script_overrides", pattern, "security", "profile")
            yield from _unknown(where, override.security.profile, security.profiles)
    yield from _untrusted(trusted, security.profiles)
    yield from _hosts(("security",), security.network)
    for name, table in security.profiles.items():
        yield from _hosts(("security", "profiles", name), table.network)


def is_built_in(name: str) -> bool:
    """Whether a profile needs no declaration."""
    return name.replace("-", "_") in BUILT_IN


def _unknown(
    path: tuple[str, ...], name: str, declared: Mapping[str, CustomProfile]
) -> Iterator[Mistake]:
    if not is_built_in(name) and name not in declared:
        known = [*BUILT_IN, *declared]
        hint = did_you_mean(name, known) or f"one of {', '.join(known)}"
        yield Mistake(path, f'unknown profile "{name}"', hint)


def _wrong_bases(name: str, declared: Mapping[str, CustomProfile]) -> str:
    seen: list[str] = []
    current = name
    while current in declared and current not in seen:
        if len(seen) == _MOST_BASES:
            return f"is based on more than {_MOST_BASES} profiles, one on the other"
        seen.append(current)
        current = declared[current].base
    return "is the profile itself, by way of its base" if current == name else ""


def _hosts(path: tuple[str, ...], network: Network) -> Iterator[Mistake]:
    """Entries that name no host, address or network."""
    if not network.allowed_hosts:
        return
    from llmspell_core.errors import LLMSpellError
    from llmspell_core.security.net import HostRule

    for number, entry in enumerate(network.allowed_hosts, start=1):
        try:
            HostRule.parse(entry)
        except LLMSpellError as error:
            message = f"item {number}: {error.message}"
            yield Mistake((*path, "network", "allowed_hosts"), message, error.hint)


def _untrusted(
    trusted: Mapping[str, Any], declared: Mapping[str, CustomProfile]
) -> Iterator[Mistake]:
    """Names that trusted places use and only an untrusted project declares."""
    own = trusted.get("profiles") or {}
    uses: dict[tuple[str, ...], str] = {}
    uses["security", "profile"] = str(trusted.get("profile", "medium"))
    for name, table in own.items():
        uses["security", "profiles", name, "base"] = str(table.get("base", "medium"))
    for path, name in uses.items():
        if not is_built_in(name) and name not in own and name in declared:
            yield Mistake(
                path,
                f'"{name}" is declared by a project that is not trusted',
                "to trust it: llmspell trust",
            )
