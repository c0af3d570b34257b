from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from llmspell_core.errors import LimitError, LLMSpellError, PolicyError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.media.image_processor import ImageProcessor

Call = Callable[..., Awaitable[ToolResult]]


def within(folder: Path, work: Callable[[Call], Awaitable[None]]) -> None:
    async def main() -> None:
        security = {"files": {"read": [str(folder)], "write": [str(folder)]}}
        async with Runtime({"security": security}) as runtime:

            async def call(operation: str, source: str | None = None, **params: Any) -> ToolResult:
                if source is not None:
                    params["source_path"] = str(folder / source)
                if "target" in params:
                    params["target_path"] = str(folder / params.pop("target"))
                given = {"operation": operation, **params}
                return await ImageProcessor().call(given, runtime.context())

            await work(call)

    asyncio.run(main())


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Forty by twenty pixels: the left half red, the right half blue."""
    image = Image.new("RGB", (40, 20), "blue")
    ImageDraw.Draw(image).rectangle((0, 0, 19, 19), fill="red")
    exif = Image.Exif()
    exif[271] = "Camera"
    image.save(tmp_path / "photo.png", dpi=(72, 72), exif=exif)
    return tmp_path


def test_what_a_picture_is(photo: Path) -> None:
    (photo / "note.png").write_text("not a picture")

    async def work(call: Call) -> None:
        found = await call("detect", "photo.png")
        assert found.output == "png"
        assert found.result["media_type"] == "image/png"
        facts = (await call("metadata", file_path=str(photo / "photo.png"))).result
        assert (facts["width"], facts["height"], facts["mode"]) == (40, 20, "RGB")
        assert facts["frames"] == 1
        assert facts["exif"]["Make"] == "Camera"
        assert facts["dpi"] == pytest.approx([72, 72], abs=0.1)
        assert not facts["has_alpha"]
        none = await call("detect", "note.png")
        assert none.result == {"format": "unknown", "supported": False}
        with pytest.raises(ValidationError, match="file_path is no picture"):
            await call("metadata", "note.png")

    within(photo, work)


def test_sizes(photo: Path) -> None:
    async def work(call: Call) -> None:
        result = await call("resize", "photo.png", target="new/small.jpg", width=20)
        assert result.result["width"] == 20
        assert result.result["height"] == 10
        assert result.result["format"] == "jpeg"
        assert result.result["size"] == (photo / "new/small.jpg").stat().st_size
        assert result.text.startswith("wrote 20 x 10 JPEG to ")
        with Image.open(photo / "new/small.jpg") as image:
            assert image.format == "JPEG"
            red, green, blue = image.convert("RGB").getpixel((3, 5))  # type: ignore[misc]
            assert red > 200
            assert max(green, blue) < 60
        await call("resize", "photo.png", target="fit.png", width=20, height=100)
        await call(
            "resize", "photo.png", target="free.png", width=7, height=9, maintain_aspect_ratio=False
        )
        await call("thumbnail", "photo.png", target="thumb.webp", max_width=10)
        await call("thumbnail", "photo.png", target="same.png")
        sizes = {}
        for name in ("fit.png", "free.png", "thumb.webp", "same.png"):
            with Image.open(photo / name) as image:
                sizes[name] = image.size
        assert sizes == {
            "fit.png": (20, 10),
            "free.png": (7, 9),
            "thumb.webp": (10, 5),
            "same.png": (40, 20),
        }

    within(photo, work)


def test_turning_and_cropping(photo: Path) -> None:
    async def work(call: Call) -> None:
        await call("rotate", "photo.png", target="turned.png", degrees=90)
        with Image.open(photo / "turned.png") as image:
            assert image.size == (20, 40)
            # Clockwise: what was on the left is on top.
            assert image.convert("RGB").getpixel((10, 5)) == (255, 0, 0)
        slanted = await call("rotate", "photo.png", target="slanted.png", degrees=-45.5)
        assert slanted.result["width"] > 40
        with Image.open(photo / "slanted.png") as image:
            assert image.getpixel((0, 0))[3] == 0  # type: ignore[index]
        await call("crop", "photo.png", target="c.png", x=20, y=5, width=20, height=10)
        with Image.open(photo / "c.png") as image:
            assert image.size == (20, 10)
            assert image.getcolors() == [(200, (0, 0, 255))]
        with pytest.raises(ValidationError, match="width: reaches beyond the picture, which is 40"):
            await call("crop", "photo.png", target="c.png", x=30, width=11, height=1)

    within(photo, work)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I"])
def test_every_kind_of_picture_becomes_every_format(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (8, 8), 40000 if mode.startswith("I") else 1)
    image.save(tmp_path / "in.tif")

    async def work(call: Call) -> None:
        for form in ("png", "jpg", "webp", "gif", "bmp", "tif", "ico", "avif"):
            result = await call("convert", "in.tif", target=f"out.{form}")
            with Image.open(tmp_path / f"out.{form}") as made:
                made.load()
                assert made.format == result.result["format"].upper()
        await call("convert", "in.tif", target="named", target_format=".PNG", quality=50)

    within(tmp_path, work)


def test_what_is_clear_becomes_white_where_nothing_can_be(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "clear.png")

    async def work(call: Call) -> None:
        await call("convert", "clear.png", target="flat.bmp")
        with Image.open(tmp_path / "flat.bmp") as image:
            assert image.getpixel((0, 0)) == (255, 255, 255)

    within(tmp_path, work)


def test_photos_that_lie_on_their_side_and_animations(photo: Path) -> None:
    with Image.open(photo / "photo.png") as image:
        exif = Image.Exif()
        exif[274] = 6
        image.save(photo / "side.jpg", exif=exif)
    frames = [Image.new("L", (5, 5), shade) for shade in (0, 100, 200)]
    frames[0].save(photo / "film.gif", save_all=True, append_images=frames[1:])

    async def work(call: Call) -> None:
        upright = await call("convert", "side.jpg", target="up.png")
        assert (upright.result["width"], upright.result["height"]) == (20, 40)
        with Image.open(photo / "up.png") as image:
            assert not image.getexif()
        assert (await call("metadata", "film.gif")).result["frames"] == 3
        still = await call("resize", "film.gif", target="still.png", width=10)
        assert still.result["frames_left_out"] == 2

    within(photo, work)


def bomb(width: int, height: int) -> bytes:
    """A small PNG of a huge picture in one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 1) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_bombs_are_refused(photo: Path) -> None:
    (photo / "bomb.png").write_bytes(bomb(16_000, 16_000))
    (photo / "half.png").write_bytes(bomb(8_000, 8_000))
    (photo / "tall.png").write_bytes(bomb(8, 20_000))

    async def work(call: Call) -> None:
        for name in ("bomb.png", "half.png"):
            for operation in ("detect", "metadata", "thumbnail"):
                with pytest.raises(LimitError, match="more than 50 million pixels"):
                    await call(operation, name, target="x.png")
        with pytest.raises(LimitError, match="million pixels"):
            await call("resize", "tall.png", target="x.png", width=800)
        with pytest.raises(LimitError, match="million pixels"):
            await call(
                "resize", "photo.png", target="x.png", width=30_000, height=30_000,
                maintain_aspect_ratio=False,
            )  # fmt: skip
        assert not (photo / "x.png").exists()

    within(photo, work)


