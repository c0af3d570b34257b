"""Removing secrets from text and data that people, logs, events or models will see."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

MASK = "***"
#: Shorter ones would be found by accident in ordinary text.
SHORTEST = 6
_DEEPEST = 64

#: (what must be in the text for the pattern to be worth trying, pattern, replacement); most
#: runs never see any of these, so that they are compiled on first use.
_SHAPES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("sk-",), r"\bsk-[A-Za-z0-9_-]{16,}", MASK),
    (("AKIA", "ASIA"), r"\bA[KS]IA[0-9A-Z]{16}\b", MASK),
    (
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
        MASK,
    ),
    (("xox",), r"\bxox[a-z]-[A-Za-z0-9-]{10,}", MASK),
    (("AIza",), r"\bAIza[0-9A-Za-z_-]{35}", MASK),
    (("eyJ",), r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*", MASK),
    (
        ("-----BEGIN",),
        r"-----BEGIN ([A-Z0-9 ]{0,40})-----[\s\S]{0,20000}?(?:-----END \1-----|\Z)",
        MASK,
    ),
    (
        ("earer", "EARER"),
        r"(?i)\b(bearer)(\s+|%20|\+)[A-Za-z0-9._~+/=-]{8,}",
        rf"\1\2{MASK}",
    ),
    (
        ("://",),
        r"\b([A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/:@?#]{0,256}):[^\s/@?#]{1,512}@",
        rf"\1:{MASK}@",
    ),
)


class Redactor:
    """Knows the secrets of this process and the shapes that secrets have."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: tuple[str, ...] = ()
        self._known: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str | None) -> None:
        """Remember a secret; also base64-, URL- and JSON-encoded it will be removed."""
        if not secret or len(secret) < SHORTEST or secret in self._known:
            return
        self._known.add(secret)
        # Longest first: a secret that contains another must go as a whole.
        forms = {*self._forms, *_forms(secret)}
        self._forms = tuple(sorted(forms, key=len, reverse=True))

    def text(self, text: str) -> str:
        """The text with `***` for each secret; the same object when there is none."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        for signs, pattern, replacement in _SHAPES:
            for sign in signs:
                if sign in text:
                    text = re.sub(pattern, replacement, text)
                    break
        return text

    def value(self, value: Any, _depth: int = 0) -> Any:
        """JSON-like data with its strings and keys redacted; the same object when unchanged."""
        if isinstance(value, str):
            return self.text(value)
        if _depth > _DEEPEST:
            return MASK
        if isinstance(value, dict):
            return self._mapping(value, _depth)
        if isinstance(value, (list, tuple)):
            parts = [self.value(part, _depth + 1) for part in value]
            if all(new is old for new, old in zip(parts, value, strict=True)):
                return value
            return tuple(parts) if isinstance(value, tuple) else parts
        return value

    def _mapping(self, value: dict[Any, Any], depth: int) -> dict[Any, Any]:
        changed = False
        made: dict[Any, Any] = {}
        for key, part in value.items():
            new_key = self.text(key) if isinstance(key, str) else key
            new = self.value(part, depth + 1)
            changed = changed or new is not part or new_key is not key
            made[new_key] = new
        return made if changed else value


def _forms(secret: str) -> set[str]:
    """The secret itself and what it looks like inside encoded text."""
    import base64
    import json
    from urllib.parse import quote, quote_plus

    escaped = json.dumps(secret, ensure_ascii=False)[1:-1]
    found = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), escaped}
    found.add(json.dumps(secret)[1:-1])
    data = secret.encode()
    # Base64 groups three bytes: what precedes the secret ("user:") decides between three
    # spellings, of which the first and last characters also depend on the neighbours.
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        start = -(-before * 8 // 6)
        exact = (before + len(data)) % 3 == 0
        middle = encoded[start:] if exact else encoded[start:-1]
        if len(middle) >= SHORTEST:
            found |= {middle, middle.replace("+", "-").replace("/", "_")}
    found.add(base64.b64encode(data).decode())
    found.add(base64.urlsafe_b64encode(data).decode())
    return found
