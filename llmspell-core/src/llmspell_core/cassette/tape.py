"""The file of a cassette: JSON lines, each complete, so that a run that is killed loses nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from llmspell_core.errors import ConfigError
from llmspell_core.json_text import read_json

SCHEMA = "llmspell.cassette/1"
#: Larger files are no recordings of ours.
MOST_BYTES = 256 << 20


def read(path: Path) -> list[dict[str, Any]]:
    """Its lines but the first, which names the schema. Raises `cassette.invalid`."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _invalid(path, f"is over {MOST_BYTES >> 20} MiB")
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise ConfigError(
            f"there is no cassette {path}",
            code="cassette.missing",
            hint='record it first, with --record, or [cassette] mode = "auto"',
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8"
        raise _invalid(path, f"cannot be read: {reason}") from None
    parsed = [_line(path, number, text) for number, text in enumerate(lines, 1) if text.strip()]
    if not parsed or parsed[0].get("schema") != SCHEMA:
        raise _invalid(path, f'does not begin with {{"schema": "{SCHEMA}"}}')
    return parsed[1:]


def _line(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        data = read_json(text)
    except ValueError as error:
        raise _invalid(path, f"line {number} is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise _invalid(path, f"line {number} is no table")
    return data


def _invalid(path: Path, what: str) -> ConfigError:
    return ConfigError(
        f"the cassette {path} {what}",
        code="cassette.invalid",
        hint="record it again",
    )


class Writer:
    """Appends lines; the file is made, or emptied, with the first one.

    A run that asks nothing leaves an older recording as it is.
    """

    def __init__(self, path: Path, *, keep: bool) -> None:
        self.path = path
        self._begun = keep and path.exists()

    def add(self, data: dict[str, Any]) -> None:
        """Write one line. Raises `cassette.write`."""
        try:
            if not self._begun:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._write(os.O_TRUNC, {"schema": SCHEMA})
                self._begun = True
            self._write(os.O_APPEND, data)
        except OSError as error:
            raise ConfigError(
                f"the cassette {self.path} cannot be written: {error.strerror}",
                code="cassette.write",
                hint="name another file",
            ) from None

    def _write(self, flag: int, data: dict[str, Any]) -> None:
        text = json.dumps(data, ensure_ascii=False) + "\n"
        # What models and tools said may be private, even without the secrets.
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | flag, 0o600)
        try:
            os.write(file, text.encode("utf-8", "backslashreplace"))
        finally:
            os.close(file)
