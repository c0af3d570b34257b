"""Fetching pages through the network gate, and their text in whatever encoding they are."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LimitError, ToolError, ValidationError
from llmspell_tools._extras import imported
from llmspell_tools._parameters import MAX_SIZE, wrong
from llmspell_tools._service import check_status

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_core.security.http import HttpResponse

#: What a page may take to be parsed, rendered and searched.
PARSE_MS = 10_000
ACCEPT = "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.5"
_CHARSET = re.compile(rb"(?i)<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
          (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_SNIFFED = 2048


async def fetched(
    ctx: ToolContext, url: str, timeout_ms: float, *, accept: str = ACCEPT
) -> HttpResponse:
    """The page at an address; `network.status` when the server answers with an error."""
    response = await ctx.http.request(
        "GET", url, headers={"Accept": accept}, timeout_ms=timeout_ms, max_bytes=MAX_SIZE
    )
    check_status(response, response.url)
    return response


def kind_of(response: HttpResponse) -> str:
    """Its media type, without parameters; text/html when the server does not say."""
    given = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return given or "text/html"


def is_html(response: HttpResponse) -> bool:
    """Whether it is a page with elements."""
    return kind_of(response) in ("text/html", "application/xhtml+xml")


def page_text(response: HttpResponse, tool: str) -> str:
    """The body as text, in the encoding that the server, the bytes or the page itself name.

    Raises:
        ToolError: `tool.unsupported`: it is no text.
    """
    data = response.content
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace")
    if b"\0" in data[:_SNIFFED]:
        raise ToolError(
            f"{tool}: {response.url} is {kind_of(response)}, which is no page",
            code="tool.unsupported",
            hint="http-requester gets files",
        )
    header = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", response.headers.get("content-type", ""))
    found = _CHARSET.search(data[:_SNIFFED])
    named = header[1] if header else found[1].decode() if found else "utf-8"
    # What calls itself Latin-1 on the web is Windows-1252.
    named = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252"}.get(
        named.lower(), named
    )
    try:
        return data.decode(named, "replace")
    except (LookupError, UnicodeError):
        return data.decode("utf-8", "replace")


async def in_helper(
    ctx: ToolContext, function: str, *args: Any, timeout_ms: float = PARSE_MS
) -> Any:
    """Call a function on a page in a helper process: `selectolax` is there, the time bounded.

    Args:
        ctx: the call's context
        function: its name in `llmspell_tools.web._html`
        args: what it is called with
        timeout_ms: then it is stopped
    """
    tool = ctx.tool.name
    imported("selectolax", tool, "web")
    try:
        return await ctx.compute(
            f"llmspell_tools.web._html:{function}", *args, timeout_ms=timeout_ms
        )
    except LimitError as error:
        if not error.code.startswith("limit.compute"):
            raise
        raise LimitError(
            f"{tool}: the page or a selector takes too long or too much memory: {error.message}",
            code=error.code,
        ) from None
    except ValidationError as error:
        for mistake in error.details.get("errors", []):
            raise wrong(tool, mistake["field"], mistake["message"]) from None
        raise
