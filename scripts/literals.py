"""Values as the scripting languages and the command line write them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: Longer than this a table is written on several lines.
WIDTH = 96
_WORD = re.compile(r"[A-Za-z_]\w*")
_LUA_WORDS = frozenset(
    (
        *("and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if"),
        *("in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while"),
    )
)


@dataclass(frozen=True, slots=True)
class Language:
    """How a language writes tables and calls."""

    name: str
    equals: str
    list_ends: tuple[str, str]
    call: str
    reserved: frozenset[str] = frozenset()
    comment: str = "//"

    def literal(self, value: Any, indent: str = "", used: int = 0) -> str:
        """The value as an expression; `used` columns of its first line are taken."""
        if not isinstance(value, (dict, list, tuple)):
            return self._plain(value)
        opening, closing = ("{", "}") if isinstance(value, dict) else self.list_ends
        if not value:
            return opening + closing
        space = "" if opening == "[" else " "
        line = f"{opening}{space}{', '.join(self._items(value, indent))}{space}{closing}"
        if len(indent) + used + len(line) <= WIDTH and "\n" not in line:
            return line
        deeper = f"{indent}  "
        items = "".join(f"{deeper}{item},\n" for item in self._items(value, deeper))
        return f"{opening}\n{items}{indent}{closing}"

    def execute(self, tool: str, params: dict[str, Any], indent: str = "", used: int = 0) -> str:
        """The call of a tool."""
        head = f'{self.call}("{tool}"'
        if not params:
            return f"{head})"
        return f"{head}, {self.literal(params, indent, used + len(head) + 3)})"

    def _items(self, value: Any, indent: str) -> Iterator[str]:
        if isinstance(value, dict):
            for key, one in value.items():
                name = f"{self._key(key)}{self.equals}"
                yield name + self.literal(one, indent, len(name) + 1)
        else:
            for one in value:
                yield self.literal(one, indent, 1)

    def _key(self, key: str) -> str:
        if _WORD.fullmatch(key) and key not in self.reserved:
            return key
        return f"[{self._plain(key)}]" if self.name == "lua" else self._plain(key)

    def _plain(self, value: Any) -> str:
        if value is None and self.name == "lua":
            return "nil"
        text = json.dumps(value, ensure_ascii=False)
        if self.name == "lua":
            # What JSON writes as \u or \b, Lua writes by its number.
            text = re.sub(r"\\u([0-9a-fA-F]{4})", r"\\u{\1}", text).replace("\\/", "/")
        return text


LUA = Language("lua", " = ", ("{", "}"), "Tool.execute", _LUA_WORDS, "--")
JS = Language("js", ": ", ("[", "]"), "await Tool.execute")
ES5 = Language("es5", ": ", ("[", "]"), "Tool.execute")


def command(tool: str, params: dict[str, Any]) -> list[str]:
    """The words of `llmspell tool run`."""
    words = ["tool", "run", tool]
    for name, value in params.items():
        words += ["--param", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    return words


def shell(words: list[str]) -> str:
    """A command line of one line that bash reads as these words."""
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    name, equals, value = word.partition("=")
    if equals and _WORD.fullmatch(name):
        return f"{name}={_quoted_value(value)}"
    return _quoted_value(word)


def _quoted_value(value: str) -> str:
    if "\n" not in value:
        return shlex.quote(value)
    return "$'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
