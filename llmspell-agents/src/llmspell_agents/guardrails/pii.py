"""`pii`: what tells who a person is, found by shape and, where there is one, by check digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field

from llmspell_agents.guardrails.masking import Finding, Masking, MaskOptions
from llmspell_core.script.model import ScriptModel

Kind = Literal["email", "iban", "credit_card", "ssn", "ip", "mac", "phone"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# All of these patterns are bounded, so that their time grows with the text's length only.
_LOCAL = r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}"
_EMAIL_BEFORE = re.compile(_LOCAL + r"\Z")
_EMAIL_AFTER = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-])")
_CARD = re.compile(r"(?<![\w.])(?<!\d[-, ])\d(?:[ -]?\d){12,18}(?![-.,]?\d)(?!\w)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d\d(?=[ -]?[A-Za-z0-9])")
_SSN = re.compile(r"(?<![\w-])(\d{3})([- ])(\d\d)\2(\d{4})(?![\w-])(?!\.\d)")
_SSN_NAMED = re.compile(
    r"(?i)(?:\bssn\b|social security)[^\d\n]{0,24}?(\d{3})[- .]?(\d\d)[- .]?(\d{4})(?!\d)"
)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_VERSION = re.compile(r"(?i)(?:\bv|\bversion|\brelease|\bversions)[\s:=]{0,3}\Z")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])")
_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])")
_PHONE_WORLD = re.compile(
    r"(?<![\w+])(?<!\d )(?:\+|00(?=[1-9]))[ ]?[1-9](?:[ ./()-]{0,2}\d){6,14}(?![\w])"
)
_PHONE_US = re.compile(
    r"(?<![\w.-])(?:1[ .-])?(?:\([2-9]\d\d\)[ ]?|[2-9]\d\d([ .-]))[2-9]\d\d[ .-]\d{4}(?![\w-]|\.\d)"
)
_PHONE_LOCAL = re.compile(
    r"(?<![\w.+/-])(?<!\d )(?:\(0[1-9]\d{0,4}\)|0[1-9]\d{0,4})"
    r"(?:[ /-]{1,3}\d{2,8}){1,5}(?![\w-]|[./]\d)"
)
_PHONE_NAMED = re.compile(
    r"(?i)\b(?:tel|telephone|telefon|phone|phone number|mobile|mobil|cell|handy|fax|whatsapp|"
    r"call|sms|text)\b[^\d+(\n]{0,16}?(\+?\(?\d(?:[ ./()-]{0,2}\d){6,14})(?!\w)"
)
_DATE = re.compile(
    r"(?:\d{1,2}[ ./-]\d{1,2}[ ./-](?:\d{4}|\d\d)|\d{4}[ ./-]\d{1,2}[ ./-]\d{1,2})\Z"
)
_FEWEST, _MOST = 9, 12
#: (lengths, first and last beginning) of the numbers that issuers of cards give.
_ISSUERS: tuple[tuple[tuple[int, ...], str, str], ...] = (
    ((15,), "34", "34"),
    ((15,), "37", "37"),
    ((14,), "30", "30"),
    ((14,), "36", "36"),
    ((14,), "38", "39"),
    ((13, 16, 19), "4", "4"),
    ((16,), "51", "55"),
    ((16,), "2221", "2720"),
    ((16, 19), "35", "35"),
    ((16, 19), "60", "60"),
    ((16, 19), "62", "62"),
    ((16, 19), "64", "65"),
    ((16, 19), "67", "67"),
)

#: Country -> how many characters its account numbers have (registry of SWIFT, ISO 13616).
IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BI": 27, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27,
    "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32,
    "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24,
    "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31,
    "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip


class PiiOptions(MaskOptions):
    """The options of `pii`."""

    kinds: list[Kind] = Field(
        default_factory=lambda: [*KINDS], min_length=1, description="what is looked for"
    )


class Pii(Masking):
    """Addresses, numbers of phones, cards, accounts and people, in texts and data."""

    name: ClassVar[str] = "pii"
    Options: ClassVar[type[ScriptModel]] = PiiOptions

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        # In the order of `KINDS`: what has check digits decides before a mere row of digits.
        self._finders = [_FINDERS[kind] for kind in KINDS if kind in self.options.kinds]

    def find(self, text: str) -> Iterator[Finding]:
        for finder in self._finders:
            yield from finder(text)


def _emails(text: str) -> Iterator[Finding]:
    at = text.find("@")
    while at >= 0:
        after = _EMAIL_AFTER.match(text, at + 1)
        before = _EMAIL_BEFORE.search(text, max(0, at - 64), at) if after else None
        if before and after:
            start = before.start() + len(before[0]) - len(before[0].lstrip(".'`/=|{"))
            if start < at and text[at - 1] != ".":
                yield Finding(start, after.end(), "email")
        at = text.find("@", at + 1)


def _ibans(text: str) -> Iterator[Finding]:
    for match in _IBAN.finditer(text):
        length = IBAN_LENGTHS.get(match[0][:2].upper())
        if length is None:
            continue
        end, found = match.start(), ""
        while end < len(text) and len(found) < length:
            one = text[end]
            if one.isascii() and one.isalnum():
                found += one
            elif one not in " -" or not text[end - 1].isalnum():
                break
            end += 1
        ends = end >= len(text) or not text[end].isalnum()
        if len(found) == length and ends and _mod97(found.upper()) == 1:
            yield Finding(match.start(), end, "iban")


def _mod97(iban: str) -> int:
    return int("".join(str(int(one, 36)) for one in iban[4:] + iban[:4])) % 97


def _cards(text: str) -> Iterator[Finding]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"[ -]", "", match[0])
        if _issued(digits) and luhn(digits):
            yield Finding(*match.span(), "credit_card")


def _issued(digits: str) -> bool:
    """Whether a card of this length may begin so, and is no row of one digit."""
    return len(set(digits)) > 1 and any(
        len(digits) in lengths and low <= digits[: len(low)] <= high
        for lengths, low, high in _ISSUERS
    )


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it (ISO/IEC 7812)."""
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - one digit
    return total % 10 == 0


