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


def _xlsx(sheet: str, shared: str = "", more: dict[str, str] | None = None) -> bytes:
    """A workbook of one sheet, given as XML."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    members = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{office}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{office}.worksheet+xml"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{rel}/sharedStrings" Target="sharedStrings.xml"/>'
        "</Relationships>",
        "xl/sharedStrings.xml": shared or f'<sst xmlns="{main}"/>',
        "xl/worksheets/sheet1.xml": sheet.replace("@MAIN@", main),
    }
    return _zip({**members, **(more or {})})


def _xlsx_bomb(megabytes: int = 100) -> bytes:
    """A sheet of a few hundred kilobytes that is a text without end."""
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    )
    row = b'<row><c t="inlineStr"><is><t>' + b"a" * MIB + b"</t></is></c></row>"
    whole, crc, size = [], 0, 0
    for piece in (start, *[row] * megabytes, b"</sheetData></worksheet>"):
        whole.append(press.compress(piece))
        crc, size = zlib.crc32(piece, crc), size + len(piece)
    data = b"".join([*whole, press.flush()])
    return _with_member(_xlsx(""), b"xl/worksheets/sheet1.xml", data, crc, size)


def _with_member(archive: bytes, name: bytes, data: bytes, crc: int, size: int) -> bytes:
    """The archive with the (deflated) data of one member replaced."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            if info.filename.encode() != name:
                new.writestr(info.filename, old.read(info))
    made = bytearray(target.getvalue())
    end = made.rindex(b"PK\5\6")
    count, _, length, start = struct.unpack("<HHII", made[end + 8 : end + 20])
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 33, crc, len(data), size, len(name), 0)
    entry = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 8, 0, 33, crc, len(data), size, len(name),
        0, 0, 0, 0, 0, start,
    )  # fmt: skip
    directory = bytes(made[start:end]) + entry + name
    body = bytes(made[:start]) + local + name + data
    tail = struct.pack(
        "<4s4H2IH", b"PK\5\6", 0, 0, count + 1, count + 1, length + len(entry) + len(name),
        len(body), 0,
    )  # fmt: skip
    return body + directory + tail


def _pdf(content: str = "", filters: int = 0, pages: str = "[3 0 R]", more: str = "") -> bytes:
    """A PDF of one page, whose content is packed that many times."""
    data = content.encode()
    for _ in range(filters):
        data = zlib.compress(data, 9)
    names = "/FlateDecode " * filters
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids {pages} /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << >> >>",
        f"<< /Length {len(data)} /Filter [{names}] >>\nstream\n",
    ]
    made = bytearray(b"%PDF-1.7\n")
    places = []
    for number, text in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n{text}".encode()
        made += data + b"\nendstream" if text.endswith("stream\n") else b""
        made += b"\nendobj\n"
    made += more.encode()
    start = len(made)
    made += f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode()
    made += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    made += f"trailer << /Size {len(places) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(made)


def _pdf_bomb(megabytes: int = 48) -> bytes:
    """A page whose content is packed twice."""
    data = zlib.compress(_deflated(megabytes), 9)
    return _pdf("@", 2).replace(b"@", b"").replace(zlib.compress(zlib.compress(b"@", 9), 9), data)


def _deflated(megabytes: int) -> bytes:
    press = zlib.compressobj(9)
    return b"".join([*(press.compress(b" " * MIB) for _ in range(megabytes)), press.flush()])


def _png(width: int, height: int, rows: int = 0) -> bytes:
    """A picture that says it is so large, of black rows."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = zlib.compress(bytes(rows * (1 + (width + 7) // 8)), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    )


def _png_text(megabytes: int = 100) -> bytes:
    """A tiny picture with a compressed note that is huge."""
    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    press = zlib.compressobj(9)
    note = b"".join([*(press.compress(bytes(MIB)) for _ in range(megabytes)), press.flush()])
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"zTXt", b"note\0\0" + note)
        + _chunk(b"IDAT", zlib.compress(b"\0\0")) + _chunk(b"IEND", b"")
    )  # fmt: skip


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _gif(width: int, height: int) -> bytes:
    """A picture of one dot on a huge canvas."""
    return (
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
        + b"," + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02D\x01\x00;"
    )  # fmt: skip


def _wav(channels: int, rate: int, size: int) -> bytes:
    """A sound of nothing that says it has that many channels and bytes."""
    form = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * channels * 2 & 0xFFFFFFFF, 2, 16
    )
    return b"RIFF" + struct.pack("<I", size) + b"WAVE" + form + b"data" + struct.pack("<I", size)


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
    "xlsx": _xlsx,
    "xlsx_bomb": _xlsx_bomb,
    "pdf": _pdf,
    "pdf_bomb": _pdf_bomb,
    "png": _png,
    "png_text": _png_text,
    "gif": _gif,
    "wav": _wav,
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
