"""`[script_overrides]`: what differs for the scripts that a pattern names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from llmspell_core.config.layers import Keys, Layer, Merged, leaves
from llmspell_core.config.mistakes import Mistake
from llmspell_core.security.globs import reached

_SECTION = "script_overrides"
_MOST_PATTERN = 1024


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
    if len(pattern) > _MOST_PATTERN:
        return False
    if not whole and not script.is_relative_to(project):
        return False
    path = script if whole else script.relative_to(project)
    wanted = pattern.removeprefix("./").replace("\\", "/")
    return reached(wanted.split("/"), path.as_posix().split("/"))[-1]


def _tables(merged: Merged) -> list[tuple[str, Any]]:
    found = merged.get((_SECTION,))
    return list(found.items()) if isinstance(found, Mapping) else []


def layer_for(
    merged: Merged, script: Path, project: Path
) -> tuple[Layer | None, OverrideUse | None]:
    """What the overrides set for this script, as a layer over the files."""
    result, use = Merged(), None
    names: dict[Keys, str] = {}
    for pattern, table in _tables(merged):
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
            for path, _ in leaves(kept):
                names["security", *path] = merged.where((_SECTION, pattern, "security", *path))
            use = OverrideUse(pattern, str(security.get("reason", "")), where)
        result.add(Layer("override", where, data, project))
    if not result.data:
        return None, None
    names = {path: names.get(path, layer.label) for path, layer in result.origin.items()}
    return Layer("override", _SECTION, result.data, project, names=names), use


def mistakes_in(merged: Merged) -> list[Mistake]:
    """A mistake for each pattern that is too long, and each security override without reason."""
    found = []
    for pattern, table in _tables(merged):
        if len(pattern) > _MOST_PATTERN:
            wrong = f"the pattern is longer than {_MOST_PATTERN:,} characters"
            at = (_SECTION, pattern)
            found.append(Mistake(at, wrong, None, merged.where(at)))
        security = table.get("security") if isinstance(table, Mapping) else None
        if isinstance(security, Mapping) and not str(security.get("reason") or "").strip():
            path = (_SECTION, pattern, "security")
            found.append(Mistake(path, "needs a reason", 'add reason = "..."', merged.where(path)))
    return found
