"""The network gate for HTTP: requests of tools, and the clients of model providers."""

from __future__ import annotations

import json as json_module
import re
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell_core.context import current
from llmspell_core.errors import DeadlineError, ExtensionError, LimitError, ValidationError
from llmspell_core.security.net import NetGate, NetworkError

if TYPE_CHECKING:
    import asyncio

    import httpcore
    import httpx

    from llmspell_core.security.transport import CheckedTransport

    _Kept = tuple[asyncio.AbstractEventLoop, httpx.AsyncClient, AsyncGenerator[httpx.AsyncClient]]

DEFAULT_TIMEOUT_MS = 30_000
DEFAULT_MAX_BYTES = 16 * 1024 * 1024
_MOST_REDIRECTS = 10
#: Programs disagree about where the host ends in a URL with these.
_AMBIGUOUS = re.compile(r"[\\\x00-\x1f\x7f]")
#: What a redirect to another origin may carry: nothing that could be a credential.
_CARRIED = {"accept", "accept-language", "user-agent", "content-type", "content-length"}
#: What `_decoded` can bound; httpx's own decoders give out a whole bomb at once.
_ENCODINGS = "gzip, deflate"


@dataclass(slots=True)
class HttpResponse:
    """A whole answer. `headers` have lower-case names; `url` is the last one of redirects."""

    status: int
    headers: dict[str, str]
    content: bytes
    url: str
    elapsed_ms: float
    encoding: str = "utf-8"
    history: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The body as text; what is not in the stated encoding is replaced."""
        try:
            return self.content.decode(self.encoding, "replace")
        except (LookupError, UnicodeError):
            # Servers name encodings that there are none of.
            return self.content.decode("utf-8", "replace")

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004

    def json(self) -> Any:
        """The body as JSON; `network.not_json` when it is something else."""
        try:
            return json_module.loads(self.content)
        except ValueError as error:
            raise NetworkError(
                f"{self.url} did not answer with JSON: {error}",
                code="network.not_json",
                retryable=False,
            ) from None


class HttpGate:
    """HTTP under the policy. Connections are kept as long as the gate and its event loop live.

    Args:
        net: who decides about hosts and addresses.
        connector: how a connection is made; for tests.
    """

    def __init__(
        self, net: NetGate, *, connector: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self.net = net
        self._connector = connector
        self._kept: _Kept | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | str | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        timeout_ms: float = DEFAULT_TIMEOUT_MS,
        follow_redirects: bool = True,
        max_bytes: int = DEFAULT_MAX_BYTES,
        auth: tuple[str, str] | None = None,
    ) -> HttpResponse:
        """Send one request and read the whole answer.

        Args:
            method: GET, POST, ...
            url: http or https; the host is checked, and each one it redirects to.
            headers: request headers.
            content: the body as it is.
            json: the body as a value.
            data: the body as form fields.
            params: added to the query of the URL.
            timeout_ms: for everything together, redirects included.
            follow_redirects: up to ten; credentials stay with the first origin, cookies last
                as long as the redirects.
            max_bytes: of the answer's body, after decompression.
            auth: user and password.

        Raises:
            PolicyError: `policy.network`.
            LimitError: `limit.response_size`.
            DeadlineError: the time was up.
            NetworkError: no connection, no valid answer.
        """
        import asyncio

        httpx = load_httpx()
        from llmspell_core.security.request_headers import check_request_headers

        if _AMBIGUOUS.search(url):
            raise ValidationError(
                "a URL has neither backslashes nor control characters", code="network.invalid_url"
            )
        body: dict[str, Any] = {
            "content": content,
            "data": data,
            "params": params,
            "headers": headers,
        }
        if json is not None:
            body["json"] = json
        started = time.perf_counter()
        try:
            client = await self._pooled()
            request = client.build_request(method.upper(), url, **body)
            check_request_headers(headers or {}, request.url.scheme, request.url.netloc.decode())
            if auth is not None:
                request = next(httpx.BasicAuth(*auth).auth_flow(request))
            async with asyncio.timeout(timeout_ms / 1000 if timeout_ms else None):
                return await self._exchange(client, request, follow_redirects, max_bytes, started)
        except TimeoutError:
            raise _timeout(url, timeout_ms) from None
        except httpx.HTTPError as error:
            raise network_error(error, url, timeout_ms) from None
        except (httpx.InvalidURL, UnicodeError) as error:
            raise ValidationError(f"not a URL: {error}", code="network.invalid_url") from None

    def client(
        self,
        allow: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | httpx.Timeout | None = 60.0,
    ) -> httpx.AsyncClient:
        """A client of your own, for streaming; the caller closes it.

        Args:
            allow: an address whose origin is allowed whatever the profile says, and no other.
            headers: sent with each request.
            timeout: seconds, or httpx's Timeout.
        """
        if allow is not None:
            return provider_client(allow, headers=headers, timeout=timeout)
        made: httpx.AsyncClient = load_httpx().AsyncClient(
            transport=self._transport(),
            headers=headers,
            timeout=timeout,
            trust_env=False,
            event_hooks={"request": [_go_on_with_trace]},
        )
        return made

    async def close(self) -> None:
        """Close the kept connections; a later request opens new ones."""
        if self._kept is not None:
            _, _, keeper = self._kept
            self._kept = None
            await keeper.aclose()

    async def _pooled(self) -> httpx.AsyncClient:
        """The gate's client in this event loop: connections cannot move to another one."""
        import asyncio

        loop = asyncio.get_running_loop()
        if self._kept is None or self._kept[0] is not loop:
            keeper = self._keep()
            self._kept = (loop, await anext(keeper), keeper)
        return self._kept[1]

    async def _keep(self) -> AsyncGenerator[httpx.AsyncClient]:
        """Hold the client open.

        A generator, because the event loop closes those that are left when it ends, and those
        that nobody refers to any more: gates come and go with policies.
        """
        from http.cookiejar import DefaultCookiePolicy

        httpx = load_httpx()
        async with httpx.AsyncClient(
            transport=self._transport(),
            timeout=httpx.Timeout(None),
            headers={"accept-encoding": _ENCODINGS, "user-agent": "llmspell"},
            trust_env=False,
            event_hooks={"request": [_go_on_with_trace]},
        ) as client:
            # The client serves many runs: what one of them is given is not for the others.
            client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
            while True:
                yield client

    def _transport(self) -> CheckedTransport:
        from llmspell_core.security.transport import CheckedTransport

        return CheckedTransport(self.net, self._connector)

    async def _exchange(
        self,
        client: httpx.AsyncClient,
        request: httpx.Request,
        follow: bool,
        max_bytes: int,
        started: float,
    ) -> HttpResponse:
        from llmspell_core.security.transport import origin

        history: list[str] = []
        cookies = load_httpx().Cookies()
        while True:
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                if "set-cookie" in response.headers:
                    cookies.extract_cookies(response)
                onward = response.next_request if follow else None
                if onward is None:
                    content = await read_bounded(response, max_bytes)
                    return HttpResponse(
                        response.status_code,
                        dict(response.headers),
                        content,
                        str(response.url),
                        (time.perf_counter() - started) * 1000,
                        response.charset_encoding or "utf-8",
                        history,
                    )
            finally:
                await response.aclose()
            history.append(str(request.url))
            if len(history) > _MOST_REDIRECTS:
                raise NetworkError(
                    f"more than {_MOST_REDIRECTS} redirects, the last one to {onward.url}",
                    code="network.redirects",
                    retryable=False,
                )
            if origin(onward.url) != origin(request.url):
                _drop_credentials(onward)
            cookies.set_cookie_header(onward)
            request = onward


