"""What a host name or an address really is: all spellings of IPv4 and IPv6, and their kinds."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Literal

from llmspell_core.errors import ValidationError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Kind = Literal[
    "public", "loopback", "private", "link_local", "metadata", "shared", "multicast", "reserved",
    "unspecified",
]  # fmt: skip

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_LONGEST_NAME = 253
_IPV4_PARTS = 4

#: Checked in this order; tables of our own, because those of the standard library differ
#: between the versions of Python.
_TABLE: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    # The addresses at which clouds hand out credentials.
    ("metadata", (
        "169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32", "100.100.100.200/32",
        "192.0.0.192/32", "168.63.129.16/32", "fd00:ec2::/32", "fd20:ce::254/128",
    )),
    ("unspecified", ("0.0.0.0/8", "::/128")),
    ("loopback", ("127.0.0.0/8", "::1/128")),
    ("link_local", ("169.254.0.0/16", "fe80::/10")),
    ("private", (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10",
    )),
    ("shared", ("100.64.0.0/10",)),
    ("multicast", ("224.0.0.0/4", "ff00::/8")),
    ("reserved", (
        "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
        "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16",
    )),
)  # fmt: skip
_NETWORKS = tuple(
    (kind, tuple(ipaddress.ip_network(text) for text in texts)) for kind, texts in _TABLE
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")
_ISATAP = 0x5EFE


def canonical_host(host: str) -> Address | str:
    """The one spelling of a host: an address however it was written, or a lower-case name.

    `0x7f.1`, `2130706433`, `0177.0.0.1`, full-width digits and a trailing dot are read as
    resolvers read them, since one of them will.

    Raises:
        ValidationError: `network.invalid_host`.
    """
    text = unicodedata.normalize("NFKC", host.strip()).lower()
    for dot in "\u3002\uff0e\uff61":
        text = text.replace(dot, ".")
    if text.startswith("[") and text.endswith("]"):
        return _ipv6(text[1:-1], host)
    if ":" in text:
        return _ipv6(text, host)
    text = text.removesuffix(".")
    labels = text.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(labels, host)
    return _name(text, host)


def parse_address(text: str) -> Address:
    """An address as a resolver returns it; a zone (`%eth0`) is dropped."""
    return ipaddress.ip_address(text.split("%", 1)[0])


def kind_of(address: Address) -> Kind:
    """What an address is for; of one that wraps another, the inner one decides."""
    inner = _embedded(address)
    if inner is not None:
        kind = kind_of(inner)
        # Old ways to write IPv4 that nothing public needs, except for NAT64 and mapped ones.
        return "reserved" if kind == "public" and not _usual(address) else kind
    for kind, networks in _NETWORKS:
        if any(address in network for network in networks if network.version == address.version):
            return kind
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return "reserved"
    return "public"


def plain(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped IPv6 one, else the address itself."""
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    teredo = address.teredo
    inner = address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
    if inner is not None:
        return inner
    number = int(address)
    translated = address in _NAT64 or address in _TRANSLATED
    isatap = (number >> 32) & 0xFFFF == _ISATAP and (number >> 48) & 0xFDFF == 0
    compatible = address in _COMPATIBLE and number > 1
    if translated or isatap or compatible:
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    return None


def _usual(address: Address) -> bool:
    return address in _NAT64 or getattr(address, "ipv4_mapped", None) is not None


def _ipv6(text: str, given: str) -> ipaddress.IPv6Address:
    # A zone chooses an interface of this machine: link-local traffic by another name.
    try:
        if "%" in text:
            raise ValueError
        return ipaddress.IPv6Address(text)
    except ValueError:
        raise _invalid(given) from None


def _ipv4(labels: list[str], given: str) -> ipaddress.IPv4Address:
    """As `inet_aton` reads it: one to four numbers, the last one filling the rest."""
    if len(labels) > _IPV4_PARTS:
        raise _invalid(given)
    numbers = []
    for label in labels:
        if not _NUMBER.fullmatch(label):
            raise _invalid(given)
        numbers.append(_number(label, given))
    *first, last = numbers
    if any(number > 0xFF for number in first) or last >= 256 ** (5 - len(numbers)):  # noqa: PLR2004
        raise _invalid(given)
    value = last
    for position, number in enumerate(first):
        value += number << (8 * (3 - position))
    return ipaddress.IPv4Address(value)


def _number(label: str, given: str) -> int:
    try:
        if label.startswith("0x"):
            return int(label[2:] or "0", 16)
        return int(label, 8) if label.startswith("0") and len(label) > 1 else int(label)
    except ValueError:
        raise _invalid(given) from None


def _name(text: str, given: str) -> str:
    if not text.isascii():
        try:
            import idna

            text = idna.encode(text, uts46=True).decode()
        except (ImportError, ValueError):
            raise _invalid(given) from None
    if len(text) > _LONGEST_NAME or not all(_LABEL.fullmatch(one) for one in text.split(".")):
        raise _invalid(given)
    return text


def _invalid(given: str) -> ValidationError:
    shown = given if given.isprintable() else ascii(given)
    return ValidationError(f'"{shown[:100]}" is not a host name', code="network.invalid_host")
