"""Images and sound in the answers of chat completions, whole and streamed."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from llmspell_core.media import UNKNOWN, media_type
from llmspell_core.messages import ContentPart

_PCM = "audio/pcm"


class MediaParts:
    """Collects what a message, or the deltas of one, have beside text.

    Images stand in `images`, as OpenRouter and litellm send them, or among the parts of
    `content`; sound in `audio`, as `data` in pieces, with its words in `transcript`.
    """

    __slots__ = ("_parts", "_sound")

    def __init__(self) -> None:
        self._parts: list[ContentPart] = []
        self._sound = b""

    def add(self, message: dict[str, Any]) -> str:
        """Take what a message or a delta has; the words of its sound are returned."""
        for rows in (message.get("images"), message.get("content")):
            for row in rows if isinstance(rows, list) else ():
                image = row.get("image_url") if isinstance(row, dict) else None
                address = image.get("url") if isinstance(image, dict) else image
                if isinstance(address, str) and address:
                    self._parts.append(_image(address))
        audio = message.get("audio")
        if not isinstance(audio, dict):
            return ""
        self._sound += _bytes(audio.get("data"))
        words = audio.get("transcript")
        return words if isinstance(words, str) else ""

    def found(self) -> list[ContentPart]:
        """All that has come."""
        if not self._sound:
            return self._parts
        media = media_type(self._sound)
        # Sound that begins with no sign of its format is streamed as bare samples.
        media = media if media.startswith("audio/") else _PCM
        data = base64.b64encode(self._sound).decode()
        return [*self._parts, ContentPart(type="audio", data=data, media_type=media)]


def _image(address: str) -> ContentPart:
    if not address.startswith("data:"):
        return ContentPart(type="image", url=address)
    head, _, body = address[5:].partition(",")
    media = media_type(_bytes(body), given=head.partition(";")[0])
    return ContentPart(
        type="image", data=body, media_type=media if media != UNKNOWN else "image/png"
    )


def _bytes(data: Any) -> bytes:
    try:
        return base64.b64decode(data) if isinstance(data, str) else b""
    except binascii.Error:
        return b""
