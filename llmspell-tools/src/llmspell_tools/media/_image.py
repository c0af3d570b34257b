"""Pillow at work, in a helper process: a picture's bytes in, facts and another picture out.

What it changes of Pillow's own settings holds for the helper only.
"""

from __future__ import annotations

import base64
import warnings
from io import BytesIO
from typing import Any

from llmspell_core.errors import LimitError, LLMSpellError
from llmspell_tools._bounded import mistake
from llmspell_tools._extras import imported

MOST_PIXELS = 50_000_000
#: Formats that Pillow decodes itself: others start programs, or are of no use here.
READ = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "ICO", "AVIF", "PPM")
_MOST_TAGS = 100
_LONGEST_TAG = 200
_QUARTERS = {90: "ROTATE_270", 180: "ROTATE_180", 270: "ROTATE_90"}


def work(data: str, options: dict[str, Any]) -> dict[str, Any]:
    """Do one operation; see `image_processor` for the options."""
    tool = options["tool"]
    module = imported("PIL.Image", tool, "media")
    module.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", module.DecompressionBombWarning)
    try:
        return _work(module, base64.b64decode(data), options)
    except (module.DecompressionBombWarning, module.DecompressionBombError):
        raise too_many_pixels(tool) from None
    except (LLMSpellError, MemoryError):
        raise
    except module.UnidentifiedImageError:
        if options["operation"] == "detect":
            return {"info": {"format": "unknown", "supported": False}}
        message = f"is no picture in a format that can be read ({', '.join(READ)})"
        raise mistake(tool, "file_path", message) from None
    # Broken files make its decoders raise nearly anything.
    except Exception as error:  # noqa: BLE001
        raise mistake(tool, "file_path", f"is a broken picture: {str(error)[:200]}") from None


def too_many_pixels(tool: str) -> LimitError:
    """`limit.pixels`."""
    return LimitError(
        f"{tool}: the picture has more than {MOST_PIXELS // 1_000_000} million pixels",
        code="limit.pixels",
    )


def _work(module: Any, data: bytes, options: dict[str, Any]) -> dict[str, Any]:
    image = module.open(BytesIO(data), formats=READ)
    if options["operation"] == "detect":
        return {"info": _detected(image)}
    if options["operation"] == "metadata":
        return {"info": _metadata(image)}
    frames = getattr(image, "n_frames", 1)
    made = _changed(module, image, options)
    encoded = encode(module, made, options["format"], options.get("quality"), image.info)
    info = {"format": options["format"], "width": made.width, "height": made.height}
    if frames > 1:
        info["frames_left_out"] = frames - 1
    return {"info": info, "data": base64.b64encode(encoded).decode("ascii")}


def _detected(image: Any) -> dict[str, Any]:
    return {
        "format": image.format.lower(),
        "supported": True,
        "media_type": image.get_format_mimetype(),
        "width": image.width,
        "height": image.height,
    }


def _metadata(image: Any) -> dict[str, Any]:
    exif = imported("PIL.ExifTags", "image-processor", "media").TAGS
    tags = {str(exif.get(key, key)): _plain(value) for key, value in image.getexif().items()}
    dpi = image.info.get("dpi")
    return {
        **_detected(image),
        "mode": image.mode,
        "has_alpha": image.has_transparency_data,
        "frames": getattr(image, "n_frames", 1),
        "dpi": [float(one) for one in dpi] if dpi else None,
        "exif": dict(list(tags.items())[:_MOST_TAGS]),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, (bool, int)):
        return value
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.strip("\0 ")[:_LONGEST_TAG]


def _changed(module: Any, image: Any, options: dict[str, Any]) -> Any:
    # Cameras store pictures lying on their side, and say so in the metadata, which is dropped.
    image = imported("PIL.ImageOps", options["tool"], "media").exif_transpose(image)
    operation = options["operation"]
    if operation == "crop":
        return image.crop(_box(image, options))
    if operation == "rotate":
        return _rotated(module, image, options["degrees"])
    if operation == "convert":
        return image
    size = fitted(image.size, options)
    if size == image.size:
        return image
    return _full_colour(image).resize(size, module.Resampling.LANCZOS)


