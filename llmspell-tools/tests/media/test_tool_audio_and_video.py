from __future__ import annotations

import asyncio
import math
import struct
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from llmspell_core.errors import LimitError, PolicyError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import Tool, ToolResult
from llmspell_tools.media.audio_processor import AudioProcessor
from llmspell_tools.media.video_processor import VideoProcessor

Call = Callable[..., Awaitable[ToolResult]]


def within(folder: Path, tool: Tool, work: Callable[[Call], Awaitable[None]]) -> None:
    async def main() -> None:
        security = {"files": {"read": [str(folder)], "write": [str(folder)]}}
        async with Runtime({"security": security}) as runtime:

            async def call(operation: str, source: str | None = None, **params: Any) -> ToolResult:
                if source is not None:
                    params["source_path"] = str(folder / source)
                if "target" in params:
                    params["target_path"] = str(folder / params.pop("target"))
                given = {"operation": operation, **params}
                return await tool.call(given, runtime.context())

            await work(call)

    asyncio.run(main())


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Half a second of a tone in stereo."""
    with wave.open(str(tmp_path / "talk.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(22_050)
        tone = (int(9000 * math.sin(n / 8)) for n in range(11_025))
        file.writeframes(b"".join(struct.pack("<hh", value, -value) for value in tone))
    return tmp_path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds of 64 x 48, ten pictures a second, each brighter than the last."""
    with av.open(str(tmp_path / "clip.mp4"), "w") as made:
        stream: Any = made.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        made.metadata["title"] = "Dawn"
        for number in range(20):
            image = Image.new("RGB", (64, 48), (number * 12,) * 3)
            frame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return tmp_path


def test_what_a_sound_file_is(talk: Path) -> None:
    async def work(call: Call) -> None:
        assert (await call("detect", "talk.wav")).output == "wav"
        facts = (await call("metadata", file_path=str(talk / "talk.wav"))).result
        assert facts["kind"] == "audio"
        assert facts["duration_seconds"] == 0.5
        assert facts["audio"] == {
            "codec": "pcm_s16le",
            "sample_rate": 22_050,
            "channels": 2,
            "layout": "stereo",
        }
        (talk / "note.txt").write_text("not a sound")
        assert (await call("detect", "note.txt")).result == {
            "format": "unknown",
            "supported": False,
        }
        with pytest.raises(ValidationError, match="file_path is no sound"):
            await call("metadata", "note.txt")

    within(talk, AudioProcessor(), work)


def test_sound_in_every_format(talk: Path) -> None:
    async def work(call: Call) -> None:
        for form in ("mp3", "flac", "ogg", "opus", "m4a", "aac", "aif"):
            result = await call("convert", "talk.wav", target=f"new/talk.{form}")
            assert result.result["size"] == (talk / f"new/talk.{form}").stat().st_size
            facts = (await call("metadata", f"new/talk.{form}")).result
            assert facts["duration_seconds"] == pytest.approx(0.5, abs=0.15), form
            assert facts["audio"]["channels"] == 2
            back = await call("convert", f"new/talk.{form}", target=f"back-{form}.wav")
            assert back.text.startswith("wrote wav to ")
        mono = await call("convert", "talk.wav", target="x", target_format="MP3", channels=1,
                          sample_rate=44_100)  # fmt: skip
        assert (mono.result["channels"], mono.result["sample_rate"]) == (1, 44_100)
        with wave.open(str(talk / "back-flac.wav"), "rb") as file:
            assert file.getnchannels() == 2
            assert file.getframerate() == 22_050
            assert file.getnframes() == 11_025
        # Nothing is lost where nothing needs to be.
        whole, again = (
            (talk / name).read_bytes()[-1000:] for name in ("talk.wav", "back-flac.wav")
        )
        assert whole == again

    within(talk, AudioProcessor(), work)


def test_what_a_video_is(clip: Path) -> None:
    async def work(call: Call) -> None:
        assert (await call("detect", "clip.mp4")).result == {
            "format": "mp4",
            "kind": "video",
            "supported": True,
        }
        facts = (await call("metadata", "clip.mp4")).result
        assert facts["duration_seconds"] == 2
        assert facts["audio"] is None
        assert facts["tags"]["title"] == "Dawn"
        assert facts["video"] == {
            "codec": "mpeg4",
            "width": 64,
            "height": 48,
            "frame_rate": 10,
            "frames": 20,
            "pixel_format": "yuv420p",
        }

    within(clip, VideoProcessor(), work)


def brightness(path: Path) -> int:
    with Image.open(path) as image:
        value = image.convert("L").getpixel((10, 10))
        assert isinstance(value, int)
        return value


