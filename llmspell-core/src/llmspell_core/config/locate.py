"""Where a key stands in the text of a file: TOML, JSON and YAML parsers give no positions."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

Keys = tuple[str, ...]


def line_of(text: str, path: Keys, suffix: str = ".toml") -> int | None:
    """The line (from 1) of a key, else of the nearest table around it; None when not found."""
    found = _positions(text, suffix)
    for length in range(len(path), 0, -1):
        if path[:length] in found:
            return found[path[:length]]
    return None


def line_of_second(text: str, key: str) -> int:
    """The line where a table of a JSON text has a key that it had before."""
    seen: set[Keys] = set()
    for path, line in _json_keys(text):
        if path[-1] == key and path in seen:
            return line
        seen.add(path)
    return 1


@lru_cache(maxsize=8)
def _positions(text: str, suffix: str) -> dict[Keys, int]:
    if suffix == ".json":
        return _first(_json_keys(text))
    if suffix in {".yaml", ".yml"}:
        return _first(_yaml_keys(text))
    return _first(_toml_keys(text))


def _first(found: Iterator[tuple[Keys, int]]) -> dict[Keys, int]:
    positions: dict[Keys, int] = {}
    for path, line in found:
        positions.setdefault(path, line)
    return positions


_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_KEY = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[A-Za-z0-9_-]+')
_TEXT = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)
_WORD = re.compile(r"[^\s,\]}#]+")


def _toml_keys(text: str) -> Iterator[tuple[Keys, int]]:
    """Every key of a TOML text with its line. Invalid text ends the search quietly."""
    return _Toml(text).keys()


class _Toml:
    """A scanner that knows just enough TOML to find keys."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._ends = _line_ends(text)

    def keys(self) -> Iterator[tuple[Keys, int]]:
        table: Keys = ()
        while True:
            self._skip(_SPACE)
            if self.at >= len(self.text):
                return
            line = self._line()
            if self.text[self.at] == "[":
                self._skip(re.compile(r"\[{1,2}[ \t]*"))
                table = self._path()
                self._skip(re.compile(r"[ \t]*\]{1,2}"))
                if not table:
                    return
                yield table, line
                continue
            path = self._path()
            if not path or not self._take("="):
                return
            yield from _prefixes(table, path, line)
            yield from self._value((*table, *path))

    def _value(self, path: Keys) -> Iterator[tuple[Keys, int]]:
        self._skip(_BLANK)
        if self._take("{"):
            yield from self._inline(path)
        elif self._take("["):
            while True:
                self._skip(_SPACE)
                if self._take("]") or self.at >= len(self.text):
                    return
                before = self.at
                yield from self._value(path)
                self._skip(_SPACE)
                if not self._take(",") and self.at == before:
                    return
        elif match := _TEXT.match(self.text, self.at) or _WORD.match(self.text, self.at):
            self.at = match.end()
            # A date and its time may be parted by a space.
            self._skip(re.compile(r" \d\d:[\d:.Z+-]+"))

    def _inline(self, table: Keys) -> Iterator[tuple[Keys, int]]:
        while True:
            self._skip(_SPACE)
            if self._take("}") or self.at >= len(self.text):
                return
            line = self._line()
            path = self._path()
            if not path or not self._take("="):
                return
            yield from _prefixes(table, path, line)
            yield from self._value((*table, *path))
            self._skip(_SPACE)
            self._take(",")

    def _path(self) -> Keys:
        parts: list[str] = []
        while match := _KEY.match(self.text, self.at):
            self.at = match.end()
            parts.append(_unquoted(match[0]))
            self._skip(_BLANK)
            if not self._take("."):
                break
            self._skip(_BLANK)
        return tuple(parts)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if match := pattern.match(self.text, self.at):
            self.at = match.end()

    def _take(self, sign: str) -> bool:
        if self.text.startswith(sign, self.at):
            self.at += len(sign)
            return True
        return False

    def _line(self) -> int:
        return bisect_left(self._ends, self.at) + 1


def _line_ends(text: str) -> list[int]:
    return [match.start() for match in re.finditer("\n", text)]


def _prefixes(table: Keys, path: Keys, line: int) -> Iterator[tuple[Keys, int]]:
    for length in range(1, len(path) + 1):
        yield (*table, *path[:length]), line


def _unquoted(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    if part[0] != '"':
        return part
    import tomllib

    try:
        return str(tomllib.loads(f"k = {part}")["k"])
    except tomllib.TOMLDecodeError:
        return part[1:-1]


_JSON = re.compile(r'("(?:[^"\\]|\\.)*")|([{}\[\],:])', re.DOTALL)


def _json_keys(text: str) -> Iterator[tuple[Keys, int]]:
    """Every key of a JSON text with its line."""
    import json

    # One entry an open bracket: the key it belongs to, None inside a list.
    stack: list[str | None] = []
    key: str | None = None
    ends = _line_ends(text)
    tokens = list(_JSON.finditer(text))
    for number, match in enumerate(tokens):
        word, sign = match.group(1, 2)
        if sign in ("{", "["):
            stack.append(key)
            key = None
        elif sign in ("}", "]") and stack:
            stack.pop()
        elif word and number + 1 < len(tokens) and tokens[number + 1][2] == ":":
            try:
                key = json.loads(word, strict=False)
            except ValueError:
                return
            path = (*(part for part in stack if part is not None), str(key))
            yield path, bisect_left(ends, match.start()) + 1
        elif sign == ",":
            key = None


def _yaml_keys(text: str) -> Iterator[tuple[Keys, int]]:
    """Every key of a YAML text with its line; of a list the items as well, counted from 0."""
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError
    except ImportError:
        return
    try:
        root = YAML(typ="rt", pure=True).compose(text)
    except YAMLError:
        return
    todo: deque[tuple[Keys, Any]] = deque([((), root)] if root is not None else [])
    while todo:
        path, node = todo.popleft()
        if node.id == "sequence":
            for number, value in enumerate(node.value):
                yield (*path, str(number)), value.start_mark.line + 1
                todo.append(((*path, str(number)), value))
        for name, value in node.value if node.id == "mapping" else []:
            yield (*path, str(name.value)), name.start_mark.line + 1
            todo.append(((*path, str(name.value)), value))
