"""`llmspell SCRIPT ARGS`: the implicit form of `run`, also what a shebang line starts."""

from __future__ import annotations

import os
from pathlib import Path

#: Options before the script that take a value; the next word is theirs.
VALUED = {
    "--config", "--profile", "--set", "--log-level", "--log-format", "--color", "--trace-events",
    "--param", "--params-file", "--engine", "--model", "--timeout", "--audit-log", "--approve",
    "--record", "--replay",
}  # fmt: skip

#: Marks the implicit form for the `run` command: all that follows the script is the script's.
IMPLICIT = "--implicit-form"


def rewrite(arguments: list[str]) -> list[str]:
    """Put `run` in front where the first word is a script and no command."""
    index = first_word(arguments)
    if index is None or not is_script(arguments[index]):
        return arguments
    before = [word for word in arguments[:index] if word != "--"]
    return ["run", IMPLICIT, *before, "--", *arguments[index:]]


def first_word(arguments: list[str]) -> int | None:
    """The index of the first word that is no option and no option's value."""
    index = 0
    while index < len(arguments):
        word = arguments[index]
        if word == "-" or not word.startswith("-"):
            return index
        if word == "--":
            return index + 1 if index + 1 < len(arguments) else None
        index += 2 if word in VALUED else 1
    return None


def is_script(word: str) -> bool:
    """A first word is a script when it has a slash or ends in an engine's extension."""
    from llmspell_cli.app import COMMANDS

    if word in COMMANDS:
        return False
    if word == "-" or "/" in word or (os.sep != "/" and os.sep in word):
        return True
    suffix = Path(word).suffix.lower()
    if not suffix:
        return False
    # What exists and is no script gets an error about its extension, not about a command.
    return suffix in extensions() or Path(word).is_file()


def extensions() -> set[str]:
    """The extensions of all engines, installed or only known."""
    from llmspell_bridge.engines import KNOWN_EXTENSIONS
    from llmspell_core.errors import ExtensionError
    from llmspell_core.extensions import Extensions

    known = set(KNOWN_EXTENSIONS)
    for extension in Extensions("engines").values():
        try:
            known.update(extension.load().info.extensions)
        except ExtensionError:
            # A broken engine is reported when a script asks for it.
            continue
    return known
