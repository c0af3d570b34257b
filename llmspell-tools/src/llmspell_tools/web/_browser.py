"""A page after its scripts ran: a browser whose every request goes through the network gate."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import DeadlineError, LimitError, LLMSpellError, ToolError
from llmspell_tools._extras import imported
from llmspell_tools._parameters import MAX_SIZE
from llmspell_tools._service import check_status, option

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_core.security.http import HttpResponse

_MOST_REQUESTS = 300
_MOST_BYTES = 4 * MAX_SIZE
_QUIET_MS = 3_000
#: The browser itself reaches nothing: names do not resolve, and its proxy does not exist.
_ARGUMENTS = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-pings",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)
_NOWHERE = {"server": "http://127.0.0.1:9", "bypass": "<-loopback>"}
#: They tell how the bytes came to us, not how they go on to the browser.
_HOP = frozenset({"connection", "content-encoding", "content-length", "transfer-encoding"})
_NOT_SENT = frozenset({"accept-encoding", "connection", "content-length", "host"})


@dataclass(frozen=True, slots=True)
class Visited:
    """A page as the browser has it at the end."""

    html: str
    url: str
    status: int


async def visited(ctx: ToolContext, url: str, timeout_ms: float) -> Visited:
    """Open a page and wait until its scripts have gone quiet.

    `[tools.NAME] browser` names the program (`chromium`), which the policy must allow, and
    `browser_sandbox = false` takes its own sandbox away, where a container offers none.

    Raises:
        ExtensionError: the extra `browser` is not installed.
        PolicyError: the profile does not allow the program, or the page's host.
    """
    library = imported("playwright.async_api", ctx.tool.name, "browser")
    program = ctx.process.resolve(option(ctx, "", "browser", "chromium"))
    first = await ctx.http.request("GET", url, timeout_ms=timeout_ms, max_bytes=MAX_SIZE)
    check_status(first, first.url)
    try:
        async with asyncio.timeout(timeout_ms / 1000), library.async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=program,
                args=[*_ARGUMENTS],
                proxy=_NOWHERE,
                env=ctx.env.for_process(),
                chromium_sandbox=option(ctx, "", "browser_sandbox", True),
                timeout=timeout_ms,
            )
            try:
                return await _open(browser, _Requests(ctx, first, timeout_ms))
            finally:
                await browser.close()
    except TimeoutError:
        raise DeadlineError(f"{url} was not ready within {timeout_ms:g} ms") from None
    except library.Error as error:
        words = str(error).partition("\n")[0]
        raise ToolError(
            f"{ctx.tool.name}: the browser failed: {words}", code="tool.browser"
        ) from None


async def _open(browser: Any, requests: _Requests) -> Visited:
    context = await browser.new_context(accept_downloads=False, service_workers="block")
    page = await context.new_page()
    await context.route("**/*", requests.answer)
    await context.route_web_socket("**/*", lambda socket: socket.close())
    await page.goto(requests.first.url, wait_until="load", timeout=requests.timeout_ms)
    await _quiet(page, requests)
    html = await page.content()
    if len(html) > MAX_SIZE:
        raise LimitError("the page is larger than 16 MiB", code="limit.value")
    return Visited(html, page.url, requests.first.status)


async def _quiet(page: Any, requests: _Requests) -> None:
    """Wait for the requests of its scripts, though not for one that never ends."""
    try:
        await page.wait_for_load_state("networkidle", timeout=min(_QUIET_MS, requests.timeout_ms))
    except Exception as error:
        if type(error).__name__ != "TimeoutError":
            raise


class _Requests:
    """Answers what the page asks for, as far as the policy allows it."""

    def __init__(self, ctx: ToolContext, first: HttpResponse, timeout_ms: float) -> None:
        self.ctx = ctx
        self.first = first
        self.timeout_ms = timeout_ms
        self._opened = False
        self._count = 0
        self._bytes = 0

    async def answer(self, route: Any) -> None:
        request = route.request
        if not self._opened and request.url == self.first.url:
            self._opened = True
            await _fulfil(route, self.first)
            return
        self._count += 1
        if self._count > _MOST_REQUESTS or self._bytes > _MOST_BYTES:
            await route.abort()
            return
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _NOT_SENT}
        try:
            response = await self.ctx.http.request(
                request.method,
                request.url,
                headers=headers,
                content=request.post_data_buffer,
                timeout_ms=self.timeout_ms,
            )
        except LLMSpellError as error:
            self.ctx.log.debug("the page's request failed: %s", error.message)
            await route.abort()
            return
        self._bytes += len(response.content)
        await _fulfil(route, response)


async def _fulfil(route: Any, response: HttpResponse) -> None:
    headers = {name: value for name, value in response.headers.items() if name not in _HOP}
    await route.fulfill(status=response.status, headers=headers, body=response.content)
