"""Sound from one format to another, in a helper process."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

from llmspell_core.errors import LimitError
from llmspell_tools._bounded import mistake
from llmspell_tools.media._av import frames, layout_name
from llmspell_tools.media._files import MOST_BYTES

#: By the format's name: FFmpeg's container and encoder.
_TARGETS = {
    "wav": ("wav", "pcm_s16le"),
    "flac": ("flac", "flac"),
    "mp3": ("mp3", "libmp3lame"),
    "ogg": ("ogg", "libopus"),
    "opus": ("ogg", "libopus"),
    "m4a": ("ipod", "aac"),
    "aac": ("adts", "aac"),
    "aiff": ("aiff", "pcm_s16be"),
}
_LOSSLESS = ("wav", "flac", "aiff")
_STEREO = 2
_TAGS = ("title", "artist", "album", "album_artist", "genre", "date", "track", "comment")


def convert(av: Any, source: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The first sound of a file in the format wanted."""
    tool, form = options["tool"], options["format"]
    if not source.streams.audio:
        raise mistake(tool, "file_path", "has no sound in it")
    stream = source.streams.audio[0]
    container, encoder = _TARGETS[form]
    target = BytesIO()
    with av.open(target, "w", format=container) as made:
        made.metadata.update({k: v for k, v in source.metadata.items() if k.lower() in _TAGS})
        out = made.add_stream(
            encoder,
            rate=_rate(av, encoder, options.get("sample_rate") or stream.codec_context.sample_rate),
            layout=_layout(stream.codec_context, options.get("channels"), form),
        )
        for frame in frames(av, source, stream, tool):
            # Each file counts time from its own beginning.
            frame.pts = None
            for packet in out.encode(frame):
                made.mux(packet)
            _check_size(target, tool)
        for packet in out.encode(None):
            made.mux(packet)
        seconds = float(out.duration * out.time_base) if out.duration else None
        info = {
            "format": form,
            "sample_rate": out.codec_context.sample_rate,
            "channels": out.codec_context.channels,
        }
    if seconds:
        info["duration_seconds"] = round(seconds, 3)
    _check_size(target, tool)
    return {"info": info, "data": base64.b64encode(target.getvalue()).decode("ascii")}


def _check_size(target: BytesIO, tool: str) -> None:
    if target.tell() > MOST_BYTES:
        raise LimitError(
            f"{tool}: the result is larger than {MOST_BYTES // 1024 // 1024} MiB",
            code="limit.value",
            hint="a format that compresses: mp3, ogg, m4a",
        )


def _rate(av: Any, encoder: str, wanted: int) -> int:
    """The nearest rate that the encoder takes, a higher one first."""
    known = av.Codec(encoder, "w").audio_rates
    if not known or wanted in known:
        return wanted
    return int(min(known, key=lambda rate: (rate < wanted, abs(rate - wanted))))


def _layout(codec: Any, channels: int | None, form: str) -> str:
    if channels is not None:
        return "stereo" if channels == _STEREO else "mono"
    if codec.channels == 1:
        return "mono"
    if codec.channels > _STEREO and form in _LOSSLESS:
        return layout_name(codec)
    return "stereo"