def _ssns(text: str) -> Iterator[Finding]:
    for match in _SSN.finditer(text):
        if _ssn(match[1], match[3], match[4]):
            yield Finding(*match.span(), "ssn")
    for match in _SSN_NAMED.finditer(text):
        if _ssn(*match.groups()):
            yield Finding(match.start(1), match.end(3), "ssn")


def _ssn(area: str, group: str, serial: str) -> bool:
    return area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"


def _ips(text: str) -> Iterator[Finding]:
    import ipaddress

    candidates = [(match, True) for match in _IPV4.finditer(text)]
    candidates += [(match, False) for match in _IPV6.finditer(text) if match[0].count(":") > 1]
    for match, four in candidates:
        if four and _VERSION.search(text, max(0, match.start() - 12), match.start()):
            continue
        given = match[0] if four else match[0].rstrip(":") if match[0][-2:] != "::" else match[0]
        try:
            address = ipaddress.ip_address(given)
        except ValueError:
            continue
        named = sum(map(bool, given.split(":")))
        if not four and (named < 2 or not any(map(str.isdigit, given))):  # noqa: PLR2004 - `a::b`
            continue
        # Those of every machine say nothing about a person.
        if not (address.is_loopback or address.is_unspecified):
            yield Finding(match.start(), match.start() + len(given), "ip")


def _macs(text: str) -> Iterator[Finding]:
    for match in _MAC.finditer(text):
        if len(set(match[0])) > 2:  # noqa: PLR2004 - 00:00:…, ff:ff:…
            yield Finding(*match.span(), "mac")


def _phones(text: str) -> Iterator[Finding]:
    for match in _PHONE_WORLD.finditer(text):
        yield Finding(*match.span(), "phone")
    for match in _PHONE_US.finditer(text):
        yield Finding(*match.span(), "phone")
    for match in _PHONE_LOCAL.finditer(text):
        digits = sum(map(str.isdigit, match[0]))
        if _FEWEST <= digits <= _MOST and not _DATE.match(match[0]):
            yield Finding(*match.span(), "phone")
    for match in _PHONE_NAMED.finditer(text):
        if not _DATE.match(match[1]):
            yield Finding(*match.span(1), "phone")


_FINDERS: dict[Kind, Callable[[str], Iterable[Finding]]] = {
    "email": _emails,
    "iban": _ibans,
    "credit_card": _cards,
    "ssn": _ssns,
    "ip": _ips,
    "mac": _macs,
    "phone": _phones,
}
