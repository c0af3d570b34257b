"""The tool `webpage-monitor`: whether a page has changed since it was last looked at, and how."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from llmspell_core.state import StateView, scope_for
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Text, check_size, wrong
from llmspell_tools.web._page import PARSE_MS, fetched, in_helper, is_html, page_text

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

#: Of a longer page only the digest is kept, so that it is known to change but not how.
_MOST_KEPT = 512 * 1024
_DIFF_MS = 5_000


class MonitorParameters(ToolParameters):
    """Which page, and what of it counts."""

    aliases: ClassVar[dict[str, str]] = {"url": "input"}

    input: str = Field(min_length=1, description="The URL of the page")
    previous_content: Text | None = Field(
        None,
        description="The text to compare with; else the last version seen by this script, "
        "which is kept in state",
    )
    selector: str | None = Field(None, description="CSS: only these elements count")
    ignore_whitespace: bool = Field(
        True, description="Spaces and empty lines do not count as changes"
    )
    timeout_ms: float = Field(30_000, gt=0, le=300_000, description="In milliseconds")


class WebpageMonitor(Tool):
    """Watches web pages."""

    name = "webpage-monitor"
    description = (
        "Fetches a web page and says whether its text, or that of the elements a CSS selector "
        "names, has changed since the last call, with a unified diff."
    )
    category = "web"
    security_level = "restricted"
    permissions = Permissions(network="the host of the URL given")
    open_world = True
    Parameters = MonitorParameters
    timeout_ms = 330_000
    extra = "web"
    examples = (
        (
            {"input": "https://example.com/prices", "selector": "table.prices"},
            "changed, diff, and the content as it is now",
        ),
        (
            {"input": "https://example.com/", "previous_content": "Example Domain"},
            "compared with the text given",
        ),
    )

    async def run_tool(self, params: MonitorParameters, ctx: ToolContext) -> ToolResult:
        response = await fetched(ctx, params.input, params.timeout_ms)
        content = page_text(response, self.name)
        if is_html(response):
            wants = {"selector": params.selector, "format": "text"}
            limit = min(PARSE_MS, params.timeout_ms)
            found = await in_helper(ctx, "scrape", content, response.url, wants, timeout_ms=limit)
            content = found["content"]
        elif params.selector is not None:
            raise wrong(self.name, "selector", "must be left out for what is no HTML page")
        compared = _tidy(content) if params.ignore_whitespace else content
        now = {
            "hash": hashlib.sha256(compared.encode("utf-8", "surrogatepass")).hexdigest(),
            "content": compared if len(compared) <= _MOST_KEPT else None,
            "checked_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        before = await self._before(params, ctx, now)
        result: dict[str, Any] = {
            "changed": before is not None and before["hash"] != now["hash"],
            "first": before is None,
            "content": content,
            "hash": now["hash"],
            "url": response.url,
            "checked_at": now["checked_at"],
            "previous_checked_at": before.get("checked_at") if before else None,
            "diff": "",
            "added": 0,
            "removed": 0,
        }
        if before is not None and result["changed"]:
            result |= await self._difference(before["content"], compared, ctx)
        return ToolResult(result, output=result["changed"], text=_words(result))

    async def _before(
        self, params: MonitorParameters, ctx: ToolContext, now: dict[str, Any]
    ) -> dict[str, Any] | None:
        """The version to compare with; what is kept in state is replaced by the one of now."""
        if params.previous_content is not None:
            old = params.previous_content
            check_size(self.name, len(old), "previous_content")
            old = _tidy(old) if params.ignore_whitespace else old
            digest = hashlib.sha256(old.encode("utf-8", "surrogatepass")).hexdigest()
            return {"hash": digest, "content": old}
        scope = scope_for(ctx, "tool", self.name)
        state = StateView(ctx.runtime.store(), scope, ctx)
        what = f"{params.input}\0{params.selector or ''}\0{params.ignore_whitespace}"
        key = hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()
        before = await state.get(key)
        await state.set(key, now)
        return before if isinstance(before, dict) else None

    async def _difference(self, old: str | None, new: str, ctx: ToolContext) -> dict[str, Any]:
        if old is None:
            return {"diff": "", "note": "the version before was too long to be kept"}
        made = await ctx.compute(
            "llmspell_tools.util._changes:texts",
            old,
            new,
            "unified",
            ["before", "now"],
            timeout_ms=_DIFF_MS,
        )
        # A line that was replaced is one gone and one come.
        both = made["changed"]
        return {
            "diff": made["diff"],
            "added": made["added"] + both,
            "removed": made["removed"] + both,
        }


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _words(result: dict[str, Any]) -> str:
    if result["first"]:
        return f"{result['url']}: seen for the first time"
    if not result["changed"]:
        return f"{result['url']}: unchanged"
    head = f"{result['url']}: changed, {result['added']} lines added, {result['removed']} removed"
    return f"{head}\n{result['diff']}".rstrip()
