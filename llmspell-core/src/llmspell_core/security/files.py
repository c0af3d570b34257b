"""The file gate: every file that a tool or a script's `io` opens, lists or changes.

All methods take a path, absolute or relative to the working directory, refuse with
`policy.file` what the policy does not allow, and block: use `asyncio.to_thread` for big work.
"""

# Descriptors of directories work with `os` only; mixing it with pathlib would hide which is which.
# ruff: noqa: PTH116, PTH118, PTH119

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from llmspell_core.errors import ValidationError
from llmspell_core.security.beneath import Directory
from llmspell_core.security.fileaccess import (
    FileAccess,
    FileError,
    FileMode,
    Place,
    buffered,
    too_large,
)
from llmspell_core.security.roots import open_roots

StrPath = str | os.PathLike[str]
#: A file that is being written, not yet in its place.
_FRESH = re.compile(r"\.[0-9a-f]{16}\.llmspell")
_MODES = {"r", "w", "a", "x", "r+", "w+", "a+", "x+"}


@dataclass(frozen=True, slots=True)
class FileInfo:
    """An entry of a directory; `size` in bytes, `modified` an ISO time in UTC."""

    name: str
    path: str
    size: int
    is_dir: bool
    modified: str

    def to_dict(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


class FileGate(FileAccess):
    """Files under the policy."""

    def resolve(self, path: StrPath, mode: FileMode = "read") -> Path:
        """The absolute path, free of links, when the policy allows it.

        For libraries that open files themselves: what happens to the path afterwards is not
        covered, so prefer `open`.
        """
        return Path(self.locate(path, mode).path)

    def open(self, path: StrPath, mode: str = "r", *, encoding: str = "utf-8") -> IO[Any]:
        """An open file; `mode` as for Python's `open`. Writing makes missing directories."""
        plain = mode.replace("b", "").replace("t", "")
        if plain not in _MODES:
            raise ValidationError(f'unknown file mode "{mode}"', hint="r, w, a or x, with b and +")
        access: FileMode = "read" if plain == "r" else "write"
        place = self.locate(path, access)
        flags = _flags(plain)
        with self.parent(place, access, make=access == "write" and plain[0] != "r") as folder:
            fd = self.descriptor(place, folder, flags, truncate=plain[0] == "w")
        return buffered(fd, mode, place.max_bytes, encoding, place.given)

    def read_bytes(self, path: StrPath, limit: int | None = None) -> bytes:
        """The whole content; `limit.file_size` when it has more than `limit` bytes."""
        most = min((n for n in (limit, self.max_bytes) if n), default=0)
        with self.open(path, "rb") as file:
            data: bytes = file.read(most + 1 if most else -1)
        if most and len(data) > most:
            raise too_large(os.fspath(path), most)
        return data

    def read_text(self, path: StrPath, encoding: str = "utf-8", limit: int | None = None) -> str:
        """The whole content as text; `file.encoding` when it is not in this encoding."""
        data = self.read_bytes(path, limit)
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError) as error:
            raise FileError(
                f'"{os.fspath(path)}" is not {encoding} text: {error}',
                code="file.encoding",
                hint="name its encoding, or read it as bytes",
            ) from None

    def write_bytes(self, path: StrPath, data: bytes, *, append: bool = False) -> int:
        """Write a file; its directories are made. Returns the bytes written.

        Without `append` the file is replaced in one step: readers see the old or the new one.
        """
        if append:
            with self.open(path, "ab") as file:
                file.write(data)
            return len(data)
        place = self.locate(path, "write")
        self._replace(place, (data,))
        return len(data)

    def write_text(
        self, path: StrPath, text: str, encoding: str = "utf-8", *, append: bool = False
    ) -> int:
        """Write text; as `write_bytes`."""
        return self.write_bytes(path, text.encode(encoding), append=append)

    def exists(self, path: StrPath) -> bool:
        """Whether there is something; outside of the allowed paths an error."""
        place = self.locate(path, "read")
        try:
            return self._info(place) is not None
        except FileError as error:
            if error.code == "file.not_directory":
                return False
            raise

    def stat(self, path: StrPath) -> FileInfo:
        """What is known about a file or directory."""
        place = self.locate(path, "read")
        found = self._info(place)
        if found is None:
            with self.errors(place, "read"):
                raise FileNotFoundError
        return found

    def list(self, path: StrPath = ".") -> list[FileInfo]:
        """The entries of a directory by name, without those that the policy hides."""
        place = self.locate(path, "read")
        return [info for info, _ in self._entries(place)]

    def walk(self, path: StrPath = ".", max_depth: int = 64) -> Iterator[FileInfo]:
        """Everything below a directory, parents before children, links to directories closed."""
        place = self.locate(path, "read")
        for info, is_link in self._entries(place):
            yield info
            if info.is_dir and not is_link and max_depth > 1:
                yield from self.walk(os.path.join(place.path, info.name), max_depth - 1)

    def mkdir(self, path: StrPath) -> None:
        """Make a directory and those above it; one that exists is fine."""
        place = self.locate(path, "write")
        with self.parent(_child(place, "x"), "write", make=True):
            pass

    def remove(self, path: StrPath, *, recursive: bool = False) -> None:
        """Remove a file, a link itself, an empty directory, or with `recursive` a full one."""
        from llmspell_core.security.filetree import remove

        remove(self, self.locate(path, "write", follow=False), recursive=recursive)

    def copy(self, source: StrPath, target: StrPath, *, recursive: bool = False) -> int:
        """Copy a file, with `recursive` a directory; an existing target file is replaced.

        Returns:
            How many files were copied.
        """
        from llmspell_core.security.filetree import copy

        return copy(self, source, target, recursive=recursive)

    def move(self, source: StrPath, target: StrPath) -> None:
        """Move a file or directory; an existing target file is replaced."""
        from llmspell_core.security.filetree import move

        move(self, source, target)

    def write_chunks(self, path: StrPath, chunks: Iterable[bytes], mode: int | None = None) -> int:
        """Write a file from pieces, replaced in one step; returns the bytes written."""
        return self._replace(self.locate(path, "write"), chunks, mode)

    def roots(self) -> dict[str, Sequence[str]]:
        """The allowed directories of the innermost profile: `{read, write}`."""
        return open_roots(self._layers[0])

    def _replace(self, place: Place, chunks: Iterable[bytes], mode: int | None = None) -> int:
        with self.parent(place, "write", make=True) as folder:
            name = os.path.basename(place.path)
            with contextlib.suppress(FileNotFoundError):
                status = folder.stat(name)
                self.check_status(place, status, "write")
                mode = stat.S_IMODE(status.st_mode) if mode is None else mode
            fresh = f".{secrets.token_hex(8)}.llmspell"
            fd = folder.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY)
            try:
                written = _write(fd, chunks, place)
                if mode is not None and os.name == "posix":
                    os.fchmod(fd, mode & 0o777)
                os.close(fd)
                fd = -1
                os.replace(
                    folder.at(fresh), folder.at(name), src_dir_fd=folder.fd, dst_dir_fd=folder.fd
                )
            except BaseException:
                if fd >= 0:
                    os.close(fd)
                with contextlib.suppress(OSError):
                    os.unlink(folder.at(fresh), dir_fd=folder.fd)
                raise
        return written

    def _info(self, place: Place) -> FileInfo | None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.errors(place, "read"))
            if place.free or not place.parts:
                try:
                    return _info_of(place.path, os.stat(place.path))
                except FileNotFoundError:
                    return None
            try:
                folder = stack.enter_context(self._quiet_parent(place))
                status = folder.stat(place.name)
            except FileNotFoundError:
                return None
            if not stat.S_ISDIR(status.st_mode):
                self.check_status(place, status, "read")
            return _info_of(place.path, status)

    @contextlib.contextmanager
    def _quiet_parent(self, place: Place) -> Iterator[Directory]:
        """As `parent`, leaving a missing file to the caller."""
        from llmspell_core.security.beneath import open_directory
        from llmspell_core.security.fileaccess import own_only

        check = own_only if place.shared else None
        with open_directory(place.root, place.directory, check=check) as found:
            yield found

    def _entries(self, place: Place) -> Sequence[tuple[FileInfo, bool]]:
        found = []
        with self.parent(_child(place, "x"), "read") as folder:
            for entry in folder.scan():
                path = os.path.join(place.path, entry.name)
                info = self._entry(place, path, entry)
                if info is not None:
                    found.append((info, entry.is_symlink()))
        return found

    def _entry(self, place: Place, path: str, entry: os.DirEntry[str]) -> FileInfo | None:
        """One entry, or None when the policy hides it or it is gone."""
        if not place.free and (self.hides(path) or _FRESH.fullmatch(entry.name)):
            return None
        with contextlib.suppress(OSError):
            if entry.is_symlink():
                return self._linked(path, entry.name)
            status = entry.stat(follow_symlinks=False)
            ordinary = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
            if ordinary and (not place.shared or status.st_uid == os.geteuid()):
                return _info_of(path, status)
        return None

    def _linked(self, path: str, name: str) -> FileInfo | None:
        """What a link shows: its target's data under its own name, when that is allowed."""
        from llmspell_core.errors import LLMSpellError

        try:
            target = self._info(self.locate(path, "read"))
        except LLMSpellError:
            return None
        if target is None:
            return None
        return FileInfo(name, path, target.size, target.is_dir, target.modified)