def test_broken_and_hostile_files(photo: Path) -> None:
    whole = (photo / "photo.png").read_bytes()
    (photo / "cut.png").write_bytes(whole[:-60])
    (photo / "run.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nquit\n")
    (photo / "empty.png").write_bytes(b"")
    (photo / "zero.gif").write_bytes(b"GIF89a" + bytes(20))

    async def work(call: Call) -> None:
        for name in ("cut.png", "run.png", "empty.png", "zero.gif"):
            with pytest.raises(ValidationError, match="file_path is"):
                await call("resize", name, target="x.png", width=5)

    within(photo, work)


def test_mistakes_name_the_field(photo: Path) -> None:
    async def work(call: Call) -> None:
        for field, operation, params in (
            ("source_path", "resize", {"target": "x.png", "width": 3}),
            ("target_path", "resize", {"source": "photo.png", "width": 3}),
            ("width", "resize", {"source": "photo.png", "target": "x.png"}),
            ("height", "crop", {"source": "photo.png", "target": "x.png", "width": 3}),
            ("degrees", "rotate", {"source": "photo.png", "target": "x.png"}),
            ("target_path", "convert", {"source": "photo.png", "target": "x.exe"}),
            ("target_path", "convert", {"source": "photo.png", "target": "x"}),
            ("target_format", "convert",
             {"source": "photo.png", "target": "x", "target_format": "eps"}),
            ("file_path", "metadata", {}),
            ("width", "resize", {"source": "photo.png", "target": "x.png", "width": 10**9}),
            ("quality", "convert", {"source": "photo.png", "target": "x.png", "quality": 0}),
            ("operation", "blur", {"source": "photo.png"}),
        ):  # fmt: skip
            with pytest.raises(ValidationError) as caught:
                await call(operation, **params)
            assert field in [one["field"] for one in caught.value.details["errors"]], operation

    within(photo, work)


def test_the_file_gate_decides_about_both_files(photo: Path) -> None:
    async def work(call: Call) -> None:
        for params in (
            {"source_path": "/etc/passwd", "target": "x.png"},
            {"source": "photo.png", "target_path": "/tmp/../etc/x.png"},
            {"source": "../../../etc/passwd", "target": "x.png"},
        ):
            with pytest.raises(PolicyError) as caught:
                await call("convert", **params)
            assert caught.value.code == "policy.file"
        with pytest.raises(LLMSpellError) as missing:
            await call("metadata", "nothing.png")
        assert missing.value.code == "file.not_found"

    within(photo, work)