def _full_colour(image: Any) -> Any:
    """In a mode whose values can be averaged: palettes and bits cannot."""
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "I", "F"):
        return image
    if image.mode.startswith("I;16"):
        return image.convert("I")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def fitted(size: tuple[int, int], options: dict[str, Any]) -> tuple[int, int]:
    """The size wanted, with the picture's own proportions unless told otherwise."""
    width, height = options.get("width"), options.get("height")
    if not options.get("keep_ratio", True) and width and height:
        found = (width, height)
    else:
        scales = [want / have for want, have in zip((width, height), size, strict=True) if want]
        scale = min(scales)
        if options["operation"] == "thumbnail":
            scale = min(scale, 1.0)
        found = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    if found[0] * found[1] > MOST_PIXELS:
        raise too_many_pixels(options["tool"])
    return found


def _box(image: Any, options: dict[str, Any]) -> tuple[int, int, int, int]:
    x, y = options["x"], options["y"]
    right, bottom = x + options["width"], y + options["height"]
    if right > image.width or bottom > image.height:
        field = "width" if right > image.width else "height"
        message = f"reaches beyond the picture, which is {image.width} x {image.height}"
        raise mistake(options["tool"], field, message)
    return x, y, right, bottom


def _rotated(module: Any, image: Any, degrees: float) -> Any:
    """Clockwise, as people turn pictures; Pillow turns them the other way."""
    turn = degrees % 360
    if not turn:
        return image
    if turn in _QUARTERS:
        return image.transpose(getattr(module.Transpose, _QUARTERS[int(turn)]))
    # The corners that a slanted picture leaves are transparent.
    slanted = _full_colour(image).convert("RGBA")
    if slanted.width**2 + slanted.height**2 > MOST_PIXELS:
        raise too_many_pixels("image-processor")
    return slanted.rotate(-turn, resample=module.Resampling.BICUBIC, expand=True)


def encode(
    module: Any, image: Any, form: str, quality: int | None, info: dict[str, Any] | None = None
) -> bytes:
    """A picture as a file; formats without transparency get white behind it."""
    options: dict[str, Any] = {}
    if quality is not None and form in ("jpeg", "webp", "avif"):
        options["quality"] = quality
    profile = (info or {}).get("icc_profile")
    if profile and form in ("png", "jpeg", "webp", "tiff", "avif") and image.mode != "CMYK":
        options["icc_profile"] = profile
    target = BytesIO()
    _fit_for(module, image, form).save(target, form.upper(), **options)
    return target.getvalue()


#: What each format stores; others are converted to the last one.
_MODES = {
    "png": ("1", "L", "LA", "P", "I;16", "RGB", "RGBA"),
    "jpeg": ("L", "CMYK", "RGB"),
    "webp": ("RGB", "RGBA"),
    "gif": ("1", "L", "P", "RGB", "RGBA"),
    "bmp": ("1", "L", "P", "RGB"),
    "tiff": ("1", "L", "LA", "P", "I;16", "F", "CMYK", "RGB", "RGBA"),
    "ico": ("RGB", "RGBA"),
    "avif": ("RGB", "RGBA"),
}


def _fit_for(module: Any, image: Any, form: str) -> Any:
    modes = _MODES[form]
    clear = image.has_transparency_data
    if image.mode in modes and not (clear and "RGBA" not in modes):
        return image
    if image.mode == "I" and "I;16" in modes:
        # Sixteen bits that were widened to be worked on.
        return image.convert("I;16")
    if image.mode[0] in "IF":
        image = _eight_bits(image)
        return image if image.mode in modes else image.convert("RGB")
    if not clear:
        return image.convert("RGB")
    image = image.convert("RGBA")
    if "RGBA" in modes:
        return image
    white = module.new("RGBA", image.size, (255, 255, 255, 255))
    return module.alpha_composite(white, image).convert("RGB")


def _eight_bits(image: Any) -> Any:
    """Grey of 16 bits or floats, spread over what eight bits hold."""
    image = image.convert("F")
    low, high = image.getextrema()
    most = 255 if low >= 0 and high <= 255 else 65535 if low >= 0 and high <= 65535 else 0  # noqa: PLR2004
    if most:
        return image.point(lambda value: value * (255 / most)).convert("L")
    spread = (high - low) or 1
    return image.point(lambda value: value * (255 / spread) + (-low * 255 / spread)).convert("L")
