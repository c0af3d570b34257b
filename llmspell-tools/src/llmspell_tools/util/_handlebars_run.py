"""Rendering Handlebars trees with plain data: bounded in steps, time and size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmspell_core.errors import LimitError
from llmspell_core.tool import as_text
from llmspell_tools._parameters import MAX_SIZE
from llmspell_tools.util._handlebars import (
    Block,
    Clock,
    Node,
    Output,
    Path,
    TemplateError,
    Text,
    parse,
)

_ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "'": "&#x27;",
        "`": "&#x60;",
        "=": "&#x3D;",
    }
)
_MISSING = object()


@dataclass(frozen=True, slots=True)
class _Frame:
    """One context: its value, the ones around it, and its `@` data."""

    this: Any
    parent: _Frame | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def render(template: str, context: Any, *, strict: bool = False) -> str:
    """The template filled in. With `strict` a missing name is a `TemplateError`."""
    clock = Clock()
    return _Renderer(context, clock, strict=strict).run(parse(template, clock))


class _Renderer:
    def __init__(self, context: Any, clock: Clock, *, strict: bool) -> None:
        self.clock = clock
        self.root = _Frame(context)
        self.strict = strict
        self.parts: list[str] = []
        self.size = 0

    def run(self, nodes: list[Node]) -> str:
        self.nodes(nodes, self.root)
        return "".join(self.parts)

    def nodes(self, nodes: list[Node], frame: _Frame) -> None:
        for node in nodes:
            self.clock.tick()
            if isinstance(node, Text):
                self.put(node.text)
            elif isinstance(node, Output):
                value = self.value(node.path, frame, needed=True)
                text = shown(value)
                self.put(text.translate(_ESCAPES) if node.escape else text)
            else:
                self.block(node, frame)

    def put(self, text: str) -> None:
        self.size += len(text)
        if self.size > MAX_SIZE:
            raise LimitError("the rendered text is too large", code="limit.value")
        self.parts.append(text)

    def block(self, block: Block, frame: _Frame) -> None:
        value = self.value(block.path, frame, needed=block.kind in ("each", "with"))
        kind = block.kind
        if kind == "section":
            kind = _section_kind(value)
        if kind == "each":
            self.each(block, value, frame)
        elif truthy(value) == (kind == "unless"):
            self.nodes(block.otherwise, frame)
        elif kind == "with":
            self.nodes(block.body, _Frame(value, frame, frame.data))
        else:
            self.nodes(block.body, frame)

    def each(self, block: Block, value: Any, frame: _Frame) -> None:
        if isinstance(value, dict):
            items = [*value.items()]
        else:
            items = [*enumerate(value)] if isinstance(value, list) else []
        if not items:
            self.nodes(block.otherwise, frame)
        last = len(items) - 1
        for index, (key, item) in enumerate(items):
            data = {"index": index, "key": key, "first": index == 0, "last": index == last}
            self.nodes(block.body, _Frame(item, frame, data))

    def value(self, path: Path, frame: _Frame, *, needed: bool) -> Any:
        found = self.look_up(path, frame)
        if found is not _MISSING:
            return found
        if self.strict and needed:
            raise TemplateError(f'"{path.text}" has no value', path.line)
        return None

    def look_up(self, path: Path, frame: _Frame) -> Any:
        for _ in range(path.up):
            if frame.parent is None:
                return _MISSING
            frame = frame.parent
        keys = path.keys
        if path.data:
            if keys and keys[0] == "root":
                value: Any = self.root.this
            else:
                value = frame.data.get(keys[0], _MISSING) if keys else _MISSING
            keys = keys[1:]
        else:
            value = frame.this
        for key in keys:
            value = _member(value, key)
        return value


def _member(value: Any, key: str) -> Any:
    """A field of an object, an item or the length of a list; nothing else has members."""
    if isinstance(value, dict):
        return value.get(key, _MISSING)
    if isinstance(value, list):
        if key == "length":
            return len(value)
        if key.isascii() and key.isdecimal() and int(key[:9]) < len(value):
            return value[int(key[:9])]
    return _MISSING


def _section_kind(value: Any) -> str:
    if isinstance(value, list):
        return "each"
    return "with" if isinstance(value, dict) else "if"


def truthy(value: Any) -> bool:
    """What counts as yes: not null, false, 0, "" and an empty list."""
    return value is not None and value is not False and value not in (0, "", [])


def shown(value: Any) -> str:
    """A value as Handlebars writes it; an object as JSON."""
    if isinstance(value, list):
        return ",".join(shown(one) for one in value)
    return as_text(value)
