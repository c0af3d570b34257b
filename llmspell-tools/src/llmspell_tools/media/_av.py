"""FFmpeg at work, in a helper process: a file's bytes in, facts about its sound and pictures out.

FFmpeg sees nothing but these bytes: only formats that hold everything themselves are read (no
playlists, no descriptions of other files), and whatever it wants to open besides is refused.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from llmspell_core.errors import LLMSpellError
from llmspell_tools._bounded import mistake
from llmspell_tools._extras import imported

MOST_PIXELS = 50_000_000
#: Formats of one file that refers to no other.
_READ = "aac,ac3,aiff,amr,asf,au,avi,caf,flac,flv,matroska,webm,mov,mp4,mp3,mpeg,mpegts,ogg,w64,wav"
_MOST_TAGS = 100
_LONGEST_TAG = 500
#: Packets that cannot be decoded: more of them, and the file is broken.
_MOST_BROKEN = 100

Work = Callable[[Any, Any, dict[str, Any]], dict[str, Any]]


def work(data: str, options: dict[str, Any]) -> dict[str, Any]:
    """Do one operation; see `audio_processor` and `video_processor` for the options."""
    av = imported("av", options["tool"], "av")
    raw = base64.b64decode(data)
    try:
        with _opened(av, raw) as container:
            return _operation(options["operation"])(av, container, {**options, "head": raw[:64]})
    except (LLMSpellError, MemoryError):
        raise
    except (av.error.FFmpegError, ValueError, OSError, EOFError) as error:
        if options["operation"] == "detect":
            return {"info": {"format": "unknown", "supported": False}}
        reason = getattr(error, "strerror", None) or str(error)
        message = f"is no sound or video that can be read: {reason[:200]}"
        raise mistake(options["tool"], "file_path", message) from None


@contextmanager
def _opened(av: Any, raw: bytes) -> Iterator[Any]:
    av.logging.set_level(None)
    options = {
        "format_whitelist": _READ,
        "protocol_whitelist": "none",
        "max_pixels": str(MOST_PIXELS),
        "max_streams": "100",
    }
    container = av.open(
        BytesIO(raw), "r", io_open=_refuse, options=options, metadata_errors="replace"
    )
    try:
        yield container
    finally:
        container.close()


def _refuse(url: str, flags: int, options: dict[str, Any]) -> Any:
    raise PermissionError("the file refers to another one")


def _operation(name: str) -> Work:
    if name == "convert":
        return imported("llmspell_tools.media._av_audio", "audio-processor", "av").convert  # type: ignore[no-any-return]
    if name in ("thumbnail", "extract_frame"):
        return imported("llmspell_tools.media._av_video", "video-processor", "av").picture  # type: ignore[no-any-return]
    return _detected if name == "detect" else _metadata


def _detected(av: Any, container: Any, options: dict[str, Any]) -> dict[str, Any]:
    return {"info": {**_kind(container, options["head"]), "supported": True}}


def _kind(container: Any, head: bytes) -> dict[str, Any]:
    video = video_stream(container)
    kind = "video" if video is not None else "audio" if container.streams.audio else "other"
    return {"format": _format(container, head), "kind": kind}


def _format(container: Any, head: bytes) -> str:
    """The name people give it: FFmpeg has one for a whole family."""
    name: str = container.format.name
    if name.startswith("mov,"):
        brand = head[8:12]
        return {b"qt  ": "mov", b"M4A ": "m4a", b"M4B ": "m4a"}.get(brand, "mp4")
    if name.startswith("matroska"):
        return "webm" if b"webm" in head else "matroska"
    return name.partition(",")[0]


def _metadata(av: Any, container: Any, options: dict[str, Any]) -> dict[str, Any]:
    info: dict[str, Any] = {
        **_kind(container, options["head"]),
        "duration_seconds": duration(av, container),
        "bit_rate": container.bit_rate or None,
        "size": container.size,
        "audio": None,
        "tags": _tags(container.metadata),
    }
    if container.streams.audio:
        info["audio"] = _audio_facts(container.streams.audio[0])
    if options["tool"] == "video-processor":
        stream = video_stream(container)
        info["video"] = None if stream is None else _video_facts(stream)
    return {"info": info}


def duration(av: Any, container: Any) -> float | None:
    """In seconds; None when the file does not say."""
    if container.duration:
        return round(float(container.duration / av.time_base), 3)
    known = [s.duration * s.time_base for s in container.streams if s.duration and s.time_base]
    return round(float(max(known)), 3) if known else None


def _audio_facts(stream: Any) -> dict[str, Any]:
    codec = stream.codec_context
    return {
        "codec": codec.name,
        "sample_rate": codec.sample_rate,
        "channels": codec.channels,
        "layout": layout_name(codec),
    }


#: Files may count their channels without saying where each one belongs.
_USUAL = {
    1: "mono",
    2: "stereo",
    3: "2.1",
    4: "quad",
    5: "5.0",
    6: "5.1",
    7: "6.1",
    8: "7.1",
}


def layout_name(codec: Any) -> str:
    """The layout of the channels, the usual one of that many where the file names none."""
    name = str(codec.layout.name)
    return _USUAL.get(codec.channels, name) if name.endswith("channels") else name


def _video_facts(stream: Any) -> dict[str, Any]:
    codec = stream.codec_context
    rate = stream.average_rate or stream.guessed_rate
    return {
        "codec": codec.name,
        "width": codec.width,
        "height": codec.height,
        "frame_rate": round(float(rate), 3) if rate else None,
        "frames": stream.frames or None,
        "pixel_format": codec.pix_fmt,
    }


def _tags(given: dict[str, str]) -> dict[str, str]:
    found = list(given.items())[:_MOST_TAGS]
    return {key[:_LONGEST_TAG]: value[:_LONGEST_TAG] for key, value in found}


def video_stream(container: Any) -> Any:
    """The first stream of moving pictures, or None: the cover of an album is none."""
    for stream in container.streams.video:
        if "attached_pic" not in str(stream.disposition).lower():
            return stream
    return None


def frames(av: Any, container: Any, stream: Any, tool: str) -> Iterator[Any]:
    """The decoded frames of a stream; a few broken packets are passed over."""
    # One thread: a helper has the time of one.
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
    broken = found = 0
    for packet in container.demux(stream):
        try:
            decoded = packet.decode()
        except av.error.InvalidDataError:
            broken += 1
            if broken > _MOST_BROKEN:
                raise
            continue
        for frame in decoded:
            found += 1
            yield frame
    if not found:
        raise mistake(tool, "file_path", "has nothing in it that can be decoded")
