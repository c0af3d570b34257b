"""A picture out of a video, in a helper process."""

from __future__ import annotations

import base64
from typing import Any

from llmspell_tools._bounded import mistake
from llmspell_tools._extras import imported
from llmspell_tools.media._av import MOST_PIXELS, duration, frames, video_stream
from llmspell_tools.media._image import encode, fitted, too_many_pixels

#: A thumbnail of the very beginning is often black.
_THUMBNAIL_AT = 0.1


def picture(av: Any, container: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The frame that is seen at a time, as it is or as a thumbnail."""
    tool = options["tool"]
    stream = video_stream(container)
    if stream is None:
        raise mistake(tool, "file_path", "has no pictures in it")
    if stream.codec_context.width * stream.codec_context.height > MOST_PIXELS:
        raise too_many_pixels(tool)
    seconds = _time(av, container, options)
    frame = _frame_at(av, container, stream, seconds, tool)
    module = imported("PIL.Image", tool, "av")
    image = frame.to_image()
    if frame.rotation:
        # Telephones film lying on their side; FFmpeg counts against the clock, as Pillow does.
        image = image.rotate(frame.rotation, expand=True)
    if options["operation"] == "thumbnail":
        size = fitted(image.size, options)
        image = image.resize(size, module.Resampling.LANCZOS)
    encoded = encode(module, image, options["format"], None)
    info = {
        "format": options["format"],
        "width": image.width,
        "height": image.height,
        "timestamp_seconds": round(_seen_at(frame, stream), 3),
    }
    return {"info": info, "data": base64.b64encode(encoded).decode("ascii")}


def _time(av: Any, container: Any, options: dict[str, Any]) -> float:
    length = duration(av, container)
    wanted = options.get("timestamp_seconds")
    if wanted is None:
        return _THUMBNAIL_AT * (length or 0) if options["operation"] == "thumbnail" else 0.0
    if length is not None and wanted > length:
        message = f"is after the end of the video, which has {length:g} seconds"
        raise mistake(options["tool"], "timestamp_seconds", message)
    return float(wanted)


def _frame_at(av: Any, container: Any, stream: Any, seconds: float, tool: str) -> Any:
    start = stream.start_time or 0
    if seconds:
        try:
            # To the nearest frame before it that can be decoded by itself.
            container.seek(start + int(seconds / stream.time_base), stream=stream)
        except av.error.FFmpegError:
            # Some files cannot be entered in the middle: from the beginning then.
            container.seek(start, stream=stream, any_frame=True)
    found = None
    for frame in frames(av, container, stream, tool):
        if found is not None and _seen_at(frame, stream) > seconds:
            return found
        found = frame
    return found


def _seen_at(frame: Any, stream: Any) -> float:
    """Seconds from the beginning."""
    if frame.pts is None:
        return 0.0
    return float((frame.pts - (stream.start_time or 0)) * stream.time_base)
