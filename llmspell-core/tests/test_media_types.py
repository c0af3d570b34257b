"""What kind of data a file is."""

from __future__ import annotations

import pytest

from llmspell_core.media import kind_of, media_type

PNG = b"\x89PNG\r\n\x1a\n...."


@pytest.mark.parametrize(
    ("data", "name", "given", "media", "kind"),
    [
        (PNG, "", "", "image/png", "image"),
        (PNG, "x.txt", "", "image/png", "image"),
        (PNG, "", "image/jpeg; q=1", "image/jpeg", "image"),
        (PNG, "", "application/octet-stream", "image/png", "image"),
        (b"RIFF....WAVEfmt", "", "", "audio/wav", "audio"),
        (b"RIFF....WEBPVP8", "", "", "image/webp", "image"),
        (b"....ftypM4A ", "", "", "audio/mp4", "audio"),
        (b"ID3\x04", "", "audio/x-wav", "audio/wav", "audio"),
        (b"%PDF-1.7", "", "", "application/pdf", "file"),
        (b'{"a": 1}', "a.json", "", "application/json", "text"),
        (b"# Title", "https://example.com/read.md?x=1", "", "text/markdown", "text"),
        ("caf\u00e9".encode(), "", "", "text/plain", "text"),
        (("x" * 4095 + "\u00e9 and more").encode(), "", "", "text/plain", "text"),
        (b"\x00\x01\x02", "", "", "application/octet-stream", "file"),
        (b"", "", "", "application/octet-stream", "file"),
        (b"", "cat.JPG", "", "image/jpeg", "image"),
    ],
)
def test_the_sender_the_first_bytes_or_the_name_say_it(
    data: bytes, name: str, given: str, media: str, kind: str
) -> None:
    assert media_type(data, name, given) == media
    assert kind_of(media) == kind
