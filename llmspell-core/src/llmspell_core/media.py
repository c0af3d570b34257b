"""What kind of data a file is: by its first bytes, else by its name."""

from __future__ import annotations

import mimetypes
from typing import Literal

Kind = Literal["text", "image", "audio", "file"]

UNKNOWN = "application/octet-stream"
_TEXT = "text/plain"
#: First bytes -> media type.
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
#: Containers: what stands at byte 8 says what they hold.
_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}
_BRANDS = {b"M4A ": "audio/mp4", b"avif": "image/avif", b"heic": "image/heic"}
#: What `mimetypes` does not know everywhere, or calls otherwise.
_NAMES = {
    ".md": "text/markdown",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".jsonl": "application/jsonl",
    ".lua": "text/x-lua",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".m4a": "audio/mp4",
    ".webp": "image/webp",
}
_SAME = {"audio/x-wav": "audio/wav", "audio/wave": "audio/wav", "audio/mp3": "audio/mpeg"}
_TEXTUAL = frozenset(
    f"application/{name}"
    for name in ("json", "jsonl", "xml", "toml", "yaml", "javascript", "sql", "x-sh", "x-ndjson")
)
_HEAD = 4096


def media_type(data: bytes = b"", name: str = "", given: str = "") -> str:
    """The media type: as given, else by the first bytes, else by the name, else unknown.

    Args:
        data: the content, or its beginning
        name: a file name, path or URL
        given: what a sender says it is, parameters and all
    """
    said = given.partition(";")[0].strip().lower()
    said = _SAME.get(said, said)
    if said and said != UNKNOWN:
        return said
    return _by_content(data) or _by_name(name) or (_TEXT if _is_text(data) else UNKNOWN)


def kind_of(media: str) -> Kind:
    """Which kind of part this is in a message."""
    family = media.partition("/")[0]
    if family == "image":
        return "image"
    if family == "audio":
        return "audio"
    return "text" if is_textual(media) else "file"


def is_textual(media: str) -> bool:
    """Whether it is text to be read as it stands."""
    return media.startswith("text/") or media in _TEXTUAL or media.endswith(("+json", "+xml"))


def _by_content(data: bytes) -> str:
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12], "")
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "video/mp4")
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "")


def _by_name(name: str) -> str:
    plain = name.partition("?")[0].partition("#")[0].lower()
    dot = plain[plain.rfind(".") :] if "." in plain else ""
    found = _NAMES.get(dot) or mimetypes.guess_type(plain)[0] or ""
    return _SAME.get(found, found)


def _is_text(data: bytes) -> bool:
    head = data[:_HEAD]
    if not head or b"\x00" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # A letter cut at the end is no sign of anything.
        return len(data) > _HEAD and error.start > len(head) - 4
    return True
