"""Hostile spreadsheets, PDF, pictures and sounds."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

MIB = 1024 * 1024


def zip_of(members: dict[str, str]) -> bytes:
    """An archive of texts."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return target.getvalue()


def xlsx(sheet: str, shared: str = "", more: dict[str, str] | None = None) -> bytes:
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
    return zip_of({**members, **(more or {})})


def xlsx_bomb(megabytes: int = 100) -> bytes:
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
    return _with_member(xlsx(""), b"xl/worksheets/sheet1.xml", data, crc, size)


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


def pdf(content: str = "", filters: int = 0, pages: str = "[3 0 R]", more: str = "") -> bytes:
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


def pdf_bomb(megabytes: int = 48) -> bytes:
    """A page whose content is packed twice."""
    data = zlib.compress(_deflated(megabytes), 9)
    return pdf("@", 2).replace(b"@", b"").replace(zlib.compress(zlib.compress(b"@", 9), 9), data)


def _deflated(megabytes: int) -> bytes:
    press = zlib.compressobj(9)
    return b"".join([*(press.compress(b" " * MIB) for _ in range(megabytes)), press.flush()])


def png(width: int, height: int, rows: int = 0) -> bytes:
    """A picture that says it is so large, of black rows."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = zlib.compress(bytes(rows * (1 + (width + 7) // 8)), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    )


def png_text(megabytes: int = 100) -> bytes:
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


def gif(width: int, height: int) -> bytes:
    """A picture of one dot on a huge canvas."""
    return (
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
        + b"," + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02D\x01\x00;"
    )  # fmt: skip


def wav(channels: int, rate: int, size: int) -> bytes:
    """A sound of nothing that says it has that many channels and bytes."""
    form = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * channels * 2 & 0xFFFFFFFF, 2, 16
    )
    return b"RIFF" + struct.pack("<I", size) + b"WAVE" + form + b"data" + struct.pack("<I", size)
