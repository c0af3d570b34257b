"""What a script names: globals and tools, found by reading its words.

A script that wants to hide a name can; what it may do is decided by the policy, never by this.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

_STRING = r"""(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)"""
_NAME = r"(?P<name>(?<![\w$.])[A-Za-z_$][\w$]*|(?<=\.\.)[A-Za-z_$][\w$]*)"
_LUA = re.compile(rf"--\[(=*)\[.*?\]\1\]|--[^\n]*|{_STRING}|{_NAME}", re.DOTALL)
_OTHERS = re.compile(rf"/\*.*?\*/|//[^\n]*|{_STRING}|{_NAME}", re.DOTALL)


def names_in(
    text: str, language: str, known: Iterable[str], tools: Container[str]
) -> tuple[list[str], list[str]]:
    """The globals and the tools that a script names, in the order of their first use.

    Args:
        text: the script.
        language: of its engine; Lua's comments are not the others'.
        known: names of globals.
        tools: names of tools; any text of the script that is one counts.
    """
    wanted = {*known}
    globals_: dict[str, None] = {}
    used: dict[str, None] = {}
    pattern = _LUA if language.lower() == "lua" else _OTHERS
    for found in pattern.finditer(text):
        name, quoted = found["name"], found["string"]
        if name in wanted:
            globals_[name] = None
        elif quoted and _plain(quoted[1:-1]) in tools:
            used[_plain(quoted[1:-1])] = None
    return list(globals_), list(used)


def _plain(name: str) -> str:
    """Scripts may write tool names with underscores."""
    return name.replace("_", "-")
