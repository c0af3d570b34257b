"""The tool `uuid-generator`: random, time-ordered and deterministic identifiers."""

from __future__ import annotations

import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.tool import Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Spelled, Text, needed

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_NAMESPACES = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
}
_SHORT = 8


class UuidParameters(ToolParameters):
    """Which identifiers to make."""

    aliases: ClassVar[dict[str, str]] = {"input": "uuid", "value": "uuid"}

    operation: Annotated[
        Literal["generate", "component_id", "deterministic", "custom", "validate"],
        Spelled(create="generate", new="generate", check="validate"),
    ] = Field(
        "generate",
        description="generate: UUIDs; component_id: an id such as tool_3f2a...; deterministic: the "
        "same id for the same namespace and name; custom: prefix, timestamp, random part, suffix; "
        "validate: whether `uuid` is one",
    )
    version: Annotated[
        Literal["v1", "v4", "v5", "v7"],
        Spelled(**{"1": "v1", "4": "v4", "5": "v5", "7": "v7"}),
    ] = Field(
        "v4",
        description="v4 random, v7 ordered by time, v1 time and node, v5 of namespace and name",
    )
    format: Annotated[
        Literal["hyphenated", "simple", "urn", "braced", "uppercase"],
        Spelled(standard="hyphenated", default="hyphenated", hex="simple", compact="simple"),
    ] = Field("hyphenated", description="How to write a UUID")
    count: int = Field(1, ge=1, le=1000, description="How many")
    namespace: Text | None = Field(
        None, description="A UUID, dns, url, oid, x500, or any text, which is hashed (default dns)"
    )
    name: Text | None = Field(None, description="v5, deterministic: what the id is made from")
    prefix: Text | None = Field(None, description="component_id, custom: what it begins with")
    suffix: Text | None = Field(None, description="custom: what it ends with")
    short: bool = Field(False, description="component_id, custom: 8 random digits instead of 32")
    timestamp: bool = Field(False, description="custom: put the time (UTC) in")
    uuid: Text | None = Field(None, description="validate: the text to check")


class UuidGenerator(Tool):
    """Makes identifiers."""

    name = "uuid-generator"
    description = "Makes unique identifiers (UUIDs v1, v4, v5, v7, prefixed ids) and checks them."
    category = "util"
    Parameters = UuidParameters
    timeout_ms = 5_000
    examples = (
        ({}, "a random UUID, such as 7b2e8a52-0a3f-4a39-9c39-2f1f8a6d3c11"),
        ({"version": "v7", "count": 3}, "three UUIDs ordered by time"),
        (
            {"operation": "deterministic", "namespace": "dns", "name": "example.com"},
            "cfbff0d1-9375-5685-968c-48ce8b15ae17",
        ),
        ({"operation": "component_id", "prefix": "tool", "short": True}, "such as tool_1f0c9d3e"),
        ({"operation": "validate", "uuid": "not-one"}, "invalid"),
    )

    async def run_tool(self, params: UuidParameters, ctx: ToolContext) -> ToolResult:
        if params.operation == "validate":
            needed(self.name, "validate", uuid=params.uuid)
            return _validate(params.uuid or "")
        if params.operation == "deterministic" or (
            params.operation == "generate" and params.version == "v5"
        ):
            what = "v5" if params.version == "v5" else params.operation
            needed(self.name, what, name=params.name)
        ids = [_make(params) for _ in range(params.count)]
        if params.version == "v7":
            # Two of one instant differ in random bits only.
            ids.sort()
        version = "v5" if params.operation == "deterministic" else params.version
        result: dict[str, Any] = {"uuid": ids[0], "id": ids[0], "uuids": ids}
        if params.operation in ("generate", "deterministic"):
            result.update(version=version, format=params.format)
        else:
            result.update(version="v4", format=params.operation)
        return ToolResult(result, output=ids[0] if params.count == 1 else ids, text="\n".join(ids))


def _make(params: UuidParameters) -> str:
    if params.operation == "component_id":
        return f"{params.prefix or 'component'}_{_random(params)}"
    if params.operation == "custom":
        now = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
        parts = (params.prefix, now if params.timestamp else None, _random(params), params.suffix)
        return "_".join(part for part in parts if part)
    if params.operation == "deterministic":
        return _written(_v5(params), params.format)
    makers = {"v1": _v1, "v4": uuid.uuid4, "v7": _v7}
    maker = makers.get(params.version)
    return _written(maker() if maker else _v5(params), params.format)


def _random(params: UuidParameters) -> str:
    digits = uuid.uuid4().hex
    return digits[:_SHORT] if params.short else digits


def _v5(params: UuidParameters) -> uuid.UUID:
    return uuid.uuid5(_namespace(params.namespace or "dns"), params.name or "")


def _namespace(text: str) -> uuid.UUID:
    known = _NAMESPACES.get(text.lower())
    if known:
        return known
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid5(uuid.NAMESPACE_OID, text)


def _v1() -> uuid.UUID:
    # A random node with the multicast bit: the machine's own address is nobody's business.
    return uuid.uuid1(node=secrets.randbits(48) | 1 << 40)


def _v7() -> uuid.UUID:
    """48 bits of milliseconds, 12 of their fraction, then random bits (RFC 9562)."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    high = milliseconds << 16 | 0x7 << 12 | fraction
    return uuid.UUID(int=high << 64 | 0b10 << 62 | secrets.randbits(62))


def _written(value: uuid.UUID, style: str) -> str:
    text = str(value)
    styles = {
        "simple": value.hex,
        "urn": value.urn,
        "braced": f"{{{text}}}",
        "uppercase": text.upper(),
    }
    return styles.get(style, text)


def _validate(text: str) -> ToolResult:
    try:
        found = uuid.UUID(text.strip())
    except ValueError:
        result: dict[str, Any] = {"valid": False, "uuid": text}
        return ToolResult(result, text="invalid")
    result = {
        "valid": True,
        "uuid": str(found),
        "id": str(found),
        "version": f"v{found.version}" if found.version else None,
        "variant": found.variant,
        "format": "hyphenated",
    }
    return ToolResult(result, text=f"valid, {result['version'] or 'no version'}")
