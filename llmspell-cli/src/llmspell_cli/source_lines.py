"""The line of a script that an error report shows, and where on it the caret stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from llmspell_cli.look import clean, style
from llmspell_core.records import Record

if TYPE_CHECKING:
    from llmspell_core.errors import LLMSpellError

#: A longer line is cut around the caret.
WIDTH = 100
TAB = 4
_PLACE = r"(.+?):(\d+)(?::(\d+))?"


class Script(Record):
    """The script of a run: its lines and those of its modules may be shown, no other file's."""

    name: str
    text: str
    path: Path | None = None

    def line(self, name: str, number: int) -> str | None:
        """One line of the script or of one of its modules; None when it may not be shown."""
        rows = self._text(name).splitlines()
        return rows[number - 1] if 0 < number <= len(rows) else None

    def _text(self, name: str) -> str:
        if name == self.name:
            return self.text
        found = Path(name)
        if self.path is None or _kind(found) != _kind(self.path):
            return ""
        # A script chooses what `source` its errors have: only what lies beside it is read.
        whole = found.resolve()
        roots = (self.path.resolve().parent, Path.cwd())
        if not any(whole.is_relative_to(root) for root in roots):
            return ""
        try:
            return whole.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return ""


def _kind(path: Path) -> str:
    """What its ending says; modules of JavaScript have two."""
    return ".js" if path.suffix == ".mjs" else path.suffix


def location(error: LLMSpellError, script: Script | None) -> list[str]:
    """`file:line`, the line itself and a caret below what is wrong."""
    lines = [f"  {clean(error.source or '')}"]
    match = re.fullmatch(_PLACE, error.source or "")
    if script is None or not match:
        return lines
    number = int(match[2])
    raw = script.line(match[1], number)
    if raw is None:
        return lines
    column = len(_shown(raw[: int(match[3]) - 1])) if match[3] else None
    text = _shown(raw.rstrip())
    text, column = _cut(text, column_of(text, error) if column is None else column)
    caret = style("^", "red")
    return [*lines, f"  {number:>5} | {text}".rstrip(), f"        | {' ' * column}{caret}"]


def column_of(line: str, error: LLMSpellError) -> int:
    """Where to point: at what the message quotes or the field it names, else at the first word."""
    for word in _suspects(error):
        for wanted in (f'"{word}"', f"'{word}'"):
            if wanted in line:
                return line.index(wanted)
        if found := re.search(rf"(?<!\w){re.escape(word)}(?!\w)", line):
            return found.start()
    if "<eof>" in error.message:
        return len(line)
    return len(line) - len(line.lstrip())


def _suspects(error: LLMSpellError) -> list[str]:
    # What stands in quotes and holds quotes itself is tried as a whole and without them.
    quoted = re.findall(r"\"([^\"]+)\"|'([^']+)'", error.message)
    words = [first or second for first, second in quoted]
    mistakes = error.details.get("errors")
    if isinstance(mistakes, list):
        fields = [one.get("field") for one in mistakes if isinstance(one, dict)]
        words += [part for field in fields if field for part in reversed(str(field).split("."))]
    return words


def _shown(text: str) -> str:
    return clean(text.expandtabs(TAB))


def _cut(line: str, column: int) -> tuple[str, int]:
    """At most WIDTH characters, the column among them."""
    column = min(column, len(line))
    if len(line) <= WIDTH:
        return line, column
    start = min(max(0, column - WIDTH // 2), len(line) - WIDTH)
    end = start + WIDTH
    before, after = ("..." if start else ""), ("..." if end < len(line) else "")
    return before + line[start:end] + after, column - start + len(before)
