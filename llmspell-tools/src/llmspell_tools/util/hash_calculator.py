"""The tool `hash-calculator`: digests of texts, bytes and files."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import DeadlineError
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Spelled, Text, check_size, needed, wrong

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_CHUNK = 1024 * 1024
#: Below this a thread costs more than the digest.
_SHORT = 64 * 1024

Format = Annotated[Literal["hex", "base64"], Spelled(b64="base64", hexadecimal="hex")]


class _Algorithms(Spelled):
    """Case, hyphens and spaces do not count in `SHA-256`."""

    def _plain(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return "".join(char for char in value.lower() if char.isalnum())


class HashParameters(ToolParameters):
    """What to hash and how."""

    operation: Annotated[
        Literal["hash", "verify"], Spelled(calculate="hash", digest="hash", check="verify")
    ] = Field("hash", description="hash: the digest; verify: whether it is `expected_hash`")
    algorithm: Annotated[
        Literal["md5", "sha1", "sha256", "sha512", "blake2b", "blake3"], _Algorithms()
    ] = Field("sha256", description="The algorithm; md5 and sha1 are not safe against forgery")
    input: Text | None = Field(None, description="What to hash; else `file`")
    input_type: Annotated[
        Literal["text", "hex", "base64", "file"], Spelled(string="text", bytes="base64")
    ] = Field(
        "text",
        description="What `input` is: text (hashed as UTF-8), bytes in hex or base64, a path",
    )
    file: str | None = Field(None, description="Path of a file to hash instead of `input`")
    format: Format = Field("hex", description="How to write the digest")
    expected_hash: str | None = Field(None, description="verify: the digest to compare with")
    expected_format: Format | None = Field(
        None, description="verify: how `expected_hash` is written (as `format`)"
    )

    aliases: ClassVar[dict[str, str]] = {"path": "file", "expected": "expected_hash"}


class HashCalculator(Tool):
    """Calculates and verifies digests."""

    name = "hash-calculator"
    description = "Calculates or verifies the digest (SHA-256, BLAKE3, ...) of a text or a file."
    category = "util"
    permissions = Permissions(files="read the file given")
    Parameters = HashParameters
    timeout_ms = 60_000
    examples = (
        (
            {"input": "abc"},
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        ({"input": "abc", "algorithm": "MD5"}, "900150983cd24fb0d6963f7d28e17f72"),
        (
            {
                "operation": "verify",
                "input": "abc",
                "algorithm": "sha-1",
                "expected_hash": "a9993e364706816aba3e25717850c26c9cd0d89d",
            },
            "true",
        ),
    )

    async def run_tool(self, params: HashParameters, ctx: ToolContext) -> ToolResult:
        if params.operation == "verify":
            needed(self.name, "verify", expected_hash=params.expected_hash)
        path = params.input if params.input_type == "file" else params.file
        if path is not None and (params.input_type == "file" or params.input is None):
            digest = await asyncio.to_thread(_digest_file, params.algorithm, path, ctx)
        else:
            data = self._data(params)
            if len(data) > _SHORT:
                digest = await asyncio.to_thread(_digest, params.algorithm, data)
            else:
                digest = _digest(params.algorithm, data)
        if params.operation == "verify":
            verified = hmac.compare_digest(digest, self._expected(params))
            return ToolResult(
                {"verified": verified, "algorithm": params.algorithm}, output=verified
            )
        text = base64.b64encode(digest).decode() if params.format == "base64" else digest.hex()
        result = {"hash": text, "algorithm": params.algorithm, "format": params.format}
        return ToolResult(result, output=text)

    def _data(self, params: HashParameters) -> bytes:
        needed(self.name, params.operation, input=params.input)
        text = params.input or ""
        check_size(self.name, len(text))
        if params.input_type == "text":
            # A lone surrogate has no UTF-8 form: it stands for a byte that was no text.
            return text.encode("utf-8", "surrogatepass")
        return self._decoded(text, params.input_type, "input")

    def _expected(self, params: HashParameters) -> bytes:
        text = (params.expected_hash or "").strip()
        return self._decoded(text, params.expected_format or params.format, "expected_hash")

    def _decoded(self, text: str, style: str, field: str) -> bytes:
        try:
            if style == "hex":
                return bytes.fromhex(text)
            return base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error):
            raise wrong(self.name, field, f"is not {style}") from None


def _hasher(algorithm: str) -> Any:
    if algorithm == "blake3":
        import blake3

        return blake3.blake3()
    return getattr(hashlib, algorithm)(usedforsecurity=False)


def _digest(algorithm: str, data: bytes) -> bytes:
    hasher = _hasher(algorithm)
    hasher.update(data)
    digest: bytes = hasher.digest()
    return digest


def _digest_file(algorithm: str, path: str, ctx: ToolContext) -> bytes:
    hasher = _hasher(algorithm)
    with ctx.files.open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
            if ctx.cancelled:
                raise DeadlineError(f"hash-calculator: {path} takes too long", code="tool.timeout")
    digest: bytes = hasher.digest()
    return digest
