"""Attachments of an input as parts of a message: read through the gates, by what a model takes."""

from __future__ import annotations

import asyncio
import base64
import binascii
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from pydantic import ValidationError as PydanticError

from llmspell_agents.taking import check_taken
from llmspell_agents.tool_calls import UNTRUSTED
from llmspell_core.errors import LimitError, ValidationError
from llmspell_core.media import is_textual, kind_of, media_type
from llmspell_core.messages import ContentPart
from llmspell_core.schema import describe, mistakes_text, pydantic_mistakes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmspell_agents.targets import Target
    from llmspell_core.context import ExecutionContext
    from llmspell_core.provider import Capabilities

#: One attachment, and all of an input together.
MAX_BYTES = 20 << 20
MAX_TOGETHER = 32 << 20
MAX_COUNT = 32
_FETCH_MS = 30_000.0
_PORTS = {"http": 80, "https": 443}
_SOURCES = ("url", "path", "data", "text")


async def read_parts(
    attachments: Sequence[Any], ctx: ExecutionContext, target: Target | None
) -> list[ContentPart]:
    """The parts that a model is shown.

    Args:
        attachments: paths, URLs, bytes, or tables of a ContentPart's fields
        ctx: the run: its policy decides over files and hosts
        target: the model; None where there is none, which takes everything

    Raises:
        ValidationError: an attachment that is none.
        PolicyError: a path or a host that the policy refuses.
        LimitError: `limit.attachments`, `limit.file_size`, `limit.response_size`.
        AgentError: `agent.unsupported_part`, naming models that take such a part.
    """
    if len(attachments) > MAX_COUNT:
        raise LimitError(
            f"{len(attachments)} attachments, {MAX_COUNT} at most", code="limit.attachments"
        )
    can = target.provider.capabilities(target.model) if target is not None else None
    found: list[ContentPart] = []
    left = MAX_TOGETHER
    for number, given in enumerate(attachments):
        part = await _read(given, f"attachments.{number}", ctx, can, left)
        left -= len(part.data) * 3 // 4 + len(part.text)
        if left < 0:
            raise LimitError(
                f"the attachments have more than {MAX_TOGETHER >> 20} MiB together",
                code="limit.attachments",
            )
        found.append(part)
    if target is not None:
        check_taken(found, target, ctx.runtime)
    return found


async def _read(
    given: Any, where: str, ctx: ExecutionContext, can: Capabilities | None, left: int
) -> ContentPart:
    part, typed = _parsed(given, where)
    limit = max(1, min(MAX_BYTES, left))
    if part.path:
        data = await asyncio.to_thread(ctx.policy.files.read_bytes, part.path, limit)
        name = part.name or PurePath(part.path.replace("\\", "/")).name
        return _made(part, data, name, typed, can, origin=f"file {name}")
    if part.url.startswith("data:"):
        return _made(part, _of_data_url(part, where), part.name, typed, can)
    if part.url:
        return await _of_url(part, where, typed, ctx, can=can, limit=limit)
    if part.data:
        if len(part.data) * 3 // 4 > limit:
            raise LimitError(f"{where} is larger than {limit >> 20} MiB", code="limit.attachments")
        return _made(part, _decoded(part.data, where), part.name, typed, can)
    return part


def _parsed(given: Any, where: str) -> tuple[ContentPart, bool]:
    """The part, unread, and whether its type was given."""
    if isinstance(given, (bytes, bytearray)):
        given = {"data": bytes(given)}
    if isinstance(given, str):
        is_url = "://" in given[:10] or given.startswith("data:")
        given = {"url" if is_url else "path": given}
    if isinstance(given, ContentPart):
        given = given.model_dump(exclude_unset=True)
    if not isinstance(given, dict):
        raise ValidationError(f"{where} must be a path, a URL or a table, not {describe(given)}")
    if isinstance(given.get("data"), (bytes, bytearray)):
        given = {**given, "data": base64.b64encode(given["data"]).decode()}
    try:
        part = ContentPart.model_validate(given)
    except PydanticError as error:
        raise ValidationError(f"{where}: {mistakes_text(pydantic_mistakes(error))}") from None
    sources = [name for name in _SOURCES if getattr(part, name)]
    if len(sources) != 1:
        raise ValidationError(f"{where} must have one of {', '.join(_SOURCES)}")
    return part, "type" in given or sources == ["text"]


async def _of_url(
    part: ContentPart,
    where: str,
    typed: bool,
    ctx: ExecutionContext,
    *,
    can: Capabilities | None,
    limit: int,
) -> ContentPart:
    """A part by its address: handed on where the model's service fetches it, else fetched here."""
    try:
        split = urlsplit(part.url)
        port = split.port or _PORTS.get(split.scheme, 0)
    except ValueError:
        split, port = urlsplit(""), 0
    if not port or not split.hostname:
        raise ValidationError(
            f"{where}: the URL must begin with http, https or data",
            hint="a file on this machine is named by its path",
        )
    ctx.policy.net.check_host(split.hostname, port)
    name = part.name or PurePath(split.path).name
    media = media_type(name=split.path, given=part.media_type)
    kind = part.type if typed else kind_of(media)
    if can is not None and can.urls and kind == "image" and not split.username:
        return ContentPart(type="image", url=part.url, media_type=media, name=name)
    left = ctx.remaining_ms()
    response = await ctx.policy.http.request(
        "GET",
        part.url,
        max_bytes=limit,
        timeout_ms=_FETCH_MS if left is None else max(1.0, min(left, _FETCH_MS)),
    )
    if not response.ok:
        raise ValidationError(
            f"{where}: {split.hostname} answered with status {response.status}",
            code="network.status",
        )
    said = part.media_type or response.headers.get("content-type", "")
    part = part.model_copy(update={"media_type": said})
    return _made(part, response.content, name, typed, can, origin=split.hostname, foreign=True)


def _made(
    part: ContentPart,
    data: bytes,
    name: str,
    typed: bool,
    can: Capabilities | None,
    *,
    origin: str = "",
    foreign: bool = False,
) -> ContentPart:
    """A part of the content itself; text that a model is to read is text."""
    media = media_type(data, name, part.media_type)
    kind = part.type if typed else kind_of(media)
    unread = kind == "file" and can is not None and not can.files
    if kind == "text" or (unread and is_textual(media)):
        text = data.decode("utf-8-sig", "replace")
        head = UNTRUSTED.format(origin) if foreign else f"[{origin or name or 'attachment'}]"
        return ContentPart(type="text", text=f"{head}\n{text}", name=name, media_type=media)
    encoded = base64.b64encode(data).decode()
    return ContentPart(type=kind, data=encoded, media_type=media, name=name)


def _of_data_url(part: ContentPart, where: str) -> bytes:
    head, comma, body = part.url[5:].partition(",")
    if not comma:
        raise ValidationError(f"{where}: no data: URL, for it has no comma")
    if len(body) > MAX_BYTES * 3 // 2:
        raise LimitError(f"{where} is larger than {MAX_BYTES >> 20} MiB", code="limit.attachments")
    part.media_type = part.media_type or head.partition(";")[0]
    if not head.endswith(";base64"):
        return unquote_to_bytes(body)
    return _decoded(body, where)


def _decoded(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValidationError(f"{where}.data must be base64") from None
