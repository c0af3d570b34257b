"""Removing secrets from text and data that people, logs, events or models will see."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from typing import Any

MASK = "***"
#: Shorter ones would be found by accident in ordinary text.
SHORTEST = 6
_DEEPEST = 64

#: A part of a JSON web token, and what may be one.
_FIRST = r"\beyJ[A-Za-z0-9_-]{8,}"
_DOTTED = r"[A-Za-z0-9_.-]{19,}"
_SECOND = 8
_KEY_LINE = r"-----(BEGIN|END) ([A-Z0-9 ]{0,40})-----"
#: How long a private key may be.
_KEY_LENGTH = 20_000

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

    def text(self, text: str, *, shapes: bool = True) -> str:
        """The text with `***` for each secret; the same object when there is none.

        Args:
            text: any text
            shapes: also remove what only looks like a secret
        """
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        if not shapes:
            return text
        for signs, pattern, replacement in _SHAPES:
            for sign in signs:
                if sign in text:
                    text = re.sub(pattern, replacement, text)
                    break
        if "eyJ" in text:
            text = re.sub(_DOTTED, _without_tokens, text)
        return _without_keys(text) if "-----BEGIN" in text else text

    def value(self, value: Any, _depth: int = 0, *, shapes: bool = True) -> Any:
        """JSON-like data with its strings and keys redacted; the same object when unchanged."""
        if isinstance(value, str):
            return self.text(value, shapes=shapes)
        if _depth > _DEEPEST:
            return MASK
        if isinstance(value, dict):
            return self._mapping(value, _depth, shapes)
        if isinstance(value, (list, tuple)):
            parts = [self.value(part, _depth + 1, shapes=shapes) for part in value]
            if all(new is old for new, old in zip(parts, value, strict=True)):
                return value
            return tuple(parts) if isinstance(value, tuple) else parts
        return value

    def _mapping(self, value: dict[Any, Any], depth: int, shapes: bool) -> dict[Any, Any]:
        changed = False
        made: dict[Any, Any] = {}
        for key, part in value.items():
            new_key = self.text(key, shapes=shapes) if isinstance(key, str) else key
            new = self.value(part, depth + 1, shapes=shapes)
            changed = changed or new is not part or new_key is not key
            made[new_key] = new
        return made if changed else value


# One pattern for a whole token or key would look at the rest of the text again from each place
# where one could begin: a hostile text would keep the host for minutes.


def _without_tokens(run: re.Match[str]) -> str:
    """Three parts with dots between; what follows the first part's beginning goes."""
    parts = run[0].split(".")
    at, kept = 0, []
    while at < len(parts):
        part = parts[at]
        whole = at + 2 < len(parts) and len(parts[at + 1]) >= _SECOND
        token = re.search(_FIRST, part) if whole else None
        if token is None:
            kept.append(part)
            at += 1
        else:
            kept.append(part[: token.start()] + MASK)
            at += 3
    return ".".join(kept)


def _without_keys(text: str) -> str:
    """Blocks from a BEGIN line to its END line, or to the end of a text that is cut off."""
    opened: dict[str, deque[int]] = {}
    blocks: list[tuple[int, int]] = []
    for line in re.finditer(_KEY_LINE, text):
        starts = opened.setdefault(line[2], deque())
        if line[1] == "BEGIN":
            starts.append(line.start())
            continue
        while starts and line.start() - starts[0] > _KEY_LENGTH:
            starts.popleft()
        if starts:
            blocks.append((starts[0], line.end()))
            starts.clear()
    cut_off = [at for starts in opened.values() for at in starts if len(text) - at <= _KEY_LENGTH]
    if cut_off:
        blocks.append((min(cut_off), len(text)))
    kept, done = [], 0
    for start, end in sorted(blocks):
        if start >= done:
            kept += [text[done:start], MASK]
        done = max(done, end)
    return "".join([*kept, text[done:]])


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
