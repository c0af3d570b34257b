"""The tool `base64-encoder`: base64 of texts, bytes and files, and back."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import MAX_SIZE, Spelled, Text, check_size, needed, wrong

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_URL = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_", b"+/")
#: Below this a thread costs more than the work.
_SHORT = 64 * 1024


class Base64Parameters(ToolParameters):
    """What to encode or decode."""

    operation: Annotated[
        Literal["encode", "decode"], Spelled(to_base64="encode", from_base64="decode")
    ] = Field("encode", description="encode: bytes or text to base64; decode: back")
    input: Text | None = Field(
        None, description="encode: the text (as UTF-8); decode: the base64. Else `input_file`"
    )
    input_file: str | None = Field(None, description="Path of a file to read instead of `input`")
    output_file: str | None = Field(None, description="Path of a file to write the result to")
    variant: Annotated[
        Literal["standard", "url_safe", "standard_no_pad", "url_safe_no_pad"],
        Spelled(
            std="standard",
            url="url_safe",
            urlsafe="url_safe",
            no_pad="standard_no_pad",
            url_no_pad="url_safe_no_pad",
            urlsafe_no_pad="url_safe_no_pad",
        ),
    ] = Field(
        "standard",
        description="The alphabet: standard has + and /, url_safe has - and _; no_pad leaves out "
        "the = at the end. Decoding does without the padding always",
    )
    binary_input: bool = Field(
        False, description="The bytes are written in hex: `input` of encode, the result of decode"
    )

    aliases: ClassVar[dict[str, str]] = {
        "file": "input_file",
        "path": "input_file",
        "input_path": "input_file",
        "output_path": "output_file",
        "target_path": "output_file",
        "alphabet": "variant",
        "binary": "binary_input",
    }


class Base64Encoder(Tool):
    """Encodes and decodes base64."""

    name = "base64-encoder"
    description = (
        "Encodes text, bytes or a file as base64, or decodes it; standard and URL-safe alphabets."
    )
    category = "util"
    permissions = Permissions(files="read and write the files given")
    Parameters = Base64Parameters
    timeout_ms = 60_000
    examples = (
        ({"input": "Hello, world"}, "SGVsbG8sIHdvcmxk"),
        ({"operation": "decode", "input": "SGVsbG8sIHdvcmxk"}, "Hello, world"),
        ({"input": "fbff", "binary_input": True, "variant": "url-safe"}, "-_8="),
    )

    async def run_tool(self, params: Base64Parameters, ctx: ToolContext) -> ToolResult:
        if params.input_file is None:
            needed(self.name, params.operation, input=params.input)
            check_size(self.name, len(params.input or ""))
        quick = len(params.input or "") <= _SHORT
        if quick and params.input_file is None and params.output_file is None:
            return self._work(params, ctx)
        return await asyncio.to_thread(self._work, params, ctx)

    def _work(self, params: Base64Parameters, ctx: ToolContext) -> ToolResult:
        if params.operation == "encode":
            made = _encoded(self._bytes(params, ctx), params.variant)
            field, more = "encoded", {}
        else:
            made = self._decoded(self._text(params, ctx))
            field, more = "decoded", {"encoding": "utf-8"}
        result: dict[str, Any] = {"variant": params.variant, "size": len(made), **more}
        if params.output_file is not None:
            ctx.files.write_bytes(params.output_file, made)
            result["output_file"] = params.output_file
            text = f"wrote {len(made)} bytes to {params.output_file}"
            return ToolResult(result, output=params.output_file, text=text)
        check_size(self.name, len(made), "the result")
        shown, encoding = _shown(made, params)
        if more:
            result["encoding"] = encoding
        return ToolResult({"output": shown, field: shown, **result}, output=shown)

    def _bytes(self, params: Base64Parameters, ctx: ToolContext) -> bytes:
        if params.input is None:
            return ctx.files.read_bytes(params.input_file or "", MAX_SIZE)
        if not params.binary_input:
            # A lone surrogate has no UTF-8 form: it stands for a byte that was no text.
            return params.input.encode("utf-8", "surrogatepass")
        try:
            return bytes.fromhex(params.input)
        except ValueError:
            raise wrong(self.name, "input", "is not hex, which binary_input says it is") from None

    def _text(self, params: Base64Parameters, ctx: ToolContext) -> bytes:
        if params.input is None:
            return ctx.files.read_bytes(params.input_file or "", MAX_SIZE)
        try:
            return params.input.encode("ascii")
        except UnicodeEncodeError as error:
            raise self._no_base64(f"a character at {error.start + 1}") from None

    def _decoded(self, text: bytes) -> bytes:
        """Both alphabets, with or without padding, in lines or not: there is one reading."""
        data = b"".join(text.split()).translate(_STANDARD)
        plain = data.rstrip(b"=")
        if len(data) - len(plain) > 2 or len(plain) % 4 == 1:  # noqa: PLR2004
            raise self._no_base64("a length that no bytes have")
        try:
            return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
        except binascii.Error:
            raise self._no_base64("a character that is not of its alphabet") from None

    def _no_base64(self, why: str) -> Exception:
        return wrong(self.name, "input", f"is no base64: it has {why}")


def _encoded(data: bytes, variant: str) -> bytes:
    made = base64.b64encode(data)
    if variant.startswith("url_safe"):
        made = made.translate(_URL)
    return made.rstrip(b"=") if variant.endswith("no_pad") else made


def _shown(made: bytes, params: Base64Parameters) -> tuple[str, str]:
    """The result as text, and how it is to be read: bytes that are no text come in hex."""
    if params.operation == "encode":
        return made.decode("ascii"), "utf-8"
    if not params.binary_input:
        try:
            return made.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            pass
    return made.hex(), "hex"
