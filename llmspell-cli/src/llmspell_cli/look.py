"""How this process talks to people: colours, secrets removed, nothing that steers the terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from llmspell_core.security.redact import Redactor


class Look:
    """What the options ask for. One a process, since errors are shown after a command is over."""

    def __init__(self) -> None:
        self.color = "auto"
        self.debug = False
        self.redactor: Redactor | None = None


LOOK = Look()


def use_colour(stream: Any = None) -> bool:
    """`--color`, else `NO_COLOR` and `TERM`, else whether the stream (stderr) is a terminal."""
    if LOOK.color in ("always", "never"):
        return LOOK.color == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool((stream or sys.stderr).isatty())


def style(text: str, colour: str, stream: Any = None) -> str:
    """Coloured when the stream (stderr) takes colours."""
    return click.style(text, fg=colour, bold=True) if use_colour(stream) else text


def say(text: str) -> None:
    """A line for people, on stderr."""
    click.echo(text, err=True, color=use_colour())


def clean(text: str) -> str:
    """Without secrets and control characters: an error text must not steer the terminal."""
    if LOOK.redactor is not None:
        text = LOOK.redactor.text(text)
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" or c.isprintable() else repr(c)[1:-1] for c in text)
