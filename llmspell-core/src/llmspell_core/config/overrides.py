"""`[script_overrides]`: what differs for the scripts that a pattern names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from llmspell_core.config.layers import Layer, Merged
from llmspell_core.config.mistakes import Mistake

_SECTION = "script_overrides"


class OverrideUse(NamedTuple):
    """The use of a security override: what the audit log records."""

    pattern: str
    reason: str
    where: str


def matches(pattern: str, script: Path, project: Path) -> bool:
    """Whether a pattern names a script: `*` inside a folder's name, `**` for any folders.

    Patterns are relative to the project; an absolute one is compared with the whole path.
    """
    whole = Path(pattern).is_absolute()
    if not whole and not script.is_relative_to(project):
        return False
    path = script if whole else script.relative_to(project)
    return re.fullmatch(_expression(pattern.removeprefix("./")), path.as_posix()) is not None


def _expression(pattern: str) -> str:
    signs = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.replace("\\", "/"))
    return "".join(signs.get(part) or re.escape(part) for part in parts)


def layer_for(
    merged: Merged, script: Path, project: Path
) -> tuple[Layer | None, OverrideUse | None]:
    """What the overrides set for this script, as a layer over the files."""
    result, use = Merged(), None
    for pattern, table in (merged.get((_SECTION,)) or {}).items():
        if not isinstance(table, Mapping) or not matches(pattern, script, project):
            continue
        data: dict[str, Any] = {}
        if table.get("log_level"):
            data["scripts"] = {"log_level": table["log_level"]}
        where = merged.where((_SECTION, pattern))
        security = table.get("security")
        if isinstance(security, Mapping):
            kept = {name: security[name] for name in security if name != "reason"}
            if kept.get("profile") == "":
                del kept["profile"]
            data["security"] = kept
            use = OverrideUse(pattern, str(security.get("reason", "")), where)
        result.add(Layer("override", where, data, project))
    if not result.data:
        return None, None
    names = {path: layer.label for path, layer in result.origin.items()}
    return Layer("override", _SECTION, result.data, project, names=names), use


def without_reason(merged: Merged) -> list[Mistake]:
    """A mistake for each security override that does not say why."""
    found = []
    for pattern, table in (merged.get((_SECTION,)) or {}).items():
        security = table.get("security") if isinstance(table, Mapping) else None
        if isinstance(security, Mapping) and not str(security.get("reason") or "").strip():
            path = (_SECTION, pattern, "security")
            found.append(Mistake(path, "needs a reason", 'add reason = "..."', merged.where(path)))
    return found
