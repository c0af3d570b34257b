"""Sending by SMTP: over a connection that the network gate made to an address it checked."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ConfigError, DeadlineError, LLMSpellError, ToolError
from llmspell_core.security.net import NetworkError
from llmspell_tools._extras import imported
from llmspell_tools._service import key_of, option
from llmspell_tools.communication._mail import TOOL, Mail, split_address

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PASSING = 500


@dataclass(frozen=True, slots=True)
class _Server:
    """What `[tools.email-sender.smtp]` says."""

    host: str
    port: int
    security: str
    username: str | None
    password: str | None


def ready(ctx: ToolContext) -> bool:
    """Whether a server is configured."""
    return bool(option(ctx, "smtp", "host", ""))


async def send(mail: Mail, ctx: ToolContext, timeout_ms: float) -> dict[str, Any]:
    """Send a mail; `refused` has the recipients that the server does not take, with its reason.

    Raises:
        ToolError: `tool.smtp`: the server refuses the mail, or whoever sends it.
    """
    library = imported("aiosmtplib", TOOL, "communication")
    server = _server(ctx)
    message = mail.message()
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            # The library would resolve the name itself, and without the gate.
            connection = await ctx.policy.net.connect(
                server.host, server.port, timeout_ms=timeout_ms
            )
            client = _client(library, server, connection, timeout_ms)
            try:
                await client.connect()
                refused, words = await client.send_message(
                    message,
                    sender=split_address(mail.sender)[1],
                    recipients=mail.recipients,
                )
                await client.quit()
            finally:
                client.close()
    except (TimeoutError, library.SMTPTimeoutError):
        raise DeadlineError(
            f"{TOOL}: {server.host} did not take the mail within {timeout_ms:g} ms"
        ) from None
    except ssl.SSLError as error:
        raise _insecure(server, error) from None
    except (library.SMTPException, ValueError, OSError) as error:
        raise _error(library, server, error) from None
    accepted = [one for one in mail.recipients if one not in refused]
    return {
        "message_id": message["Message-ID"],
        "accepted": accepted,
        "refused": {name: f"{reply[0]} {reply[1]}" for name, reply in refused.items()},
        "response": words,
    }


def _client(library: Any, server: _Server, connection: Any, timeout_ms: float) -> Any:
    from llmspell_core.security.transport import tls_context

    return library.SMTP(
        hostname=server.host,
        sock=connection,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=tls_context() if server.security != "none" else None,
        username=server.username,
        password=server.password,
        local_hostname="localhost",
        timeout=timeout_ms / 1000,
    )


def _server(ctx: ToolContext) -> _Server:
    host = option(ctx, "smtp", "host", "")
    if not host:
        raise ToolError(
            f"{TOOL}: no SMTP server is configured",
            code="tool.not_configured",
            hint=f"set host in [tools.{TOOL}.smtp]",
        )
    security = option(ctx, "smtp", "security", "starttls")
    if security not in _PORTS:
        raise ConfigError(
            f"[tools.{TOOL}.smtp] security must be starttls, tls or none, not {security!r:.40}"
        )
    username = option(ctx, "smtp", "username", "") or None
    if username and security == "none" and host not in _LOOPBACK:
        raise ConfigError(
            f"[tools.{TOOL}.smtp]: the password would go to {host} unencrypted",
            hint='set security = "starttls" or "tls"',
        )
    password = key_of(ctx, "smtp_password", "smtp") if username else None
    port = option(ctx, "smtp", "port", 0) or _PORTS[security]
    return _Server(host, port, security, username, password)


def _insecure(server: _Server, error: Exception) -> NetworkError:
    return NetworkError(
        f"no secure connection to {server.host}: {error}", code="network.tls", retryable=False
    )


def _error(library: Any, server: _Server, error: Exception) -> LLMSpellError:
    """What the library raised, in llmspell's words."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLError):
        return _insecure(server, cause)
    if isinstance(error, library.SMTPRecipientsRefused):
        refused = {one.recipient: f"{one.code} {one.message}" for one in error.recipients}
        return ToolError(
            f"{TOOL}: {server.host} takes none of the recipients: "
            + "; ".join(f"{name}: {why}" for name, why in refused.items())[:500],
            code="tool.smtp",
            details={"refused": refused},
        )
    if isinstance(error, library.SMTPAuthenticationError):
        return ToolError(
            f"{TOOL}: {server.host} does not let {server.username} in: {_words(error)}",
            code="tool.smtp",
            hint="SMTP_PASSWORD or the password of [tools.email-sender.smtp] must be in force",
        )
    if isinstance(error, library.SMTPResponseException):
        return ToolError(
            f"{TOOL}: {server.host} refuses the mail: {_words(error)}",
            code="tool.smtp",
            retryable=error.code < _PASSING,
        )
    if isinstance(error, OSError):
        return NetworkError(
            f"the connection to {server.host} failed: {error}", code="network.connection"
        )
    return ToolError(f"{TOOL}: {server.host}: {error}", code="tool.smtp")


def _words(error: Any) -> str:
    return f"{error.code} {' '.join(str(error.message).split())}"[:300]
