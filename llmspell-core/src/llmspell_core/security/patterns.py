"""Names of files: the globs of the deny list, and what Windows reads into a name."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence

from llmspell_core.security.globs import reached

_RESERVED = r"(?i)^(con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])$"

_FEW_STARS = 2


class DenyList:
    """Globs that no path may match, nor anything below what they match.

    A pattern is compared anywhere in a path unless it begins with `/`; `**` spans directories.
    Case and the form of composed characters (`é` as one or two) are ignored everywhere, since
    some file systems ignore them. `places` are directories by their absolute paths.
    """

    def __init__(self, patterns: Iterable[str], places: Iterable[str] = ()) -> None:
        self.patterns = tuple(dict.fromkeys(patterns))
        self._places = tuple(_composed(place).rstrip("/").casefold() for place in places)

    def matches(self, path: str) -> bool:
        """Whether an absolute path is denied."""
        plain = _composed(path)
        folded = plain.casefold()
        if any(folded == p or folded.startswith(p + "/") for p in self._places):
            return True
        simple, others = _compile(self.patterns)
        if simple is not None and simple.match(plain) is not None:
            return True
        names = folded.strip("/").split("/")
        # What fits a folder's path is all that is below it.
        return any(any(reached(parts, names)[1:]) for parts in others)


@functools.lru_cache(maxsize=64)
def _compile(patterns: tuple[str, ...]) -> tuple[re.Pattern[str] | None, tuple[list[str], ...]]:
    """An expression for the simple globs; the others, on which it could be long, as parts."""
    simple = "|".join(_regex(p) for p in patterns if p.count("*") <= _FEW_STARS)
    others = tuple(_parts(p) for p in patterns if p.count("*") > _FEW_STARS)
    return re.compile(simple, re.IGNORECASE | re.DOTALL) if simple else None, others


def _composed(path: str) -> str:
    """With slashes, and characters in the one form that they have when they are composed."""
    plain = path.replace("\\", "/")
    if plain.isascii():
        return plain
    import unicodedata

    return unicodedata.normalize("NFC", plain)


def _parts(pattern: str) -> list[str]:
    text, anchored = _plain(pattern)
    parts = text.casefold().strip("/").split("/")
    return parts if anchored else ["**", *parts]


def _plain(pattern: str) -> tuple[str, bool]:
    """A glob without what says nothing, and whether it begins at the root."""
    text = _composed(pattern).rstrip("/")
    anchored = text.startswith("/") or re.match(r"[A-Za-z]:/", text) is not None
    return text.removeprefix("./").removesuffix("/**"), anchored


def _regex(pattern: str) -> str:
    text, anchored = _plain(pattern)
    body = _translate(text)
    start = "" if anchored else r"(?:.*/)?"
    return f"(?:{start}{body}(?:/.*)?$)"


def _translate(glob: str) -> str:
    out = []
    at = 0
    while at < len(glob):
        if glob.startswith("**/", at):
            out.append(r"(?:.*/)?")
            at += 3
        elif glob.startswith("**", at):
            out.append(".*")
            at += 2
        elif glob[at] == "*":
            out.append("[^/]*")
            at += 1
        elif glob[at] == "?":
            out.append("[^/]")
            at += 1
        else:
            out.append(re.escape(glob[at]))
            at += 1
    return "".join(out)


def windows_problem(parts: Sequence[str]) -> str | None:
    """Why Windows would open something else than these names say, or None.

    Streams (`a.txt:hidden`), devices (`NUL`, `com1.txt`) and the trailing dots and spaces that
    it drops, by which one file has many names.
    """
    for part in parts:
        if ":" in part:
            return "a stream or a drive inside the path"
        if part != part.rstrip(" .") and part not in (".", ".."):
            return "a trailing dot or space"
        if re.match(_RESERVED, part.split(".", 1)[0].rstrip(" ")):
            return "a device name"
        if any(c in part for c in '<>"|?*') or any(ord(c) < 32 for c in part):  # noqa: PLR2004
            return "a character that names cannot have"
    return None
