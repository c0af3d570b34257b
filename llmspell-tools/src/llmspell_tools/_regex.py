"""Regular expressions given by users: RE2, whose time grows only with the length of the text."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from llmspell_core.errors import LimitError, ValidationError
from llmspell_tools._parameters import wrong

#: Milliseconds that one pattern may take on one text.
TIME_MS = 1_000
_MAX_PATTERN = 10_000
_MEMORY = 8 * 1024 * 1024

_REFERENCE = re.compile(r"\$(?:(\$)|(\d+)|\{(\w+)\})|\\(?:(\\)|(\d+)|g<(\w+)>|(n)|(t))")


class Pattern:
    """A compiled pattern. Each search is bounded in time and says so when it takes too long."""

    def __init__(self, tool: str, field: str, text: str, *, case_sensitive: bool = True) -> None:
        import re2

        if len(text) > _MAX_PATTERN:
            raise wrong(tool, field, f"is longer than {_MAX_PATTERN} characters")
        options = re2.Options()
        options.log_errors = False
        options.case_sensitive = case_sensitive
        options.max_mem = _MEMORY
        self.tool, self.field = tool, field
        try:
            self._compiled = re2.compile(text, options)
        except re2.error as error:
            raise wrong(
                tool,
                field,
                f"is no valid regular expression: {_words(error)}",
                hint="the syntax is RE2's: no look-around and no back-references",
            ) from None
        self.groups: int = self._compiled.groups

    def matches(self, text: str) -> Iterator[Any]:
        """Each match in turn, in time."""
        limit = time.monotonic() + TIME_MS / 1000
        for match in self._compiled.finditer(text):
            if time.monotonic() > limit:
                raise LimitError(
                    f"{self.tool}: {self.field} took longer than {TIME_MS} ms on this text",
                    code="limit.regex_time",
                )
            yield match

    def first(self, text: str) -> Any | None:
        """The first match, or None."""
        return self._compiled.search(text)

    def replacement(self, template: str) -> Callable[[Any], str]:
        r"""What a match becomes: ``$1``, ``${name}``, ``\1``, ``\g<name>``; ``$$`` is a ``$``."""
        parts = self._parts(template)

        def expand(match: Any) -> str:
            return "".join(
                part if isinstance(part, str) else match.group(part[0]) or "" for part in parts
            )

        return expand

    def _parts(self, template: str) -> list[str | tuple[int | str]]:
        parts: list[str | tuple[int | str]] = []
        place = 0
        for found in _REFERENCE.finditer(template):
            parts.append(template[place : found.start()])
            place = found.end()
            dollar, by_number, by_name, slash, number, name, newline, tab = found.groups()
            if dollar or slash or newline or tab:
                parts.append("$" if dollar else "\\" if slash else "\n" if newline else "\t")
            else:
                parts.append((self._group(by_number or number or by_name or name),))
        parts.append(template[place:])
        return parts

    def _group(self, name: str) -> int | str:
        if name.isdecimal():
            if int(name) <= self.groups:
                return int(name)
        elif name in self._compiled.groupindex:
            return name
        raise self._no_group(name)

    def _no_group(self, name: str) -> ValidationError:
        return wrong(
            self.tool,
            "replacement",
            f'names the group "{name}", which the pattern does not have',
            hint="write $$ for a dollar sign",
        )

    def substitute(self, text: str, template: str, most: int) -> str:
        """The text with each match replaced, up to `most` characters."""
        expand = self.replacement(template)
        parts: list[str] = []
        place = size = 0
        for match in self.matches(text):
            made = expand(match)
            parts += (text[place : match.start()], made)
            place = match.end()
            size += len(made)
            if size > most:
                raise LimitError(f"{self.tool}: the result is too large", code="limit.value")
        parts.append(text[place:])
        return "".join(parts)


def literal(text: str) -> str:
    """The pattern that matches exactly this text."""
    import re2

    escaped: str = re2.escape(text)
    return escaped


def _words(error: Exception) -> str:
    given = error.args[0] if error.args else str(error)
    return given.decode(errors="replace") if isinstance(given, bytes) else str(given)
