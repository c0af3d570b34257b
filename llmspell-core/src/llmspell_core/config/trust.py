"""Folders whose project files the user trusts: a list in the user's configuration folder.

A trusted project may widen what scripts can do and redirect what is private. Only the user adds
a folder; a folder below it is another project and not trusted with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from llmspell_core.config.directories import private_dir, user_config_dir
from llmspell_core.errors import ConfigError

_FILE = "trusted.json"
#: Trusts every project, in containers and CI.
VARIABLE = "LLMSPELL_TRUST_PROJECT"


def is_trusted(folder: Path, env: Mapping[str, str] | None = None) -> bool:
    """Whether the user trusts the project files of this folder."""
    variables = os.environ if env is None else env
    if variables.get(VARIABLE, "").lower() in {"1", "true", "yes"}:
        return True
    return str(folder.resolve()) in _read(env)


def trust_list(env: Mapping[str, str] | None = None) -> list[Path]:
    """The trusted folders, sorted."""
    return [Path(one) for one in sorted(_read(env))]


def trust_add(folder: Path, env: Mapping[str, str] | None = None) -> bool:
    """Trust a folder; whether it was not trusted before. Raises `config.no_folder`."""
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder", code="config.no_folder")
    known = _read(env)
    name = str(folder.resolve())
    if name in known:
        return False
    _write({*known, name}, env)
    return True


def trust_remove(folder: Path, env: Mapping[str, str] | None = None) -> bool:
    """Trust a folder no more; whether it was trusted. It need not exist any more."""
    known = _read(env)
    gone = {str(folder), str(folder.absolute()), str(folder.resolve())} & known
    if gone:
        _write(known - gone, env)
    return bool(gone)


def _read(env: Mapping[str, str] | None) -> set[str]:
    path = user_config_dir(env) / _FILE
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return set()
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the list of trusted folders cannot be read: {error}",
            code="config.trust_list",
            hint=f"mend or remove {path}",
        ) from None
    folders = data.get("folders") if isinstance(data, dict) else None
    return {one for one in folders or [] if isinstance(one, str)}


def _write(folders: set[str], env: Mapping[str, str] | None) -> None:
    path = private_dir(user_config_dir(env)) / _FILE
    text = json.dumps({"folders": sorted(folders)}, indent=2, ensure_ascii=False) + "\n"
    write_private(path, text)


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner only."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
