"""Templates in the `input` of steps: data whose strings may hold `{{expressions}}`.

An expression that is the whole string keeps its type; inside a text it is written out. A name
that nothing knows stays as it was written, and is reported to the renderer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from llmspell_core.errors import LimitError
from llmspell_core.templating import MAX_TEMPLATE
from llmspell_core.tool import as_text
from llmspell_workflows.expressions import Expression, Missing, Resolve

_QUOTED_OR_BRACE = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{}]""")
ABSENT = Missing.NOT_RUN


@dataclass(slots=True)
class Rendering:
    """How to render: where values come from, and whom to tell of what has none.

    With `prefixed_only`, expressions over bare names are left to whoever renders the text next.
    """

    resolve: Resolve
    missing: Callable[[Expression, Missing], None]
    prefixed_only: bool = False


class Node:
    """A compiled value; `render` gives the value with its templates filled in."""

    def render(self, how: Rendering) -> Any:
        """The value, or `ABSENT` where it is a step's that has none."""
        raise TypeError(type(self).__name__)

    def expressions(self) -> Iterator[Expression]:
        """Every expression in it."""
        yield from ()


@dataclass(slots=True)
class Plain(Node):
    """A value without templates."""

    value: Any

    def render(self, how: Rendering) -> Any:
        return copied(self.value)


@dataclass(slots=True)
class Lone(Node):
    """A string that is one expression."""

    expression: Expression

    def render(self, how: Rendering) -> Any:
        value = evaluated(self.expression, how)
        if value is Missing.UNKNOWN:
            return self.expression.source
        return value if value is ABSENT else copied(value)

    def expressions(self) -> Iterator[Expression]:
        yield self.expression


@dataclass(slots=True)
class Text(Node):
    """A string with expressions in it."""

    parts: list[str | Expression]

    def render(self, how: Rendering) -> str:
        made: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                made.append(part)
                continue
            value = evaluated(part, how)
            if value is Missing.UNKNOWN:
                made.append(part.source)
            elif value is not ABSENT:
                made.append(as_text(value))
        return "".join(made)

    def expressions(self) -> Iterator[Expression]:
        yield from (part for part in self.parts if isinstance(part, Expression))


@dataclass(slots=True)
class Items(Node):
    """A list; an item without a value is null, so the others keep their places."""

    nodes: list[Node]

    def render(self, how: Rendering) -> list[Any]:
        values = (node.render(how) for node in self.nodes)
        return [None if value is ABSENT else value for value in values]

    def expressions(self) -> Iterator[Expression]:
        for node in self.nodes:
            yield from node.expressions()


@dataclass(slots=True)
class Fields(Node):
    """A table; a field without a value is absent."""

    nodes: dict[Any, Node]

    def render(self, how: Rendering) -> dict[Any, Any]:
        values = ((key, node.render(how)) for key, node in self.nodes.items())
        return {key: value for key, value in values if value is not ABSENT}

    def expressions(self) -> Iterator[Expression]:
        for node in self.nodes.values():
            yield from node.expressions()


def compile_value(value: Any, step_names: Iterable[str] = ()) -> Node:
    """Any value with templates in its strings, compiled."""
    names = tuple(step_names)
    if isinstance(value, str):
        return _compile_text(value, names)
    if isinstance(value, dict):
        nodes = {key: compile_value(one, names) for key, one in value.items()}
        plain = all(isinstance(node, Plain) for node in nodes.values())
        return Plain(value) if plain else Fields(nodes)
    if isinstance(value, (list, tuple)):
        items = [compile_value(one, names) for one in value]
        plain = all(isinstance(node, Plain) for node in items)
        return Plain(value) if plain else Items(items)
    return Plain(value)


def _compile_text(text: str, names: tuple[str, ...]) -> Node:
    if "{{" not in text:
        return Plain(text)
    parts = split(text, names)
    if len(parts) == 1 and isinstance(parts[0], Expression):
        return Lone(parts[0])
    if all(isinstance(part, str) for part in parts):
        return Plain(text)
    return Text(parts)


def split(text: str, step_names: Iterable[str] = ()) -> list[str | Expression]:
    """A text as its literal parts and its expressions."""
    if len(text) > MAX_TEMPLATE:
        raise LimitError(
            f"a template is longer than {MAX_TEMPLATE} characters", code="limit.template_size"
        )
    parts: list[str | Expression] = []
    literal = at = 0
    while (start := text.find("{{", at)) >= 0 and text.find("}}", start) >= 0:
        end = _end(text, start + 2)
        inner = text[start + 2 : end]
        at = end + 2
        if inner.strip():
            if start > literal:
                parts.append(text[literal:start])
            parts.append(Expression(inner, step_names, text[start:at]))
            literal = at
    if literal < len(text) or not parts:
        parts.append(text[literal:])
    return parts


def _end(text: str, at: int) -> int:
    """Where the `}}` of an expression stands, past strings and braces inside it.

    Where none closes it, the expression is all that follows: compiling it says what is wrong.
    """
    depth = 0
    while match := _QUOTED_OR_BRACE.search(text, at):
        at = match.end()
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            if depth == 0 and text.startswith("}}", match.start()):
                return match.start()
            depth = max(0, depth - 1)
    return len(text)


def evaluated(expression: Expression, how: Rendering) -> Any:
    """An expression's value; what has none is reported and comes back as `Missing`."""
    if how.prefixed_only and (
        not expression.references or any(one.root == "name" for one in expression.references)
    ):
        return Missing.UNKNOWN
    value = expression.evaluate(how.resolve)
    if isinstance(value, Missing):
        how.missing(expression, value)
    return value


def copied(value: Any) -> Any:
    """A copy of data, so that whoever gets it changes only their own."""
    if isinstance(value, dict):
        return {key: copied(one) for key, one in value.items()}
    if isinstance(value, list):
        return [copied(one) for one in value]
    return value
