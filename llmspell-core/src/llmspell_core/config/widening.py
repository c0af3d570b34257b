"""Whether a `[security]` value allows more than the one it is laid over."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmspell_core.config.profiles import RANKS

if TYPE_CHECKING:
    from llmspell_core.security.profile import SecurityProfile

_LISTS = {
    ("processes", "allowed"): "processes",
    ("environment", "allowed"): "environment",
    ("modules", "allow"): "modules.allow",
    ("modules", "paths"): "modules.paths",
    ("tools", "allow"): "tools.allow",
}
_UNITED = {
    ("files", "deny"): "files.deny",
    ("tools", "deny"): "tools.deny",
    ("tools", "require_approval"): "tools.require_approval",
}


class Widening:
    """Compares with one `[security]` table, by the profile that it describes."""

    def __init__(self, security: Any, project: Path, cwd: Path) -> None:
        # What is no table is a mistake that the check of the settings reports.
        self._security = security if isinstance(security, Mapping) else {}
        self._project = project
        self._cwd = cwd

    def narrowed(self, path: tuple[str, ...], value: Any) -> Any:
        """The value as far as it only tightens, or None when it widens.

        `path` is inside the table: `("files", "read")`. Denials are added to those there are.
        """
        if path == ("profile",):
            return value if self._rank(value) >= self._rank(self._current) else None
        if path == ("enforce",):
            return value if value is True else None
        if not path or path[0] in {"profiles", "reason"}:
            return value
        if path in _UNITED:
            have = self._of_base(_UNITED[path])
            return [*have, *(one for one in value if one not in have)] if _texts(value) else value
        return None if self._widens(path, value) else value

    @property
    def _current(self) -> str:
        return str(self._security.get("profile", "medium"))

    def _rank(self, name: Any, seen: frozenset[str] = frozenset()) -> int:
        if not isinstance(name, str):
            return max(RANKS.values())
        profiles = self._security.get("profiles")
        table = profiles.get(name) if isinstance(profiles, Mapping) else None
        if isinstance(table, Mapping) and name not in seen:
            return self._rank(table.get("base", "medium"), seen | {name})
        # A profile of the project's own is laid within the user's: it cannot be weaker.
        return RANKS.get(name.replace("-", "_"), max(RANKS.values()))

    def _widens(self, path: tuple[str, ...], value: Any) -> bool:
        if path[0] == "stdlib_access":
            known = self._base.libraries.get(path[-1], self._base.libraries.get("*", ()))
            return _beyond(value, known)
        if path in (("files", "read"), ("files", "write")):
            return self._beyond_roots(value, self._of_base(".".join(path)))
        if path == ("network", "allowed_hosts"):
            return self._beyond_hosts(value)
        if path in _LISTS:
            return _beyond(value, self._of_base(_LISTS[path]))
        if path[0] == "limits" or path == ("files", "max_bytes"):
            return _more(value, self._of_base(".".join(path)))
        return False

    @cached_property
    def _base(self) -> SecurityProfile:
        from pydantic import ValidationError

        from llmspell_core.errors import LLMSpellError
        from llmspell_core.security.builder import profile_from_settings
        from llmspell_core.security.profile import SecurityProfile

        try:
            return profile_from_settings(self._security)
        except (LLMSpellError, ValidationError, AttributeError, TypeError, ValueError):
            # What is wrong in it is reported when the settings are checked.
            return SecurityProfile.medium()

    def _of_base(self, name: str) -> Any:
        found: Any = self._base
        for part in name.split("."):
            found = getattr(found, part, None)
        return found

    def _beyond_roots(self, value: Any, roots: tuple[str, ...]) -> bool:
        if "*" in roots or not isinstance(value, list):
            return False
        return not all(any(self._beneath(one, root) for root in roots) for one in value)

    def _beneath(self, entry: Any, root: str) -> bool:
        if not isinstance(entry, str) or entry == "*":
            return False
        if entry == root:
            return True
        return self._folder(entry).is_relative_to(self._folder(root))

    def _folder(self, entry: str) -> Path:
        import tempfile

        words = {
            "$project": self._project,
            "$cwd": self._cwd,
            "$output": self._cwd / "output",
            "$temp": Path(tempfile.gettempdir()),
        }
        return (words.get(entry) or self._project / entry).resolve()

    def _beyond_hosts(self, value: Any) -> bool:
        network = self._base.network
        if network.mode == "all" or not isinstance(value, list):
            return False
        known = network.allowed_hosts if network.mode != "none" else ()
        if "*" in known:
            return any(one not in known and _not_public(one) for one in value)
        return _beyond(value, known)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _beyond(value: Any, known: tuple[str, ...]) -> bool:
    """Whether a list has what the other has not; what is no list is another's mistake."""
    return isinstance(value, list) and "*" not in known and any(one not in known for one in value)


def _more(value: Any, most: Any) -> bool:
    """Whether a limit is higher, 0 being none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not most:
        return False
    return value == 0 or value > most


def _not_public(entry: Any) -> bool:
    import ipaddress

    host = str(entry).lower()
    if host.count(":") == 1 or host.startswith("["):
        host = host.rpartition(":")[0] if not host.endswith("]") else host
    host = host.strip("[]").removeprefix("*.").rstrip(".")
    try:
        return not ipaddress.ip_network(host, strict=False).is_global
    except ValueError:
        private = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
        return host == "localhost" or ("." not in host and host != "*") or host.endswith(private)
