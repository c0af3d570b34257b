"""The lock file: which modules are pinned, and by which SHA-256.

    # Written by `llmspell modules pin`; commit it.
    version = 1

    [[module]]
    name = "lib.util"
    path = "lib/util.lua"
    sha256 = "9f86d0..."

It is TOML. Paths are relative to the folder of the lock file, with slashes. A pin is found by the
path, so that a file of the same name in another folder is not taken for the pinned one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmspell_core.errors import ConfigError

VERSION = 1
MAX_LOCK_BYTES = 8 << 20
#: As many hexadecimal digits of a SHA-256 as people are shown.
SHOWN = 12

_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEAD = f"# Written by `llmspell modules pin`; commit it.\nversion = {VERSION}\n"


@dataclass(frozen=True, slots=True)
class Pin:
    """One pinned file: `path` is relative to the lock file's folder."""

    name: str
    path: str
    sha256: str


class Lock:
    """The pins of one lock file; a missing file has none."""

    def __init__(self, file: Path, pins: list[Pin] | None = None) -> None:
        self.file = file
        self._pins = {pin.path: pin for pin in pins or ()}

    @classmethod
    def read(cls, file: Path) -> Lock:
        """The pins of a file.

        Raises:
            ConfigError: it is no lock file; the message names file and place.
        """
        try:
            with file.open("rb") as opened:
                data = opened.read(MAX_LOCK_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return cls(file)
        except OSError as error:
            raise _broken(file, error.strerror or str(error)) from None
        if len(data) > MAX_LOCK_BYTES:
            raise _broken(file, "it is larger than 8 MiB")
        try:
            found = tomllib.loads(data.decode())
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise _broken(file, str(error)) from None
        if found.get("version") != VERSION:
            raise _broken(file, f"its version is {found.get('version')!r}, this reads {VERSION}")
        entries = found.get("module", [])
        if not isinstance(entries, list):
            raise _broken(file, "module is no list of tables")
        return cls(file, [_pin(file, number, one) for number, one in enumerate(entries, 1)])

    @property
    def pins(self) -> list[Pin]:
        """All pins, by path."""
        return [self._pins[path] for path in sorted(self._pins)]

    def find(self, path: str | os.PathLike[str]) -> Pin | None:
        """The pin of a file by its absolute path."""
        return self._pins.get(self._relative(path))

    def add(self, name: str, path: str | os.PathLike[str], sha256: str) -> Pin:
        """Pin a file by its absolute path, in place of an earlier pin."""
        pin = Pin(name, self._relative(path), sha256)
        self._pins[pin.path] = pin
        return pin

    def remove(self, pin: Pin) -> None:
        """Pin this file no longer."""
        self._pins.pop(pin.path, None)

    def path_of(self, pin: Pin) -> Path:
        """The absolute path of a pinned file."""
        return Path(os.path.normpath(self.file.parent / pin.path))

    def write(self) -> None:
        """Write the file, replaced in one step."""
        fresh = self.file.with_name(f"{self.file.name}.{os.getpid()}")
        blocks = "".join(
            f"\n[[module]]\nname = {_text(pin.name)}\npath = {_text(pin.path)}\n"
            f'sha256 = "{pin.sha256}"\n'
            for pin in self.pins
        )
        try:
            fresh.write_text(_HEAD + blocks, encoding="utf-8", newline="\n")
            fresh.replace(self.file)
        except OSError as error:
            raise ConfigError(f"cannot write {self.file}: {error.strerror or error}") from None

    def _relative(self, path: str | os.PathLike[str]) -> str:
        whole = os.path.normpath(os.fspath(path))
        try:
            return Path(os.path.relpath(whole, self.file.parent)).as_posix()
        except ValueError:  # another drive
            return Path(whole).as_posix()


def digest(data: bytes) -> str:
    """The SHA-256 of a module's bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _pin(file: Path, number: int, entry: Any) -> Pin:
    table = entry if isinstance(entry, dict) else {}
    values = [table.get(key) for key in ("name", "path", "sha256")]
    name, path, sha256 = (value if isinstance(value, str) else "" for value in values)
    if not (name and path and _SHA256.fullmatch(sha256)):
        raise _broken(file, f"module {number} has no name, path and sha256")
    return Pin(name, path, sha256)


def _broken(file: Path, why: str) -> ConfigError:
    return ConfigError(
        f"{file} is no usable lock file: {why}",
        hint="restore it, or remove it and run: llmspell modules pin",
    )


def _text(value: str) -> str:
    """A TOML string: JSON's escapes are all TOML's, but for DEL, which JSON leaves as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
