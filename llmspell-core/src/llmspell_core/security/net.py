"""The network gate below HTTP: which host, port and address may be reached."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmspell_core.errors import LLMSpellError, PolicyError, ValidationError
from llmspell_core.security.addresses import (
    Address,
    Kind,
    canonical_host,
    kind_of,
    parse_address,
    plain,
)

if TYPE_CHECKING:
    from llmspell_core.security.audit import AuditLog
    from llmspell_core.security.profile import NetworkPolicy

#: (host name, port) -> addresses as text.
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
#: (address, port) -> a connected socket that does not block.
Connector = Callable[[str, int], Awaitable[socket.socket]]
DEFAULT_TIMEOUT_MS = 10_000
#: Suffixes that no public name has: naming such a host means a private one.
_PRIVATE_SUFFIXES = (".local", ".internal", ".lan", ".intranet", ".corp", ".home", ".home.arpa")
_NAMED_PRIVATE: tuple[Kind, ...] = ("private", "shared")
_HIGHEST_PORT = 65535


class NetworkError(LLMSpellError):
    """A request failed: `network.resolve`, `network.connection`, `network.tls`, ..."""

    code = "network.failed"
    retryable = True


@dataclass(frozen=True, slots=True)
class HostRule:
    """One entry of `allowed_hosts`, parsed."""

    text: str
    port: int | None = None
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None
    name: str = ""
    suffix: str = ""
    any: bool = False

    @classmethod
    def parse(cls, text: str) -> HostRule:
        """`api.example.com`, `*.example.com:443`, `10.0.0.0/8`, `[::1]:8080`, `*`."""
        host, port = split_port(text.strip())
        if host == "*":
            return cls(text, port, any=True)
        if "/" in host:
            try:
                return cls(text, port, ipaddress.ip_network(host.strip("[]"), strict=False))
            except ValueError:
                raise ValidationError(f'"{text}" is not a network') from None
        if host.startswith("*."):
            return cls(text, port, suffix="." + str(canonical_host(host[2:])))
        found = canonical_host(host)
        if isinstance(found, str):
            return cls(text, port, name=found)
        return cls(text, port, ipaddress.ip_network(plain(found)))

    def names(self, host: Address | str, port: int) -> bool:
        """Whether it names this host."""
        if self.port not in (None, port):
            return False
        if self.any:
            return True
        if isinstance(host, str):
            return host == self.name or bool(self.suffix and host.endswith(self.suffix))
        return self.covers(host, port)

    def covers(self, address: Address, port: int) -> bool:
        """Whether it names this very address."""
        if self.port not in (None, port) or self.network is None:
            return False
        inner = plain(address)
        return inner.version == self.network.version and inner in self.network

    def opens(self, host: Address | str, kind: Kind) -> bool:
        """Whether naming the host means this kind of address: a private host by its nature.

        A public name does not: whoever owns it chooses the addresses it resolves to.
        """
        if not self.name or host != self.name:
            return False
        if self.name == "localhost" or self.name.endswith(".localhost"):
            return kind == "loopback"
        private = "." not in self.name or self.name.endswith(_PRIVATE_SUFFIXES)
        return private and kind in _NAMED_PRIVATE


class NetGate:
    """Decides about hosts and addresses, and resolves names once, checked.

    Args:
        layers: the network rules of each profile of the chain; all must allow.
        resolver: how names become addresses; the system's by default.
        connector: how a TCP connection is made to one of them.
    """

    def __init__(
        self,
        layers: Sequence[NetworkPolicy],
        *,
        resolver: Resolver | None = None,
        connector: Connector | None = None,
        audit: AuditLog | None = None,
    ) -> None:
        self.layers = tuple(layers)
        self._rules = [
            None if layer.mode == "all" else [HostRule.parse(text) for text in layer.allowed_hosts]
            for layer in self.layers
        ]
        self._closed = any(layer.mode == "none" for layer in self.layers)
        self._resolver = resolver or system_resolver
        self._connector = connector
        self._audit = audit

    def check_host(self, host: str, port: int) -> Address | str:
        """The canonical host, when the policy may allow it: addresses are checked once known.

        Raises:
            PolicyError: `policy.network`.
        """
        if not 0 < port <= _HIGHEST_PORT:
            raise ValidationError(f"{port} is not a port", code="network.invalid_host")
        found = canonical_host(host)
        if self._closed or not self._named(found, port):
            self._refuse(host, port, "network.allowed_hosts")
        if not isinstance(found, str):
            self._check_address(host, found, found, port)
        return found

    async def resolve_checked(self, host: str, port: int) -> list[str]:
        """All addresses of a host, resolved once; each one is allowed.

        Raises:
            PolicyError: the host, or any address it resolves to, is not allowed.
            NetworkError: `network.resolve`: the name has no address.
        """
        found = self.check_host(host, port)
        if not isinstance(found, str):
            return [str(plain(found))]
        try:
            answers = await self._resolver(found, port)
        except OSError as error:
            raise NetworkError(
                f'cannot resolve "{found}": {error.strerror or error}', code="network.resolve"
            ) from None
        addresses = list(dict.fromkeys(parse_address(text) for text in answers))
        if not addresses:
            raise NetworkError(f'"{found}" has no address', code="network.resolve")
        for address in addresses:
            self._check_address(host, found, address, port)
        if self._audit is not None:
            self._audit.record("network", f"{host}:{port}", "allow", "network")
        return [str(plain(address)) for address in addresses]

    async def connect(
        self, host: str, port: int, *, timeout_ms: float = DEFAULT_TIMEOUT_MS
    ) -> socket.socket:
        """A TCP connection to a host, made to an address that was checked; the caller closes it.

        For protocols other than HTTP: libraries take the socket, or `open` makes streams of it.

        Raises:
            PolicyError: `policy.network`: nothing was sent to anybody.
            NetworkError: `network.resolve`, or `network.connection`: no address answers.
            DeadlineError: the time was up.
        """
        from llmspell_core.security.tcp import connect

        return await connect(self, self._connector, host, port, timeout_ms)

    async def open(
        self, host: str, port: int, *, tls: bool = False, timeout_ms: float = DEFAULT_TIMEOUT_MS
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The streams of such a connection; with `tls` the certificate is checked by the name.

        Raises:
            NetworkError: also `network.tls`: no secure connection.
        """
        from llmspell_core.security.tcp import streams

        return await streams(self, host, port, tls=tls, timeout_ms=timeout_ms)

    def allows(self, host: str, port: int = 443) -> bool:
        """Whether a request to this host would pass, as far as is known without resolving."""
        try:
            self.check_host(host, port)
        except LLMSpellError:
            return False
        return True

    def _named(self, host: Address | str, port: int) -> bool:
        return all(
            rules is None or any(rule.names(host, port) for rule in rules) for rules in self._rules
        )

    def _check_address(self, given: str, host: Address | str, address: Address, port: int) -> None:
        kind = kind_of(address)
        if kind == "public":
            return
        for rules in self._rules:
            if rules is not None and not any(
                rule.covers(address, port) or (rule.names(host, port) and rule.opens(host, kind))
                for rule in rules
            ):
                self._refuse(given, port, f"network.{kind}", kind)

    def _refuse(self, host: str, port: int, rule: str, kind: str = "") -> None:
        if self._audit is not None:
            self._audit.record("network", f"{host}:{port}", "deny", rule)
        shown = host if host.isprintable() else ascii(host)
        words = kind.replace("_", "-")
        text = f"it is or resolves to a {words} address" if kind else "the profile does not list it"
        raise PolicyError(
            f'"{shown[:200]}" port {port} may not be reached: {text}',
            code="policy.network",
            hint="[security.network] allowed_hosts names what may be reached"
            + (", private addresses by themselves" if kind else ""),
            details={"host": shown[:200], "port": port, **({"kind": kind} if kind else {})},
        )


async def system_resolver(host: str, port: int) -> list[str]:
    """All addresses that the system knows for a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def split_port(text: str) -> tuple[str, int | None]:
    """`host:port`, `[::1]:port`, or one of them without a port."""
    if text.startswith("["):
        host, _, rest = text.partition("]")
        host, port = host + "]", rest.removeprefix(":")
    elif text.count(":") == 1:
        host, port = text.split(":")
    else:
        return text, None
    if not port:
        return host, None
    if not (port.isascii() and port.isdigit()) or not 0 < int(port[:6]) <= _HIGHEST_PORT:
        raise ValidationError(f'"{text}": {port} is not a port', code="network.invalid_host")
    return host, int(port)
