"""Profiles made in Python and from the `[security]` table of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmspell_core.errors import ConfigError
from llmspell_core.security.profile import BUILTIN_DENY, SecurityProfile, merged

#: `[security]` table -> (field of the profile, key in that table), where they differ.
_LISTS = {"processes": "allowed", "environment": "allowed"}
_NOT_OF_A_PROFILE = {"profile", "profiles", "audit_log", "enforce", "base", "reason"}


class ProfileBuilder:
    """Widens or narrows a base step by step; every method returns the builder."""

    def __init__(self, name: str, base: SecurityProfile) -> None:
        self._name = name
        self._base = base
        self._changes: dict[str, Any] = {}

    def allow_read(self, *paths: str) -> ProfileBuilder:
        """Let these files and directories be read; relative ones are of the project."""
        return self._add("files", "read", paths)

    def allow_write(self, *paths: str) -> ProfileBuilder:
        """Let these files and directories be read and written."""
        return self._add("files", "write", paths)

    def deny_files(self, *patterns: str) -> ProfileBuilder:
        """Refuse what these globs match, whatever else is allowed."""
        return self._add("files", "deny", patterns)

    def allow_host(self, *hosts: str) -> ProfileBuilder:
        """Let these hosts be reached: a name, `*.name`, an address, each with `:port` or not.

        Over a base that allows any public host this adds only what is not public.
        """
        if self._base.network.mode == "none":
            self._changes.setdefault("network", {})["mode"] = "listed"
        return self._add("network", "allowed_hosts", hosts)

    def only_hosts(self, *hosts: str) -> ProfileBuilder:
        """Let these hosts be reached and no others."""
        self._changes["network"] = {"mode": "listed", "allowed_hosts": hosts}
        return self

    def allow_process(self, *executables: str) -> ProfileBuilder:
        """Let these executables be started: a name on PATH, or an absolute path."""
        return self._extend("processes", executables)

    def allow_env(self, *names: str) -> ProfileBuilder:
        """Let these environment variables be read."""
        return self._extend("environment", names)

    def with_library(self, language: str, *libraries: str) -> ProfileBuilder:
        """Give scripts of this language these libraries as well."""
        return self._add("libraries", language, libraries)

    def with_module(self, *names: str) -> ProfileBuilder:
        """Let scripts load these modules."""
        if self._base.modules.mode == "none":
            self._changes.setdefault("modules", {})["mode"] = "listed"
        return self._add("modules", "allow", names)

    def allow_tool(self, *names: str) -> ProfileBuilder:
        """Let these tools be called, also above the base's level."""
        return self._add("tools", "allow", names)

    def deny_tool(self, *names: str) -> ProfileBuilder:
        """Refuse these tools."""
        return self._add("tools", "deny", names)

    def limit(self, **limits: float) -> ProfileBuilder:
        """Set limits by name (`memory_mb=512`, `wall_s=60`); 0 is no limit."""
        self._changes.setdefault("limits", {}).update(limits)
        return self

    def build(self) -> SecurityProfile:
        """The finished profile."""
        return merged(self._base, self._changes, name=self._name, base=self._base.name)

    def _add(self, part: str, key: str, more: tuple[str, ...]) -> ProfileBuilder:
        own = getattr(self._base, part)
        first = own.get(key, ()) if isinstance(own, dict) else getattr(own, key)
        changed = self._changes.setdefault(part, {})
        changed[key] = (*changed.get(key, first), *more)
        return self

    def _extend(self, part: str, more: tuple[str, ...]) -> ProfileBuilder:
        self._changes[part] = (*self._changes.get(part, getattr(self._base, part)), *more)
        return self


def profile_from_settings(security: Mapping[str, Any]) -> SecurityProfile:
    """The profile that a `[security]` table asks for.

    Args:
        security: the table as in CONFIG.md, with those keys only that somebody set: an unset
            one is the profile's. File entries are absolute, or relative to the project.

    Raises:
        NotFoundError: `security.unknown_profile`.
        ConfigError: two custom profiles are each other's base.
    """
    name = str(security.get("profile", "medium"))
    profile = _base(name, security, ())
    changes = _changes({k: v for k, v in security.items() if k not in _NOT_OF_A_PROFILE}, profile)
    return merged(profile, changes) if changes else profile


def _base(name: str, security: Mapping[str, Any], seen: tuple[str, ...]) -> SecurityProfile:
    if name in seen:
        raise ConfigError(f"security profiles are based on each other: {' -> '.join(seen)}")
    table = (security.get("profiles") or {}).get(name)
    if table is None and name == "custom":
        table = {"base": security.get("base", "medium")}
    if table is None:
        return SecurityProfile.named(name)
    base = _base(str(table.get("base", "medium")), security, (*seen, name))
    own = {k: v for k, v in table.items() if k not in _NOT_OF_A_PROFILE}
    return merged(base, _changes(own, base), name=name, base=base.name)


def _changes(table: Mapping[str, Any], base: SecurityProfile) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        if value is None:
            continue
        plain = {k: v for k, v in value.items() if v is not None} if _is_map(value) else value
        if key == "stdlib_access":
            found["libraries"] = {
                language: (*base.libraries.get(language, ()), *more)
                for language, more in plain.items()
            }
        elif key in _LISTS and _is_map(value):
            if _LISTS[key] in plain:
                found[key] = tuple(plain[_LISTS[key]])
        elif plain != {}:
            found[key] = plain
    return _careful(found, base)


def _careful(found: dict[str, Any], base: SecurityProfile) -> dict[str, Any]:
    """What a table cannot do: lift the built-in deny list, raise the limits of `high`."""
    if "deny" in found.get("files", {}) and base.files.deny:
        extra = tuple(p for p in found["files"]["deny"] if p not in BUILTIN_DENY)
        found["files"] = {**found["files"], "deny": (*BUILTIN_DENY, *extra)}
    if base.name == "high" and "limits" in found:
        own = base.limits.model_dump()
        found["limits"] = {
            name: min(value, own.get(name, value)) if value else own.get(name, value)
            for name, value in found["limits"].items()
        }
    if found.get("modules", {}).get("pins") == "":
        # Modules that are listed are pinned, in the usual file if no other is named.
        del found["modules"]["pins"]
    if base.network.mode == "none" and found.get("network", {}).get("allowed_hosts"):
        found["network"] = {"mode": "listed", **found["network"]}
    return found


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)
