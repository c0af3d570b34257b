"""Errors as people see them: what is wrong, where, the source line, what to do."""

from __future__ import annotations

from typing import Any

from llmspell_cli.look import LOOK, clean, say, style
from llmspell_cli.source_lines import Script, location
from llmspell_core.errors import LLMSpellError

#: Found before the first line of a script ran: usage, files, configuration, profiles.
_BEFORE = {
    "script.not_found",
    "script.unreadable",
    "script.binary",
    "engine.unknown_extension",
    "input.usage",
    "cassette.missing",
    "cassette.invalid",
    "evaluation.baseline",
    # Outside of a script these are names and values of the command line.
    "input.invalid",
    "tool.not_found",
    "template.not_found",
    "provider.unknown",
}
_BEFORE_KINDS = ("config.", "security.", "profile.")
#: The command needs a distribution that is not installed.
_MISSING = ("engine.unavailable", "extension.", "plugin.missing")
#: What helps further, beside the error's own hint.
_FURTHER = {
    "tool.not_found": "all tools: llmspell tool list",
    "template.not_found": "all templates: llmspell agent templates",
    "provider.model_missing": "all models: llmspell models list",
}


def exit_code(error: LLMSpellError, *, thrown: bool = False) -> int:
    """The exit code for an error; `thrown`: by a script that was running."""
    if error.code == "cancelled" and "signal" in error.details:
        return 128 + int(error.details["signal"])
    if thrown:
        return 1
    if error.code.startswith(_MISSING):
        return 3
    if error.code in _BEFORE or error.code.startswith(_BEFORE_KINDS):
        return 2
    return 1


def show_error(error: LLMSpellError, script: Script | None = None) -> None:
    """Print the report on stderr."""
    if LOOK.redactor is None:
        from llmspell_core.security.redact import Redactor

        # No runtime that knows the secrets, but what is shaped like one is known.
        LOOK.redactor = Redactor()
    say(format_error(error, script))
    if LOOK.debug:
        _show_stack(error)


def show_bug(error: BaseException) -> None:
    """An exception that nobody raised on purpose: name it, and say how to see where."""
    say(_head(f"{type(error).__name__}: {error}", "internal"))
    if LOOK.debug:
        _show_stack(error)
    else:
        say("  this is a bug of llmspell or of a plugin; --debug shows where")


def _show_stack(error: BaseException) -> None:
    import traceback

    say(clean("".join(traceback.format_exception(error))))


def format_error(error: LLMSpellError, script: Script | None = None) -> str:
    """The report as text."""
    mistakes = error.details.get("mistakes")
    lines = [_head(error.message, error.code)]
    if isinstance(mistakes, list):
        lines += _mistakes(mistakes)
    lines += _places(error, script)
    lines += _hints(error)
    if error.stack and LOOK.debug:
        lines += [f"  {line}" for line in clean(error.stack).strip().splitlines()]
    return "\n".join(lines)


def _places(error: LLMSpellError, script: Script | None) -> list[str]:
    """Where it happened: in a callback first, then where what called it was called."""
    cause = error.details.get("error")
    if not error.source:
        return []
    inside = LLMSpellError("", source=error.source)
    if isinstance(cause, dict):
        inside = LLMSpellError(str(cause.get("message", "")), source=str(cause.get("source", "")))
    if not inside.source or inside.source == error.source:
        return location(error, script)
    return [*location(inside, script), f"  called from {clean(error.source)}"]


def _head(message: str, code: str) -> str:
    # Lines after the first are indented: none of them can pass for a report of its own.
    text = "\n  ".join(clean(message).splitlines()) or "no message"
    return f"{style('error:', 'red')} {text}  {style(f'[{clean(code)}]', 'cyan')}"


def _hints(error: LLMSpellError) -> list[str]:
    hints = [f"  {line}" for line in clean(error.hint or "").splitlines()]
    further = _FURTHER.get(error.code)
    if further is None:
        return hints
    if not hints:
        return [f"  {further}"]
    apart = "  " if hints[-1].endswith("?") else "; "
    return [*hints[:-1], f"{hints[-1]}{apart}{further}"]


def _mistakes(mistakes: list[Any]) -> list[str]:
    rows = []
    for one in mistakes:
        where = clean(str(one.get("where") or ""))
        label = f"{one.get('key')}: " if one.get("key") else ""
        hint = f", {one['hint']}" if one.get("hint") else ""
        rows.append((where, clean(f"{label}{one.get('message', '')}{hint}")))
    width = max((len(where) for where, _ in rows), default=0)
    return [f"  {where:<{width}}   {message}" for where, message in rows]
