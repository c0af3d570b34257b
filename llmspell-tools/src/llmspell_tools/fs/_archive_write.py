"""Writing archives as pieces of bytes, so that the file gate replaces the file in one step."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from llmspell_tools.fs._archive import CHUNK, load_zstd

_BLOCK = 512
_RECORD = 20 * _BLOCK
_GZIP = 31
_FIRST_ZIP_YEAR = 1980
_LAST_ZIP_YEAR = 2107
_FILE, _DIRECTORY = 0o100644, 0o40755


@dataclass(slots=True)
class Source:
    """A file or directory that goes into an archive under `name`."""

    name: str
    path: str
    size: int
    is_dir: bool
    modified: str

    @property
    def moment(self) -> datetime:
        """When it was changed."""
        return datetime.fromisoformat(self.modified)


Opener = Callable[[Source], IO[bytes]]


def pieces(kind: str, sources: Sequence[Source], opened: Opener) -> Iterator[bytes]:
    """The bytes of the archive."""
    if kind == "zip":
        return _zip(sources, opened)
    plain = _content(sources[0], opened) if kind == "gz" else _tar(sources, opened)
    if kind == "tar":
        return plain
    compressor = load_zstd().ZstdCompressor() if kind == "tar.zst" else _Gzip()
    return _compressed(plain, compressor)


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        self.compress, self.flush = self._inner.compress, self._inner.flush


def _compressed(plain: Iterator[bytes], compressor: Any) -> Iterator[bytes]:
    for piece in plain:
        if made := compressor.compress(piece):
            yield made
    yield compressor.flush()


def _content(source: Source, opened: Opener) -> Iterator[bytes]:
    with opened(source) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _tar(sources: Sequence[Source], opened: Opener) -> Iterator[bytes]:
    import tarfile

    written = 0
    for source in sources:
        info = tarfile.TarInfo(source.name)
        info.mtime = int(source.moment.timestamp())
        info.mode = (_DIRECTORY if source.is_dir else _FILE) & 0o777
        info.type = tarfile.DIRTYPE if source.is_dir else tarfile.REGTYPE
        info.size = 0 if source.is_dir else source.size
        head = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        yield head
        written += len(head)
        if not source.is_dir:
            yield from _exactly(source, opened)
            padding = -source.size % _BLOCK
            yield b"\0" * padding
            written += source.size + padding
    yield b"\0" * (2 * _BLOCK + -(written + 2 * _BLOCK) % _RECORD)


def _exactly(source: Source, opened: Opener) -> Iterator[bytes]:
    """As many bytes as the header says: the file may grow or shrink meanwhile."""
    left = source.size
    for chunk in _content(source, opened):
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return
    while left > 0:
        yield b"\0" * min(left, CHUNK)
        left -= CHUNK


class _Sink:
    """A file that zipfile writes to and cannot seek in."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _zip(sources: Sequence[Source], opened: Opener) -> Iterator[bytes]:
    import zipfile

    sink = _Sink()
    given: Any = sink
    with zipfile.ZipFile(given, "w") as archive:
        for source in sources:
            info = zipfile.ZipInfo(source.name + "/" * source.is_dir, _zip_time(source))
            info.external_attr = (_DIRECTORY if source.is_dir else _FILE) << 16
            info.compress_type = zipfile.ZIP_STORED if source.is_dir else zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as out:
                if not source.is_dir:
                    for chunk in _content(source, opened):
                        out.write(chunk)
                        yield sink.take()
            yield sink.take()
    yield sink.take()


def _zip_time(source: Source) -> tuple[int, int, int, int, int, int]:
    moment = source.moment.astimezone(UTC)
    if not _FIRST_ZIP_YEAR <= moment.year <= _LAST_ZIP_YEAR:
        return (_FIRST_ZIP_YEAR, 1, 1, 0, 0, 0)
    return (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
