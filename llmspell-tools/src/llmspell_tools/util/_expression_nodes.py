"""What expressions are made of: dialects, and functions that evaluate one part each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from llmspell_tools.util._arithmetic import BINARY, MathError, compare, truth
from llmspell_tools.util._functions import CONSTANTS, FUNCTIONS

COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))

Scope = Mapping[str, Any]
Node = Callable[[Scope], Any]


class ExpressionError(Exception):
    """The expression is no valid expression; `position` is a column, from 1."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} at position {position}")
        self.position = position


@dataclass(frozen=True, slots=True)
class Token:
    """One word of an expression, with its column from 1."""

    kind: str
    text: str
    position: int


class Callee(Protocol):
    """A function of expressions."""

    @property
    def name(self) -> str: ...
    def arity_mistake(self, count: int) -> str: ...
    def __call__(self, values: Sequence[Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """Which values, operators and functions expressions have.

    `paths` adds texts in quotes, names in backquotes, `a.b`, `a[0]`, `in` and `=` for `==`.
    """

    functions: Mapping[str, Callee]
    constants: Mapping[str, Any]
    binary: Mapping[str, Callable[[Any, Any], Any]]
    compare: Callable[[str, Any, Any], bool]
    truth: Callable[[Any], bool]
    pick: Callable[[Any, Any], Any] | None = None

    @property
    def paths(self) -> bool:
        """Whether there is more than numbers."""
        return self.pick is not None


ARITHMETIC = Dialect(FUNCTIONS, CONSTANTS, BINARY, compare, truth)


def constant(value: Any) -> Node:
    """Always this value."""
    return lambda scope: value


def unquoted(text: str) -> str:
    """The text of a text in quotes."""
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])


_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def choose(dialect: Dialect, condition: Node, yes: Node, no: Node) -> Node:
    """One of two, by a condition; the other is not evaluated."""
    truth = dialect.truth
    return lambda scope: yes(scope) if truth(condition(scope)) else no(scope)


def apply_not(dialect: Dialect, inner: Node, position: int) -> Node:
    """Not the inner one."""
    truth = dialect.truth

    def run(scope: Scope) -> Any:
        with _at(position):
            return not truth(inner(scope))

    return run


def sign(dialect: Dialect, token: Token, inner: Node) -> Node:
    """The value with a sign."""
    operate = dialect.binary[token.text]

    def run(scope: Scope) -> Any:
        value = inner(scope)
        with _at(token.position):
            return operate(0, value)

    return run


def binary(dialect: Dialect, token: Token, left: Node, right: Node) -> Node:
    """Two values by an operator."""
    operate = dialect.binary[token.text]

    def run(scope: Scope) -> Any:
        a, b = left(scope), right(scope)
        with _at(token.position):
            return operate(a, b)

    return run


def pick_node(pick: Callable[[Any, Any], Any], token: Token, node: Node, key: Node) -> Node:
    """What a value has under a name or index."""

    def run(scope: Scope) -> Any:
        value, name = node(scope), key(scope)
        with _at(token.position):
            return pick(value, name)

    return run


def chain(dialect: Dialect, first: Node, rest: list[tuple[Token, Node]]) -> Node:
    """Operators of one level, from left to right."""
    kind, truth = rest[0][0].text, dialect.truth
    if kind == "or":
        nodes = [first, *(node for _, node in rest)]
        return lambda scope: any(truth(node(scope)) for node in nodes)
    if kind == "and":
        nodes = [first, *(node for _, node in rest)]
        return lambda scope: all(truth(node(scope)) for node in nodes)
    if kind in COMPARISONS or kind.endswith("in"):
        return _compare_chain(dialect, first, rest)
    return _operate_chain(dialect, first, rest)


def _compare_chain(dialect: Dialect, first: Node, rest: list[tuple[Token, Node]]) -> Node:
    def run(scope: Scope) -> Any:
        left = first(scope)
        for token, node in rest:
            right = node(scope)
            with _at(token.position):
                if not dialect.compare(token.text, left, right):
                    return False
            left = right
        return True

    return run


def _operate_chain(dialect: Dialect, first: Node, rest: list[tuple[Token, Node]]) -> Node:
    def run(scope: Scope) -> Any:
        value = first(scope)
        for token, node in rest:
            right = node(scope)
            with _at(token.position):
                value = dialect.binary[token.text](value, right)
        return value

    return run


def list_node(nodes: list[Node]) -> Node:
    """A list."""
    return lambda scope: [node(scope) for node in nodes]


def variable(dialect: Dialect, token: Token) -> Node:
    """A name of the scope, or a constant."""
    name, constants = token.text.strip("`"), dialect.constants

    def run(scope: Scope) -> Any:
        if name in scope:
            return scope[name]
        if name.lower() in constants:
            return constants[name.lower()]
        raise MathError(_unknown(dialect, name, scope), token.position)

    return run


def _unknown(dialect: Dialect, name: str, scope: Scope) -> str:
    from llmspell_core.errors import did_you_mean

    if name.lower() in dialect.functions:
        return f'"{name}" is a function: write {name}(...)'
    near = did_you_mean(name, [*scope, *dialect.constants])
    return f'unknown variable "{name}"' + (f", {near}" if near else "")


def call(dialect: Dialect, token: Token, arguments: list[Node]) -> Node:
    """A function's value; an unknown one or a wrong number of arguments is a mistake now."""
    from llmspell_core.errors import did_you_mean

    function = dialect.functions.get(token.text.lower())
    if function is None:
        near = did_you_mean(token.text, list(dialect.functions))
        raise ExpressionError(
            f'unknown function "{token.text}"' + (f", {near}" if near else ""), token.position
        )
    mistake = function.arity_mistake(len(arguments))
    if mistake:
        raise ExpressionError(f"{token.text}: {mistake}", token.position)

    def run(scope: Scope) -> Any:
        values = [node(scope) for node in arguments]
        with _at(token.position):
            return function(values)

    if function.name == "if":
        return choose(dialect, *arguments)
    return run


class _at:  # noqa: N801 - reads as a word: `with _at(position)`
    """Gives a `MathError` raised inside its position in the expression."""

    __slots__ = ("position",)

    def __init__(self, position: int) -> None:
        self.position = position

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, MathError) and error.position is None:
            error.position = self.position
