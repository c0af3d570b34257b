"""The types that rules of `data-validator` know: kinds of values, and forms of texts."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
import uuid
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any
from urllib.parse import urlsplit

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_LABEL = re.compile(r"[^\W_](?:[^\W_]|-){0,62}")
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]*")
_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SEMVER = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_NUMERIC = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_MAX_HOST = 253
_PHONE_DIGITS = range(5, 16)
_CARD_DIGITS = range(12, 20)

Check = Callable[[Any], bool]


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _integer(value: Any) -> bool:
    return _number(value) and (isinstance(value, int) or value.is_integer())


KINDS: dict[str, tuple[Check, str]] = {
    "any": (lambda value: True, "anything"),
    "string": (lambda value: isinstance(value, str), "a string"),
    "number": (_number, "a number"),
    "integer": (_integer, "a whole number"),
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "array": (lambda value: isinstance(value, list), "a list"),
    "object": (lambda value: isinstance(value, dict), "a table"),
    "null": (lambda value: value is None, "null"),
}


def _email(text: str) -> bool:
    local, at, host = text.rpartition("@")
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    return bool(at and not dots and _EMAIL.fullmatch(local) and "." in host and hostname(host))


def hostname(text: str) -> bool:
    """Whether this is a name of a host, of any alphabet."""
    labels = text.removesuffix(".").split(".")
    return len(text) <= _MAX_HOST and all(
        _LABEL.fullmatch(label) and not label.endswith("-") for label in labels
    )


def _url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = text.isprintable() and " " not in text
    known = parts.scheme in ("http", "https", "ftp", "ftps", "ws", "wss")
    return bool(plain and known and host and (hostname(host) or _ip(host)))


def _parses(read: Callable[[str], Any]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            read(text)
        except (ValueError, binascii.Error, RecursionError):
            return False
        return True

    return check


_ip = _parses(ipaddress.ip_address)


def _uuid(text: str) -> Any:
    # The library takes braces, prefixes and digits without hyphens as well.
    if str(uuid.UUID(text)) != text.lower():
        raise ValueError(text)


def _datetime(text: str) -> Any:
    if not re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _date(text: str) -> Any:
    return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else int("x")


def _time(text: str) -> Any:
    return time.fromisoformat(text) if re.match(r"\d\d:\d\d", text) else int("x")


def _phone(text: str) -> bool:
    digits = sum(char.isdecimal() for char in text)
    return bool(_PHONE.fullmatch(text)) and digits in _PHONE_DIGITS


def _card(text: str) -> bool:
    """By its check digit."""
    digits = [int(char) for char in text if char in "0123456789"]
    if len(digits) not in _CARD_DIGITS or not re.fullmatch(r"[0-9 -]+", text):
        return False
    doubled = [d if n % 2 == 0 else sum(divmod(2 * d, 10)) for n, d in enumerate(digits[::-1])]
    return sum(doubled) % 10 == 0


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


TEXTS: dict[str, tuple[Callable[[str], bool], str]] = {
    "email": (_email, "an email address"),
    "url": (_url, "a URL"),
    "uuid": (_parses(_uuid), "a UUID"),
    "date": (_parses(_date), "a date such as 2026-01-31"),
    "time": (_parses(_time), "a time such as 13:45"),
    "datetime": (_parses(_datetime), "a date and time such as 2026-01-31T13:45:00Z"),
    "ip": (_ip, "an IP address"),
    "ipv4": (_parses(ipaddress.IPv4Address), "an IPv4 address"),
    "ipv6": (_parses(ipaddress.IPv6Address), "an IPv6 address"),
    "hostname": (hostname, "a host name"),
    "phone": (_phone, "a phone number"),
    "credit_card": (_card, "a credit card number"),
    "color": (_matches(_COLOR), "a color such as #ff8800"),
    "slug": (_matches(_SLUG), "small letters, digits and hyphens"),
    "semver": (_matches(_SEMVER), "a version such as 1.2.3"),
    "alpha": (str.isalpha, "letters only"),
    "alphanumeric": (str.isalnum, "letters and digits only"),
    "numeric": (_matches(_NUMERIC), "a number, as text"),
    "base64": (_parses(lambda text: base64.b64decode(text, validate=True)), "base64"),
    "hex": (_parses(bytes.fromhex), "hexadecimal digits"),
    "json": (_parses(json.loads), "JSON"),
}

ALIASES = {
    "text": "string", "str": "string", "int": "integer", "float": "number", "bool": "boolean",
    "list": "array", "table": "object", "dict": "object", "map": "object", "nil": "null",
    "uri": "url", "link": "url", "ip_address": "ip", "date_time": "datetime",
    "timestamp": "datetime", "domain": "hostname", "telephone": "phone", "hex_color": "color",
    "colour": "color", "alphanum": "alphanumeric", "version": "semver",
}  # fmt: skip
