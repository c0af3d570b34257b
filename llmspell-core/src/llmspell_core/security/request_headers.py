"""Request headers of callers: none that ends early, begins another one, or speaks for another host.

Which host may be reached is decided by the URL. A `Host` header of its own would reach another
one at the same address, and lengths of its own would make two requests of one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from llmspell_core.errors import ValidationError

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: Who sends the request writes them, from the URL and the body.
_OWN = ("content-length", "transfer-encoding", "te", "trailer", "upgrade")
_PORTS = {"http": ":80", "https": ":443"}


def header_problem(name: str, value: str) -> str | None:
    """Why a caller may not send this header, or None."""
    if not _NAME.fullmatch(name):
        return "is no valid header: no name has such characters"
    if any(char in value for char in "\r\n\0") or not value.isascii():
        return "is no valid header: it must be one line of ASCII"
    if name.lower() in _OWN:
        return "is no valid header here: whoever sends the request writes it"
    return None


def check_request_headers(headers: Mapping[str, str], scheme: str, netloc: str) -> None:
    """Raise `input.invalid` for a header that a caller may not send to this place.

    Args:
        headers: as given
        scheme: of the URL
        netloc: its host, and its port where it names one
    """
    for name, value in headers.items():
        problem = header_problem(name, str(value))
        if problem is None and name.lower() == "host" and not _same(str(value), scheme, netloc):
            problem = "must be the host of the URL, which is what the security policy decides about"
        if problem is not None:
            field = f"headers.{ascii(name)[1:-1][:40]}"
            raise ValidationError(
                f"{field} {problem}", details={"errors": [{"field": field, "message": problem}]}
            )


def _same(given: str, scheme: str, netloc: str) -> bool:
    usual = _PORTS.get(scheme, "")
    plain = [text.strip().lower().removesuffix(usual) for text in (given, netloc)]
    return plain[0] == plain[1]
