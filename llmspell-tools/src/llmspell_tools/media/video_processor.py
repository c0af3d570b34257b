"""The tool `video-processor`: what a video is, and single pictures out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from llmspell_core.tool import Permissions, Tool, ToolResult
from llmspell_tools._parameters import Spelled
from llmspell_tools.media._files import MediaParameters, check_paths, target_format, worked

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_FORMATS = {
    "png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp", "bmp": "bmp", "avif": "avif",
}  # fmt: skip
_THUMBNAIL = 320
_MOST = 10_000


class VideoParameters(MediaParameters):
    """A video and what to do with it."""

    operation: Annotated[
        Literal["detect", "metadata", "thumbnail", "extract_frame"],
        Spelled(info="metadata", frame="extract_frame"),
    ] = Field(description="What to do; thumbnail and extract_frame write `target_path`")
    timestamp_seconds: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="Which moment; else a tenth into it (thumbnail) or the beginning",
    )
    target_format: str | None = Field(
        None, description="png, jpeg, webp, bmp, avif; else by the target's extension, or jpeg"
    )
    max_width: int | None = Field(None, ge=1, le=_MOST, description="thumbnail: default 320")
    max_height: int | None = Field(None, ge=1, le=_MOST, description="thumbnail: default 320")


class VideoProcessor(Tool):
    """Works on videos."""

    name = "video-processor"
    description = (
        "Tells what a video is (format, length, size, codecs, tags), and writes a thumbnail or the "
        "picture at a given moment. Reads MP4, MOV, WebM, Matroska, AVI, MPEG, FLV, ASF and Ogg."
    )
    category = "media"
    security_level = "restricted"
    permissions = Permissions(files="read and write the paths given")
    Parameters = VideoParameters
    timeout_ms = 660_000
    extra = "av"
    examples = (
        (
            {"operation": "metadata", "file_path": "media/clip.mp4"},
            "its format, length in seconds, width, height, frame rate and codecs",
        ),
        (
            {
                "operation": "extract_frame",
                "source_path": "media/clip.mp4",
                "target_path": "output/frame.png",
                "timestamp_seconds": 0.5,
            },
            "the picture at half a second, as PNG",
        ),
    )

    async def run_tool(self, params: VideoParameters, ctx: ToolContext) -> ToolResult:
        writes = params.operation in ("thumbnail", "extract_frame")
        check_paths(self.name, params, params.operation, writes=writes)
        options = self._options(params) if writes else {}
        info = await worked(params, ctx, "llmspell_tools.media._av:work", writes=writes, **options)
        if params.operation == "detect":
            return ToolResult(info, output=info["format"])
        if not writes:
            return ToolResult(info)
        size = f"{info['width']} x {info['height']}"
        moment = f"{info['timestamp_seconds']:g} s"
        return ToolResult(info, text=f"wrote the picture at {moment}, {size}, to {info['path']}")

    def _options(self, params: VideoParameters) -> dict[str, Any]:
        asked = params.max_width, params.max_height
        width, height = asked if any(asked) else (_THUMBNAIL, _THUMBNAIL)
        path = params.target_path
        return {
            "format": target_format(self.name, params.target_format, path, _FORMATS, "jpeg"),
            "width": width,
            "height": height,
            "timestamp_seconds": params.timestamp_seconds,
        }
