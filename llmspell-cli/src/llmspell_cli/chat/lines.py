"""Lines that a person types: edited and remembered by readline, where Python has it."""

from __future__ import annotations

import contextlib
import glob
import os
import sys
from pathlib import Path
from types import ModuleType

from llmspell_cli.look import use_colour

MAX_HISTORY = 10_000


class Lines:
    """Reads what is typed. A line that ends with a backslash goes on in the next one."""

    def __init__(self, history: Path, commands: list[str]) -> None:
        self._history = history
        self._commands = commands
        self._readline = _readline()
        if self._readline is not None:
            self._readline.set_completer(self._complete)
            self._readline.set_completer_delims(" \t\n")
            libedit = "libedit" in (self._readline.__doc__ or "")
            self._readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
            self._readline.set_history_length(MAX_HISTORY)
            with contextlib.suppress(OSError):
                self._readline.read_history_file(str(history))

    def read(self) -> str | None:
        """What was typed; None at the end of the input (Ctrl-D). Ctrl-C begins a new line."""
        parts: list[str] = []
        while True:
            try:
                line = input(_prompt("... " if parts else "> "))
            except EOFError:
                sys.stdout.write("\n")
                return None
            except KeyboardInterrupt:
                sys.stdout.write("\n")
                parts.clear()
                continue
            if not line.endswith("\\"):
                return "\n".join([*parts, line])
            parts.append(line[:-1])

    def close(self) -> None:
        """Keep what was typed for the next chat, readable by its owner only."""
        if self._readline is None:
            return
        with contextlib.suppress(OSError):
            self._history.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._history, os.O_CREAT | os.O_WRONLY, 0o600))
            self._readline.write_history_file(str(self._history))

    def _complete(self, text: str, state: int) -> str | None:
        if text.startswith("/"):
            found = [one for one in self._commands if one.startswith(text)]
        elif text.startswith("@"):
            names = sorted(glob.glob(glob.escape(os.path.expanduser(text[1:])) + "*"))  # noqa: PTH111, PTH207 - as typed
            found = [f"@{name}{os.sep if Path(name).is_dir() else ''}" for name in names]
        else:
            found = []
        return found[state] if state < len(found) else None


def _prompt(text: str) -> str:
    if not use_colour(sys.stdout):
        return text
    # Between these marks readline counts no columns.
    return f"\001\033[1;36m\002{text}\001\033[0m\002"


def _readline() -> ModuleType | None:
    try:
        import readline
    except ImportError:
        return None
    return readline