def test_the_picture_at_a_moment(clip: Path) -> None:
    async def work(call: Call) -> None:
        first = await call("extract_frame", "clip.mp4", target="first.png")
        assert first.result["timestamp_seconds"] == 0
        for seconds, number in ((0.5, 5), (1.25, 12), (1.9, 19), (2.0, 19)):
            result = await call(
                "extract_frame", "clip.mp4", target="at.png", timestamp_seconds=seconds
            )
            assert result.result["timestamp_seconds"] == pytest.approx(number / 10)
            assert abs(brightness(clip / "at.png") - number * 12) < 8
            assert (result.result["width"], result.result["height"]) == (64, 48)
        small = await call("thumbnail", "clip.mp4", target="small.jpg", max_width=32)
        assert (small.result["width"], small.result["height"]) == (32, 24)
        assert small.result["timestamp_seconds"] == pytest.approx(0.2)
        plain = await call("thumbnail", "clip.mp4", target="plain")
        assert (plain.result["format"], plain.result["width"]) == ("jpeg", 64)
        with pytest.raises(ValidationError, match="timestamp_seconds is after the end"):
            await call("extract_frame", "clip.mp4", target="x.png", timestamp_seconds=9)

    within(clip, VideoProcessor(), work)


def test_the_sound_and_the_pictures_that_are_not_there(talk: Path, clip: Path) -> None:
    async def audio(call: Call) -> None:
        with pytest.raises(ValidationError, match="no sound in it"):
            await call("convert", "clip.mp4", target="x.mp3")

    async def video(call: Call) -> None:
        with pytest.raises(ValidationError, match="no pictures in it"):
            await call("thumbnail", "talk.wav", target="x.png")

    within(talk, AudioProcessor(), audio)
    within(clip, VideoProcessor(), video)


HOSTILE = {
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n",
    "concat.txt": "ffconcat version 1.0\nfile '{url}'\nfile '/etc/passwd'\n",
    "session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=audio {port} RTP/AVP 0\n",
    "manifest.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
    'type="static"><Period><AdaptationSet><Representation id="1" bandwidth="1">'
    "<BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "subtitle.srt": "1\n00:00:00,000 --> 00:00:01,000\nhello\n",
}


def test_files_that_name_others_open_nothing(talk: Path) -> None:
    connections: list[Any] = []

    async def work(call: Call) -> None:
        server = await asyncio.start_server(
            lambda reader, writer: connections.append(reader), "127.0.0.1", 0
        )
        async with server:
            port = server.sockets[0].getsockname()[1]
            for name, text in HOSTILE.items():
                url = f"http://127.0.0.1:{port}/talk.wav"
                (talk / name).write_text(text.format(url=url, port=port))
                assert (await call("detect", name)).output == "unknown"
                with pytest.raises(ValidationError, match="no sound or video"):
                    await call("convert", name, target="x.wav")
        assert not connections

    within(talk, AudioProcessor(), work)


def test_broken_files(talk: Path, clip: Path) -> None:
    video = (clip / "clip.mp4").read_bytes()
    (clip / "cut.mp4").write_bytes(video[:500])
    (clip / "noise.mp4").write_bytes(video[:40] + bytes(range(256)) * 40)
    (clip / "empty.mp4").write_bytes(b"")

    async def work(call: Call) -> None:
        for name in ("cut.mp4", "noise.mp4", "empty.mp4"):
            with pytest.raises(ValidationError, match="file_path"):
                await call("thumbnail", name, target="x.png")
        assert not (clip / "x.png").exists()

    within(clip, VideoProcessor(), work)


def test_a_sound_that_unfolds_to_more_than_is_written_is_refused(tmp_path: Path) -> None:
    # An hour of silence takes little space in FLAC.
    with av.open(str(tmp_path / "silence.flac"), "w") as made:
        stream: Any = made.add_stream("flac", rate=48_000, layout="stereo")
        frame = av.AudioFrame(format="s16", layout="stereo", samples=48_000)
        frame.sample_rate = 48_000
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for _ in range(400):
            frame.pts = None
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    assert (tmp_path / "silence.flac").stat().st_size < 200_000

    async def work(call: Call) -> None:
        with pytest.raises(LimitError, match="larger than 64 MiB"):
            await call("convert", "silence.flac", target="x.wav")

    within(tmp_path, AudioProcessor(), work)


def test_work_that_takes_too_long_is_stopped(clip: Path) -> None:
    async def work(call: Call) -> None:
        with pytest.raises(LimitError) as caught:
            await call("thumbnail", "clip.mp4", target="x.png", timeout_ms=0.01)
        assert caught.value.code == "limit.compute_timeout"

    within(clip, VideoProcessor(), work)


def test_mistakes_and_the_file_gate(clip: Path) -> None:
    async def work(call: Call) -> None:
        for field, operation, params in (
            ("target_path", "thumbnail", {"source": "clip.mp4"}),
            ("target_path", "thumbnail", {"source": "clip.mp4", "target": "x.gif"}),
            ("source_path", "thumbnail", {"target": "x.png"}),
            ("timestamp_seconds", "extract_frame",
             {"source": "clip.mp4", "target": "x.png", "timestamp": -1}),
            ("operation", "convert", {"source": "clip.mp4"}),
        ):  # fmt: skip
            with pytest.raises(ValidationError) as caught:
                await call(operation, **params)
            assert field in [one["field"] for one in caught.value.details["errors"]]
        for refused in ({"source_path": "/etc/passwd", "target": "x.png"},
                        {"source_path": "http://127.0.0.1/x.mp4", "target": "x.png"},
                        {"source": "clip.mp4", "target_path": "/etc/x.png"}):  # fmt: skip
            with pytest.raises(PolicyError) as denied:
                await call("thumbnail", **refused)
            assert denied.value.code == "policy.file"

    within(clip, VideoProcessor(), work)
