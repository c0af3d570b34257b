"""The tool `audio-processor`: what a sound file is, and the same sound in another format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from llmspell_core.tool import Permissions, Tool, ToolResult
from llmspell_tools._parameters import Spelled
from llmspell_tools.media._files import MediaParameters, check_paths, target_format, worked

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

#: What can be written, by name and extension.
_FORMATS = {
    "wav": "wav", "flac": "flac", "mp3": "mp3", "ogg": "ogg", "oga": "ogg", "opus": "opus",
    "m4a": "m4a", "aac": "aac", "aiff": "aiff", "aif": "aiff",
}  # fmt: skip


class AudioParameters(MediaParameters):
    """A sound file and what to do with it."""

    operation: Annotated[
        Literal["detect", "metadata", "convert"], Spelled(info="metadata", extract="convert")
    ] = Field(description="What to do; convert writes `target_path`")
    target_format: str | None = Field(
        None,
        description="wav, flac, mp3, ogg (Opus), opus, m4a, aac, aiff; else by the target's "
        "extension",
    )
    sample_rate: int | None = Field(
        None, ge=8000, le=192_000, description="convert: samples a second; else as it is"
    )
    channels: int | None = Field(None, ge=1, le=2, description="convert: 1 mono, 2 stereo")


class AudioProcessor(Tool):
    """Works on sound."""

    name = "audio-processor"
    description = (
        "Tells what a sound file is (format, length, codec, tags) and converts sound, also that "
        "of a video, to WAV, FLAC, MP3, Ogg, Opus, M4A, AAC or AIFF."
    )
    category = "media"
    security_level = "restricted"
    permissions = Permissions(files="read and write the paths given")
    Parameters = AudioParameters
    timeout_ms = 660_000
    extra = "av"
    examples = (
        (
            {"operation": "metadata", "file_path": "media/talk.wav"},
            "its format, length in seconds, codec, sample rate, channels and tags",
        ),
        (
            {
                "operation": "convert",
                "source_path": "media/talk.wav",
                "target_path": "output/talk.mp3",
                "channels": 1,
            },
            "the sound as MP3, in mono",
        ),
    )

    async def run_tool(self, params: AudioParameters, ctx: ToolContext) -> ToolResult:
        writes = params.operation == "convert"
        check_paths(self.name, params, params.operation, writes=writes)
        options: dict[str, Any] = {}
        if writes:
            form = target_format(self.name, params.target_format, params.target_path, _FORMATS)
            options = {
                "format": form,
                "sample_rate": params.sample_rate,
                "channels": params.channels,
            }
        info = await worked(params, ctx, "llmspell_tools.media._av:work", writes=writes, **options)
        if params.operation == "detect":
            return ToolResult(info, output=info["format"])
        if not writes:
            return ToolResult(info)
        return ToolResult(info, text=f"wrote {info['format']} to {info['path']}")
