"""Reading archives from an open file: members one after the other, each bounded."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import IO, Any

from llmspell_tools.fs._archive import (
    CHUNK,
    TOOL,
    ArchiveError,
    Budget,
    Member,
    base_name,
    format_by_content,
    format_by_name,
    is_tar,
    load_zstd,
    safe_name,
    too_much,
)

#: Headers and directories are read at once: a larger one is an attack on our memory.
_MOST_AT_ONCE = 8 * 1024 * 1024
_BLOCK = 512
#: Stored and deflated. The others give out any amount for one small piece of input.
_METHODS = (0, 8)
_ENCRYPTED = 1

Chunks = Callable[[], Iterator[bytes]]


def members(
    file: IO[bytes], kind: str, path: str, budget: Budget
) -> Iterator[tuple[Member, Chunks]]:
    """Each member and its content, to be read before the next one is asked for."""
    if kind == "zip":
        return _zip(file, budget)
    if kind == "gz":
        return _gz(file, path, budget)
    return _tar(_Forward(_reader(file, kind), budget), budget)


def format_of(file: IO[bytes], path: str) -> str | None:
    """The format of an open archive: what it begins with, then its name."""
    head = file.read(_BLOCK)
    file.seek(0)
    found = format_by_content(head)
    if found == "gz" and format_by_name(path) != "gz":
        inside = _reader(file, "tar.gz")(_BLOCK)
        file.seek(0)
        return "tar.gz" if is_tar(inside) else "gz"
    return found or format_by_name(path)


def _reader(file: IO[bytes], kind: str) -> Callable[[int], bytes]:
    """Decompresses no more than is asked for."""
    if kind == "tar":
        return file.read
    if kind in ("tar.gz", "gz"):
        import gzip

        return gzip.GzipFile(fileobj=file, mode="rb").read
    zstd = load_zstd()
    stream = zstd.ZstdFile(file, "rb")

    def read(size: int) -> bytes:
        try:
            data: bytes = stream.read(size)
        except zstd.ZstdError as error:
            raise ValueError(str(error)) from None
        return data

    return read


class _Forward:
    """What tarfile reads from: forwards only, counted, and never much at once."""

    def __init__(self, read: Callable[[int], bytes], budget: Budget) -> None:
        self._read = read
        self._budget = budget
        self._place = 0

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MOST_AT_ONCE:
            raise too_much("has a header that is too large")
        data = bytearray()
        while len(data) < size and (chunk := self._read(min(CHUNK, size - len(data)))):
            self._budget.take(len(chunk))
            data += chunk
        self._place += len(data)
        return bytes(data)

    def tell(self) -> int:
        return self._place

    def seek(self, place: int) -> int:
        if place < self._place:
            raise ValueError("a member begins before the end of the one before")
        while place > self._place and self.read(min(CHUNK, place - self._place)):
            pass
        return self._place


def _tar(source: _Forward, budget: Budget) -> Iterator[tuple[Member, Chunks]]:
    import tarfile

    given: Any = source
    tar: Any
    with tarfile.TarFile(fileobj=given, mode="r", encoding="utf-8") as tar:
        while (info := tar.next()) is not None:
            budget.member()
            kind = "other"
            if info.isdir():
                kind = "directory"
            elif info.issym() or info.islnk():
                kind = "link"
            elif info.isreg() and not info.issparse():
                kind = "file"
            member = Member(
                safe_name(info.name),
                kind,
                max(info.size, 0),
                _iso(info.mtime),
                bool(info.mode & 0o100),
            )

            def content(info: tarfile.TarInfo = info) -> Iterator[bytes]:
                return _chunks(tar.extractfile(info))

            yield member, content
            # It keeps them all, to find one by name.
            tar.members.clear()


def _zip(file: IO[bytes], budget: Budget) -> Iterator[tuple[Member, Chunks]]:
    import zipfile

    given: Any = _Whole(file)
    with zipfile.ZipFile(given) as archive:
        for info in archive.infolist():
            budget.member()
            budget.take(info.file_size)
            mode = info.external_attr >> 16
            kind = "directory" if info.is_dir() else "file"
            if stat.S_ISLNK(mode):
                kind = "link"
            elif stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                kind = "other"
            member = Member(
                safe_name(info.filename), kind, info.file_size, _zip_time(info), bool(mode & 0o100)
            )

            def content(info: zipfile.ZipInfo = info) -> Iterator[bytes]:
                _check_readable(info)
                return _chunks(archive.open(info))

            yield member, content


def _check_readable(info: Any) -> None:
    why = ""
    if info.flag_bits & _ENCRYPTED:
        why = "is encrypted"
    elif info.compress_type not in _METHODS:
        why = f"is compressed by method {info.compress_type}"
    if why:
        raise ArchiveError(
            f"{TOOL}: the member {info.filename[:80]!a} {why}, which is not supported",
            code="archive.unsupported",
        )


class _Whole:
    """What zipfile reads from: the file, with a bound on what is read at once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell
        self._size = file.seek(0, 2)
        file.seek(0)

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        left = max(self._size - self._file.tell(), 0)
        size = left if size is None or size < 0 else min(size, left)
        if size > _MOST_AT_ONCE:
            raise too_much("has a directory that is too large")
        return self._file.read(size)


def _gz(file: IO[bytes], path: str, budget: Budget) -> Iterator[tuple[Member, Chunks]]:
    read = _reader(file, "gz")
    name = base_name(path)
    name = name[:-3] if name.lower().endswith(".gz") and len(name) > 3 else f"{name}.out"  # noqa: PLR2004

    def content() -> Iterator[bytes]:
        while chunk := read(CHUNK):
            budget.take(len(chunk))
            yield chunk

    yield Member(safe_name(name), "file", -1), content


def _chunks(stream: IO[bytes] | None) -> Iterator[bytes]:
    if stream is None:
        return
    with stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _iso(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return ""


def _zip_time(info: Any) -> str:
    # A zip has local time of an unknown place: no zone is told.
    try:
        return datetime(*info.date_time).isoformat()  # noqa: DTZ001
    except ValueError:
        return ""
