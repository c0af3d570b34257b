"""Files as the examples and the catalogue name them: texts, a database, a PDF, pictures, sounds."""

from __future__ import annotations

import sqlite3
import struct
import wave
import zlib
from pathlib import Path
from typing import Any

LOG = "before\nerror: disk\nafter\n"
PEOPLE = "name,city,age\nAda,London,36\nBob,Oslo,17\nEve,London,29\n"
PAGES = ("Tea is served at four.", "Coffee is not.")


def write_files(folder: Path) -> None:
    """Write them all; the video only where there is PyAV."""
    for name, text in {"logs/a.log": LOG, "data/people.csv": PEOPLE}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    for name in ("documents", "media", "output", "watched"):
        (folder / name).mkdir(exist_ok=True)
    write_database(folder / "data/shop.db")
    (folder / "documents/report.pdf").write_bytes(pdf(*PAGES))
    (folder / "media/photo.png").write_bytes(png(64, 48, (0, 128, 128)))
    write_sound(folder / "media/talk.wav")
    write_video(folder / "media/clip.mp4")


def write_database(path: Path) -> None:
    """A SQLite file with a table of things for sale."""
    rows = [("kettle", 29.5), ("cup", 4.0), ("spoon", 1.5)]
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
        connection.executemany("INSERT INTO items (name, price) VALUES (?, ?)", rows)
    connection.close()


def pdf(*pages: str) -> bytes:
    """A PDF whose pages have a line of text each."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(count))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for index, text in enumerate(pages):
        drawn = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET"
        objects += [
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * index} 0 R >>",
            f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        ]
    made, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    return (
        made
        + (
            f"xref\n0 {size}\n0000000000 65535 f \n{table}"
            f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(made)}\n%%EOF\n"
        ).encode()
    )


def png(width: int, height: int, color: tuple[int, int, int]) -> bytes:
    """A picture of one color."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes(color) * width) * height
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def write_sound(path: Path) -> None:
    """A quarter of a second of silence, in stereo."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(16_000))


def write_video(path: Path) -> None:
    """A second of one color, where the library that encodes it is installed."""
    try:
        import av
    except ImportError:
        return
    with av.open(str(path), "w") as made:
        stream: Any = made.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(10):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane, value in zip(frame.planes, (110, 140, 100), strict=True):
                plane.update(bytes([value]) * plane.buffer_size)
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
