"""What reading and writing archives share: formats, limits, names of members, errors."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from llmspell_core.errors import LimitError, ToolError
from llmspell_tools._extras import imported

TOOL = "archive-handler"
CHUNK = 64 * 1024
#: Members of one archive, and the bytes that they may have together.
MOST_FILES = 10_000
MOST_BYTES = 1024 * 1024 * 1024
#: Beyond `_FREE_BYTES` nothing honest is this many times larger than its archive.
_MOST_RATIO = 250
_FREE_BYTES = 16 * 1024 * 1024
_LONGEST_PART = 255
_DEEPEST = 64
_ENDINGS = {
    ".zip": "zip",
    ".tar.gz": "tar.gz",
    ".tgz": "tar.gz",
    ".tar.zst": "tar.zst",
    ".tar.zstd": "tar.zst",
    ".tzst": "tar.zst",
    ".tar": "tar",
    ".gz": "gz",
}
_USTAR = slice(257, 262)


class ArchiveError(ToolError):
    """An archive that cannot be used: `archive.invalid`, `.unsafe`, `.unsupported`."""

    code = "archive.invalid"


@dataclass(slots=True)
class Member:
    """One entry; `kind` is file, directory, link or other."""

    name: str
    kind: str
    size: int
    modified: str = ""
    executable: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As the tool lists it."""
        found = {"name": self.name, "size": self.size, "is_dir": self.kind == "directory"}
        if self.modified:
            found["modified"] = self.modified
        return found if self.kind in ("file", "directory") else {**found, "kind": self.kind}


class Budget:
    """How much may still come out of an archive: what is too much is a bomb."""

    def __init__(self, archive_size: int) -> None:
        self._archive_size = max(archive_size, 1)
        self.bytes = 0
        self.files = 0

    def member(self) -> None:
        """Count one more member."""
        self.files += 1
        if self.files > MOST_FILES:
            raise too_much(f"has more than {MOST_FILES} members")

    def take(self, size: int) -> None:
        """Count bytes that came, or are said to come."""
        self.bytes += size
        if self.bytes > MOST_BYTES:
            raise too_much(f"has more than {MOST_BYTES // 1024 // 1024} MiB inside")
        if self.bytes > _FREE_BYTES and self.bytes > _MOST_RATIO * self._archive_size:
            raise too_much(f"has more than {_MOST_RATIO} times its own size inside")


def too_much(why: str) -> LimitError:
    """`limit.archive_size` for what a bomb does."""
    return LimitError(f"{TOOL}: the archive {why}", code="limit.archive_size")


def format_by_name(path: str) -> str | None:
    """The format that the end of a file's name says."""
    name = path.lower()
    return next((kind for end, kind in _ENDINGS.items() if name.endswith(end)), None)


def format_by_content(head: bytes) -> str | None:
    """The format of a file that begins so; `gz` may have a tar inside."""
    if head[:4] in (b"PK\3\4", b"PK\5\6"):
        return "zip"
    if head[:2] == b"\x1f\x8b":
        return "gz"
    if head[:4] == b"\x28\xb5\x2f\xfd":
        return "tar.zst"
    return "tar" if is_tar(head) else None


def is_tar(head: bytes) -> bool:
    """Whether this is the first block of a tar archive."""
    return head[_USTAR] == b"ustar"


def base_name(path: str) -> str:
    """The last part of a path."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def safe_name(raw: str) -> str:
    """A member's name as a path below the target; "" for the target itself.

    Raises:
        ArchiveError: `archive.unsafe`: it leads somewhere else, whatever system reads it.
    """
    # Bytes that are no UTF-8 would be no JSON either.
    name = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":":
        raise _unsafe(name, "is absolute")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _unsafe(name, "leads out of the target")
    if any(ord(char) < 32 or ord(char) == 127 for char in name):  # noqa: PLR2004
        raise _unsafe(name, "has control characters")
    if len(parts) > _DEEPEST or any(len(part.encode()) > _LONGEST_PART for part in parts):
        raise _unsafe(name, "is too long or too deep")
    return "/".join(parts)


def _unsafe(name: str, why: str) -> ArchiveError:
    shown = ascii(name[:80])
    return ArchiveError(
        f"{TOOL}: the member {shown} {why}",
        code="archive.unsafe",
        hint="nothing was extracted: an archive made so is not to be trusted",
        details={"member": shown},
    )


class Chosen:
    """Which members take part: `files` by name, `include` and `exclude` by glob."""

    def __init__(self, files: list[str], include: list[str], exclude: list[str]) -> None:
        self._files = {name.strip("/") for name in files}
        self._include, self._exclude = include, exclude

    def __call__(self, name: str) -> bool:
        """Whether this one does."""
        if self._files and name not in self._files:
            return False
        if self._include and not _any(name, self._include):
            return False
        return not _any(name, self._exclude)


def _any(name: str, globs: list[str]) -> bool:
    """A glob without a slash is one for the last part or any directory above, as in .gitignore."""
    parts = name.split("/")
    for glob in globs:
        plain = glob.strip("/")
        if fnmatchcase(name, plain):
            return True
        if "/" not in plain and any(fnmatchcase(part, plain) for part in parts):
            return True
    return False


def load_zstd() -> Any:
    """Python's own module, or the same one for older Pythons."""
    newer = sys.version_info >= (3, 14)
    return imported("compression.zstd" if newer else "backports.zstd", TOOL, "archive")


@contextmanager
def readable(path: str, kind: str) -> Iterator[None]:
    """What the libraries raise about a damaged archive, in our words."""
    import struct
    import tarfile
    import zipfile
    import zlib

    broken = (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        # Of zipfile for what it does not know, of tarfile for numbers that are none.
        ValueError,
        OverflowError,
        RuntimeError,
        MemoryError,
        KeyError,
        IndexError,
    )
    try:
        yield
    except broken as error:
        raise ArchiveError(
            f'{TOOL}: "{path}" is no {kind}{" " * bool(kind)}archive, or is damaged: '
            f"{str(error)[:200]}",
            hint="name its format, if the name of the file does not say it",
        ) from None