_BINARY = getattr(os, "O_BINARY", 0)


def _flags(mode: str) -> int:
    flags = {
        "r": 0,
        "w": os.O_CREAT,
        "a": os.O_CREAT | os.O_APPEND,
        "x": os.O_CREAT | os.O_EXCL,
    }[mode[0]]
    if "+" in mode:
        return flags | os.O_RDWR
    return flags | (os.O_RDONLY if mode[0] == "r" else os.O_WRONLY)


def _write(fd: int, chunks: Iterable[bytes], place: Place) -> int:
    written = 0
    for chunk in chunks:
        written += len(chunk)
        if place.max_bytes and written > place.max_bytes:
            raise too_large(place.given, place.max_bytes)
        view = memoryview(chunk)
        while view:
            view = view[os.write(fd, view) :]
    return written


def _child(place: Place, name: str) -> Place:
    """An entry of a directory; of an allowed directory itself, as seen from it."""
    root, parts = (place.path, (name,)) if place.whole else (place.root, (*place.parts, name))
    path = os.path.join(place.path, name)
    return replace(place, path=path, root=root, parts=parts, whole=False)


def _info_of(path: str, status: os.stat_result) -> FileInfo:
    is_dir = stat.S_ISDIR(status.st_mode)
    modified = datetime.fromtimestamp(status.st_mtime, UTC).isoformat().replace("+00:00", "Z")
    name = os.path.basename(path)
    return FileInfo(name, path, 0 if is_dir else status.st_size, is_dir, modified)
