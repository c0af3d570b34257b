"""Errors as people see them: what is wrong, where, the source line, what to do."""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from llmspell_core.errors import LLMSpellError

#: Found before the first line of a script ran: usage, files, configuration, profiles.
_BEFORE = {
    "script.not_found",
    "script.unreadable",
    "script.binary",
    "engine.unknown_extension",
    "input.usage",
}
_BEFORE_KINDS = ("config.", "security.", "profile.")
#: The command needs a distribution that is not installed.
_MISSING = ("engine.unavailable", "extension.", "plugin.missing")


def exit_code(error: LLMSpellError) -> int:
    """The exit code for an error; CLI.md has the table."""
    if error.code.startswith(_MISSING):
        return 3
    if error.code in _BEFORE or error.code.startswith(_BEFORE_KINDS):
        return 2
    if error.code == "cancelled":
        return 130
    return 1


def style(text: str, colour: str) -> str:
    """Coloured when stderr is a terminal and nothing forbids it."""
    return click.style(text, fg=colour, bold=True) if use_colour() else text


def use_colour(stream: Any = None) -> bool:
    """`--color`, else `NO_COLOR`, else whether the stream (stderr) is a terminal."""
    context = click.get_current_context(silent=True)
    asked = getattr(context.obj, "color", None) if context and context.obj else None
    if asked in ("always", "never"):
        return bool(asked == "always")
    if os.environ.get("NO_COLOR"):
        return False
    return bool((stream or sys.stderr).isatty())


def show_error(error: LLMSpellError, *, script: Path | None = None, text: str = "") -> None:
    """Print the report on stderr."""
    click.echo(format_error(error, text), err=True)
    if _debug():
        click.echo("".join(traceback.format_exception(error)), err=True)


def show_bug(error: Exception) -> None:
    """An exception that nobody raised on purpose: name it, and say how to see where."""
    text = clean(f"{type(error).__name__}: {error}")
    click.echo(f"{style('error:', 'red')} {text}  {style('[internal]', 'cyan')}", err=True)
    if _debug():
        click.echo("".join(traceback.format_exception(error)), err=True)
    else:
        click.echo("  this is a bug of llmspell or of a plugin; --debug shows where", err=True)


def _debug() -> bool:
    context = click.get_current_context(silent=True)
    asked = context is not None and bool(getattr(context.obj, "debug", False))
    return asked or "--debug" in sys.argv


def format_error(error: LLMSpellError, text: str = "") -> str:
    """The report as text; `text` is the source of a script that has no file."""
    mistakes = error.details.get("mistakes")
    lines = [f"{style('error:', 'red')} {clean(error.message)}  {style(f'[{error.code}]', 'cyan')}"]
    if isinstance(mistakes, list):
        lines += _mistakes(mistakes)
    if error.source:
        lines += _location(error.source, text, error.message)
    if error.hint:
        lines += [f"  {line}" for line in clean(error.hint).splitlines()]
    if error.stack and _debug():
        lines += [f"  {line}" for line in clean(error.stack).strip().splitlines()]
    return "\n".join(lines)


def clean(text: str) -> str:
    """Without control characters: an error text must not steer the terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() else repr(c)[1:-1] for c in text)


def _mistakes(mistakes: list[Any]) -> list[str]:
    rows = []
    for one in mistakes:
        where = str(one.get("where") or "")
        label = f"{one.get('key')}: " if one.get("key") else ""
        hint = f", {one['hint']}" if one.get("hint") else ""
        rows.append((where, f"{label}{one.get('message', '')}{hint}"))
    width = max((len(where) for where, _ in rows), default=0)
    return [f"  {where:<{width}}   {clean(message)}" for where, message in rows]


def _location(source: str, text: str, message: str) -> list[str]:
    lines = [f"  {source}"]
    match = re.fullmatch(r"(.+):(\d+)(?::(\d+))?", source)
    if not match:
        return lines
    number = int(match[2])
    line = _source_line(match[1], number, text)
    if line is None:
        return lines
    lines.append(f"  {number:>4} | {clean(line.rstrip())}")
    column = int(match[3]) - 1 if match[3] else _column(line, message)
    lines.append(f"       | {' ' * column}{style('^', 'red')}")
    return lines


def _source_line(name: str, number: int, text: str) -> str | None:
    content = text
    if not content:
        try:
            content = Path(name).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return None
    rows = content.splitlines()
    return rows[number - 1] if 0 < number <= len(rows) else None


def _column(line: str, message: str) -> int:
    """Where to point: at what the message quotes, else at the first word."""
    for quoted in re.findall(r"[\"']([^\"']+)[\"']", message):
        for wanted in (f'"{quoted}"', f"'{quoted}'"):
            if wanted in line:
                return line.index(wanted)
        if quoted in line:
            return line.index(quoted)
    return len(line) - len(line.lstrip())


def envelope(error: LLMSpellError) -> dict[str, Any]:
    """An error's part of the JSON envelope."""
    return {"ok": False, "error": error.to_dict(), "schema": "llmspell.run/1"}


def print_json(value: Any, *, compact: bool | None = None) -> None:
    """JSON on stdout: indented on a terminal, one line in a pipe."""
    short = not sys.stdout.isatty() if compact is None else compact
    text = json.dumps(value, ensure_ascii=False, indent=None if short else 2, default=str)
    click.echo(text)
