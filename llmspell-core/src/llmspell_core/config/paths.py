"""Paths in a configuration: a relative one starts at the folder of the file that names it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from llmspell_core.config.layers import Keys, leaves, nested

_FILES = (("files", "read"), ("files", "write"), ("modules", "paths"), ("modules", "pins"))
_PATHS: frozenset[Keys] = frozenset({
    ("system", "log_file"),
    ("system", "data_dir"),
    ("system", "cache_dir"),
    ("cassette", "path"),
    ("security", "audit_log"),
    ("prompts", "*", "file"),
    ("workflows", "*", "file"),
    *(("security", *one) for one in _FILES),
    *(("security", "profiles", "*", *one) for one in _FILES),
})  # fmt: skip


def holds_paths(path: Keys) -> bool:
    """Whether the value of this key is a path or a list of them."""
    if path in _PATHS:
        return True
    # `*` stands for the user's name: the second part, in [security.profiles] the third.
    at = 2 if path[:2] == ("security", "profiles") else 1
    return (*path[:at], "*", *path[at + 1 :]) in _PATHS


def absolute(value: Any, base: Path) -> Any:
    """A path, or each of a list, as an absolute one. `$project` and `*` stay words."""
    if isinstance(value, list):
        return [absolute(one, base) for one in value]
    if not isinstance(value, str) or not value or value[0] == "$" or value == "*":
        return value
    return os.path.normpath(base / Path(value).expanduser())


def resolved(data: Any, base: Path) -> dict[str, Any]:
    """A layer's data with its paths made absolute."""
    return nested({
        path: absolute(value, base) if holds_paths(path) else value
        for path, value in leaves(data)
    })  # fmt: skip
