"""The tool `image-processor`: looks at pictures, resizes, converts, crops and rotates them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from llmspell_core.tool import Permissions, Tool, ToolResult
from llmspell_tools._parameters import Spelled, needed
from llmspell_tools.media._files import MediaParameters, check_paths, target_format, worked

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

#: What can be written, by name and extension.
FORMATS = {
    "png": "png",
    "jpeg": "jpeg",
    "jpg": "jpeg",
    "webp": "webp",
    "gif": "gif",
    "bmp": "bmp",
    "tiff": "tiff",
    "tif": "tiff",
    "ico": "ico",
    "avif": "avif",
}
_THUMBNAIL = 256
_MOST = 30_000


class ImageParameters(MediaParameters):
    """A picture and what to do with it."""

    operation: Annotated[
        Literal["detect", "metadata", "resize", "convert", "crop", "rotate", "thumbnail"],
        Spelled(info="metadata", scale="resize"),
    ] = Field(description="What to do; all but detect and metadata write `target_path`")
    width: int | None = Field(None, ge=1, le=_MOST, description="resize, crop: in pixels")
    height: int | None = Field(None, ge=1, le=_MOST, description="resize, crop: in pixels")
    x: int = Field(0, ge=0, description="crop: the left edge, in pixels")
    y: int = Field(0, ge=0, description="crop: the upper edge, in pixels")
    degrees: float | None = Field(
        None, ge=-3600, le=3600, allow_inf_nan=False, description="rotate: how far, clockwise"
    )
    maintain_aspect_ratio: bool = Field(
        True, description="resize: keep the proportions and fit into width and height"
    )
    target_format: str | None = Field(
        None,
        description="png, jpeg, webp, gif, bmp, tiff, ico, avif; else by the target's extension",
    )
    max_width: int | None = Field(None, ge=1, le=_MOST, description="thumbnail: default 256")
    max_height: int | None = Field(None, ge=1, le=_MOST, description="thumbnail: default 256")
    quality: int | None = Field(None, ge=1, le=100, description="jpeg, webp, avif: 1 to 100")


class ImageProcessor(Tool):
    """Works on pictures."""

    name = "image-processor"
    description = (
        "Tells what a picture is, and resizes, converts, crops, rotates it or makes a thumbnail. "
        "Reads PNG, JPEG, GIF, WebP, BMP, TIFF, ICO, AVIF and PPM; of animations the first picture."
    )
    category = "media"
    security_level = "restricted"
    permissions = Permissions(files="read and write the paths given")
    Parameters = ImageParameters
    timeout_ms = 660_000
    extra = "media"
    examples = (
        (
            {"operation": "metadata", "file_path": "media/photo.png"},
            "its format, size in pixels, mode and camera data",
        ),
        (
            {
                "operation": "resize",
                "source_path": "media/photo.png",
                "target_path": "output/small.jpg",
                "width": 32,
            },
            "32 pixels wide, the height in proportion, as JPEG",
        ),
        (
            {
                "operation": "rotate",
                "source_path": "media/photo.png",
                "target_path": "output/turned.png",
                "degrees": 90,
            },
            "a quarter clockwise",
        ),
    )

    async def run_tool(self, params: ImageParameters, ctx: ToolContext) -> ToolResult:
        writes = params.operation not in ("detect", "metadata")
        check_paths(self.name, params, params.operation, writes=writes)
        options = self._options(params)
        function = "llmspell_tools.media._image:work"
        info = await worked(params, ctx, function, writes=writes, **options)
        if params.operation == "detect":
            return ToolResult(info, output=info["format"])
        size = f"{info['width']} x {info['height']} {info['format'].upper()}"
        text = f"wrote {size} to {info['path']}" if writes else size
        return ToolResult(info, text=text)

    def _options(self, params: ImageParameters) -> dict[str, Any]:
        """What the helper needs to know, checked before the file is read."""
        operation = params.operation
        if operation in ("detect", "metadata"):
            return {}
        size = {"width": params.width, "height": params.height}
        if operation == "thumbnail":
            asked = params.max_width or params.width, params.max_height or params.height
            size = dict(zip(size, asked if any(asked) else (_THUMBNAIL,) * 2, strict=True))
        if operation == "rotate":
            needed(self.name, operation, degrees=params.degrees)
        whole = operation == "resize" and not params.maintain_aspect_ratio
        if operation == "crop" or whole:
            needed(self.name, operation, **size)
        elif operation == "resize" and not any(size.values()):
            needed(self.name, operation, width=None)
        form = target_format(self.name, params.target_format, params.target_path, FORMATS)
        return {
            **size,
            "x": params.x,
            "y": params.y,
            "degrees": params.degrees,
            "keep_ratio": params.maintain_aspect_ratio,
            "format": form,
            "quality": params.quality,
        }