def provider_client(
    base_url: str,
    *,
    headers: Mapping[str, str] | None = None,
    timeout: float | httpx.Timeout | None = 60.0,
) -> httpx.AsyncClient:
    """A client for one configured model service; the caller closes it.

    Exactly the origin of `base_url` is reached, wherever it is, with httpx's own pooled
    connections; a redirect to another origin is refused. Proxies of the environment count.

    Args:
        base_url: the service's address; requests may be relative to it.
        headers: sent with each request, the key among them.
        timeout: seconds, or httpx's Timeout.
    """
    library = load_httpx()
    from llmspell_core.security.transport import OriginTransport

    try:
        url = library.URL(base_url)
    except library.InvalidURL as error:
        raise ValidationError(
            f'"{base_url}" is not a URL: {error}', code="network.invalid_url"
        ) from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValidationError(
            f'"{base_url}" is not the address of a service',
            code="network.invalid_url",
            hint="it begins with http:// or https://",
        )
    made: httpx.AsyncClient = library.AsyncClient(
        base_url=url,
        transport=OriginTransport(url),
        headers=headers,
        timeout=timeout,
        follow_redirects=True,
        trust_env=False,
        event_hooks={"request": [_go_on_with_trace]},
    )
    return made


async def _go_on_with_trace(request: httpx.Request) -> None:
    """Name the trace that a request belongs to (W3C Trace Context), if there is one."""
    ctx = current()
    if ctx is not None and ctx.span is not None:
        for name, value in ctx.span.headers().items():
            request.headers.setdefault(name, value)


def load_httpx() -> Any:
    """The httpx module, or `extension.unavailable` saying how to install it."""
    try:
        import httpx
    except ModuleNotFoundError:
        raise ExtensionError(
            "HTTP needs httpx, which is not installed",
            hint="install it with:  pip install 'llmspell-core[http]'",
        ) from None
    return httpx


async def read_bounded(response: httpx.Response, max_bytes: int) -> bytes:
    """The decoded body, never more than `max_bytes` of it in memory; 0 is no limit."""
    from llmspell_core.security.decode import Decoder

    decoder = Decoder(response.headers.get("content-encoding", ""), max_bytes)
    parts: list[bytes] = []
    async for raw in response.aiter_raw():
        parts.append(decoder.feed(raw))
        if decoder.over:
            raise LimitError(
                f"the answer is larger than {max_bytes} bytes",
                code="limit.response_size",
                hint="raise max_bytes",
            )
    parts.append(decoder.finish())
    return b"".join(parts)


def network_error(
    error: httpx.HTTPError, url: str, timeout_ms: float
) -> NetworkError | DeadlineError:
    """What httpx raised, in llmspell's words."""
    import ssl

    httpx = load_httpx()
    if isinstance(error, httpx.TimeoutException):
        return _timeout(url, timeout_ms)
    cause = error.__cause__ or error.__context__
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None or "SSL" in str(error):
        return NetworkError(
            f"no secure connection to {url}: {error}", code="network.tls", retryable=False
        )
    if isinstance(error, httpx.ConnectError):
        return NetworkError(f"cannot connect to {url}: {error}", code="network.connection")
    if isinstance(error, httpx.UnsupportedProtocol):
        return NetworkError(str(error), code="network.invalid_url", retryable=False)
    what = str(error) or type(error).__name__
    return NetworkError(f"the exchange with {url} failed: {what}", code="network.protocol")


def _timeout(url: str, timeout_ms: float) -> DeadlineError:
    return DeadlineError(f"{url} did not answer within {timeout_ms:g} ms", hint="raise timeout_ms")


def _drop_credentials(request: httpx.Request) -> None:
    for name in [name for name in request.headers if name.lower() not in {*_CARRIED, "host"}]:
        del request.headers[name]
    request.headers["accept-encoding"] = _ENCODINGS
