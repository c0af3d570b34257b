"""Hostile files that TOML cannot hold, and hostile answers of a server, by `kind`."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Any

import tool_border_documents as documents

Told = dict[str, Any]
MIB = 1024 * 1024


def make(told: Told) -> bytes:
    """The bytes of a file: `kind` names the function, the other fields are its arguments."""
    return _made(json.dumps(told, sort_keys=True))


@cache
def _made(told: str) -> bytes:
    fields = json.loads(told)
    return _KINDS[fields.pop("kind")](**fields)


def _zip(members: dict[str, str], links: dict[str, str] | None = None) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            info = zipfile.ZipInfo("x" * len(name))
            # Past the constructor, which would tidy it up.
            info.filename = name
            archive.writestr(info, text)
        for name, goal in (links or {}).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, goal)
    return target.getvalue()


def _zip_bomb(megabytes: int = 48) -> bytes:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("bomb", "w") as out,
    ):
        for _ in range(megabytes):
            out.write(bytes(MIB))
    return target.getvalue()


def _zip_lying(size: int = 10) -> bytes:
    """It says that its member is small, in both of its directories."""
    data = bytearray(_zip_bomb(20))
    told, real = struct.pack("<I", size), struct.pack("<I", 20 * MIB)
    return bytes(data.replace(real, told))


def _zip_overlapping(times: int = 500) -> bytes:
    """Many entries of the directory name one piece of data (Fifield's bomb, simplified)."""
    one = _zip_bomb(1)
    end = one.rindex(b"PK\5\6")
    start = struct.unpack("<I", one[end + 16 : end + 20])[0]
    head, entry = one[:start], one[start:end]
    directory = entry * times
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, times, times, len(directory), start, 0)
    return head + directory + tail


def _zip_many(members: int = 11_000) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(members):
            archive.writestr(str(number), "")
    return target.getvalue()


def _zip_nested(depth: int = 4) -> bytes:
    data = _zip({"end.txt": "end"})
    for _ in range(depth):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for number in range(3):
                archive.writestr(f"{number}.zip", data)
        data = target.getvalue()
    return data


def _tar(members: list[Told], packed: str = "") -> bytes:
    """Members of any kind: `{name, type, link, text, size}`."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for one in members:
            info = tarfile.TarInfo(one["name"])
            info.type = _TYPES[one.get("type", "file")]
            info.linkname = one.get("link", "")
            text = one.get("text", "").encode()
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text) if text else None)
    return gzip.compress(target.getvalue()) if packed == "gz" else target.getvalue()


_TYPES = {
    "file": tarfile.REGTYPE,
    "dir": tarfile.DIRTYPE,
    "link": tarfile.SYMTYPE,
    "hard": tarfile.LNKTYPE,
    "fifo": tarfile.FIFOTYPE,
    "char": tarfile.CHRTYPE,
}


def _tar_bomb(megabytes: int = 48, packed: str = "gz") -> bytes:
    info = tarfile.TarInfo("bomb")
    info.size = megabytes * MIB
    return _compressed([info.tobuf(), *[bytes(MIB)] * megabytes, bytes(1024)], packed)


def _tar_header(size: int, name: str = "x", kind: str = "g") -> bytes:
    """A header of any size and type, and nothing after it: pax records, long names, sparse maps."""
    info = tarfile.TarInfo(name)
    info.type = kind.encode()
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    # As base 256: any number, negative ones as well.
    head[124:136] = (size % 2**96).to_bytes(12, "big") if size < 0 else b"%011o\0" % size
    head[148:156] = b"        "
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + bytes(10 * 512)


def _tar_long_names(times: int = 3000) -> bytes:
    """A long name of a long name of a long name."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 5
    return (info.tobuf() + b"name\0".ljust(512, b"\0")) * times + bytes(1024)


def _tar_sparse(size: int) -> bytes:
    """An old GNU sparse file that says it is huge."""
    head = bytearray(_tar_header(0, "sparse", "S")[:512])
    head[386:398] = b"%011o\0" % 0
    head[398:410] = b"%011o\0" % 0
    head[483:495] = size.to_bytes(12, "big")
    head[483] |= 0x80
    head[148:156] = b"        "
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + bytes(1024)


def _gz_bomb(megabytes: int = 48) -> bytes:
    return _compressed([bytes(MIB)] * megabytes, "gz")


def _compressed(pieces: list[bytes], packed: str) -> bytes:
    if packed == "zst":
        from llmspell_tools.fs._archive import load_zstd

        data: bytes = load_zstd().compress(b"".join(pieces))
        return data
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*map(press.compress, pieces), press.flush()])


def _text(text: str, times: int = 1) -> bytes:
    return (text * times).encode()


def _hex(data: str, times: int = 1) -> bytes:
    return bytes.fromhex(data) * times


def _sqlite(script: str) -> bytes:
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.executescript(script)
    data = connection.serialize()
    connection.close()
    return data


_KINDS: dict[str, Callable[..., bytes]] = {
    "zip": _zip,
    "zip_bomb": _zip_bomb,
    "zip_lying": _zip_lying,
    "zip_overlapping": _zip_overlapping,
    "zip_many": _zip_many,
    "zip_nested": _zip_nested,
    "tar": _tar,
    "tar_bomb": _tar_bomb,
    "tar_header": _tar_header,
    "tar_long_names": _tar_long_names,
    "tar_sparse": _tar_sparse,
    "gz_bomb": _gz_bomb,
    "xlsx": documents.xlsx,
    "xlsx_bomb": documents.xlsx_bomb,
    "pdf": documents.pdf,
    "pdf_bomb": documents.pdf_bomb,
    "png": documents.png,
    "png_text": documents.png_text,
    "gif": documents.gif,
    "wav": documents.wav,
    "text": _text,
    "hex": _hex,
    "sqlite": _sqlite,
}


def prepare(told: Told) -> Told:
    """An answer whose body is made."""
    return {**told, "body": _gz_bomb(100)} if told.get("kind") == "gzip_bomb" else told


async def answer_of(told: Told) -> AsyncIterator[bytes]:
    """What a server sends: `kind` is raw (`text`), gzip_bomb, endless, headers or slow."""
    kind = told.get("kind", "raw")
    if kind == "raw":
        yield told.get("text", "HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n").encode("latin-1")
    elif kind == "gzip_bomb":
        yield b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n"
        yield told["body"]
    elif kind == "endless":
        yield b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"
        while True:
            yield bytes(MIB)
    elif kind == "headers":
        yield b"HTTP/1.1 200 OK\r\n"
        while True:
            yield b"x-more: " + b"a" * 1000 + b"\r\n"
    elif kind == "slow":
        yield b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"
        while True:
            await asyncio.sleep(0.1)
            yield b"."
    else:
        raise ValueError(kind)
