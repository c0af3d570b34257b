"""The declaration of `args`; the engines make it from the command line."""

from __future__ import annotations

from llmspell_core.script.api import ScriptGlobal


class ArgsGlobal(ScriptGlobal):
    """The script's arguments: by index (0 is the script) and by name (`--name v`)."""

    name = "args"
    aliases = ("arg", "ARGS")
    kind = "args"
