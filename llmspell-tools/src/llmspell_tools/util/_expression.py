"""Arithmetic expressions: a Pratt parser and an evaluator, exact on integers, bounded, no eval.

    parse("2 + x^2").evaluate({"x": 3})  ->  11

Precedence from loose to tight: ``c ? a : b``, ``or ||``, ``and &&``, ``not``, comparisons (which
chain, as in ``0 < x < 1``), ``+ -``, ``* / // %``, unary ``- + !``, ``^ **`` (right-associative).
Chains of one level are kept flat, so that a long sum needs no deep recursion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from llmspell_tools.util._arithmetic import BINARY, MathError, Value, compare, number, truth
from llmspell_tools.util._functions import CONSTANTS, FUNCTIONS

MAX_LENGTH = 10_000
MAX_DEPTH = 60

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9a-fA-F]+|0[bB][01]+|(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<op>\*\*|//|<=|>=|==|!=|~=|<>|&&|\|\||[-+*/%^<>!?:(),\[\]×÷−≤≥≠])"  # noqa: RUF001
    r"|(?P<end>$)|(?P<bad>.))",
    re.DOTALL,
)
_SAME = {
    "**": "^", "~=": "!=", "<>": "!=", "&&": "and", "||": "or",
    "×": "*", "÷": "/", "−": "-", "≤": "<=", "≥": ">=", "≠": "!=",  # noqa: RUF001
}  # fmt: skip
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset(("or",)),
    frozenset(("and",)),
    _COMPARISONS,
    frozenset(("+", "-")),
    frozenset(("*", "/", "//", "%")),
)
_NOT_LEVEL = 2

Scope = Mapping[str, Value]
Node = Callable[[Scope], Value]


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


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression; `variables` are the names it needs."""

    node: Node
    variables: tuple[str, ...]

    def evaluate(self, scope: Scope) -> Value:
        """Its value: integers stay exact. Raises `MathError`."""
        return self.node(scope)


def parse(text: str) -> Expression:
    """Parse an expression, or raise `ExpressionError` saying where it is wrong."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression is longer than {MAX_LENGTH} characters", MAX_LENGTH)
    parser = _Parser(_tokens(text))
    node = parser.ternary()
    parser.expect_end()
    return Expression(node, tuple(parser.variables))


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    place = 0
    while True:
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise ExpressionError("cannot read the expression", place + 1)
        kind = match.lastgroup
        word = match[kind]
        position = match.start(kind) + 1
        if kind == "bad":
            raise ExpressionError(f'unexpected "{word}"', position)
        if kind == "name" and word.lower() in ("and", "or", "not"):
            kind, word = "op", word.lower()
        found.append(Token(kind, _SAME.get(word, word), position))
        if kind == "end":
            return found
        place = match.end()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.place = 0
        self.depth = 0
        self.variables: dict[str, None] = {}

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def take(self, *ops: str) -> Token | None:
        """The next token when it is one of these operators."""
        token = self.token
        if token.kind == "op" and token.text in ops:
            self.place += 1
            return token
        return None

    def need(self, op: str, why: str) -> None:
        if not self.take(op):
            raise ExpressionError(f'expected "{op}" {why}, found {self.found()}', self.column())

    def expect_end(self) -> None:
        if self.token.kind != "end":
            hint = "an operator is missing before it"
            raise ExpressionError(f"unexpected {self.found()} ({hint})", self.column())

    def found(self) -> str:
        token = self.token
        return "the end of the expression" if token.kind == "end" else f'"{token.text}"'

    def column(self) -> int:
        return self.token.position

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(
                f"the expression is nested deeper than {MAX_DEPTH}", self.token.position
            )

    def ternary(self) -> Node:
        self.enter()
        condition = self.level(0)
        if self.take("?"):
            yes = self.ternary()
            self.need(":", "of a ? b : c")
            no = self.ternary()
            node: Node = _choose(condition, yes, no)
        else:
            node = condition
        self.depth -= 1
        return node

    def level(self, index: int) -> Node:
        if index == len(_LEVELS):
            return self.unary()
        if index == _NOT_LEVEL and (token := self.take("not")):
            self.enter()
            inner = self.level(index)
            self.depth -= 1
            return _apply_not(inner, token.position)
        first = self.level(index + 1)
        rest: list[tuple[Token, Node]] = []
        while token := self.take(*_LEVELS[index]):
            rest.append((token, self.level(index + 1)))
        return _chain(index, first, rest) if rest else first

    def unary(self) -> Node:
        token = self.take("-", "+", "!")
        if token is None:
            return self.power()
        self.enter()
        inner = self.unary()
        self.depth -= 1
        if token.text == "!":
            return _apply_not(inner, token.position)
        return _sign(token, inner)

    def power(self) -> Node:
        base = self.primary()
        token = self.take("^")
        if token is None:
            return base
        self.enter()
        exponent = self.unary()
        self.depth -= 1
        return _binary(token, base, exponent)

    def primary(self) -> Node:
        token = self.token
        if token.kind == "number":
            self.place += 1
            value = _literal(token)
            return lambda scope: value
        if token.kind == "name":
            self.place += 1
            return self.named(token)
        if self.take("("):
            inner = self.ternary()
            self.need(")", "to close the parenthesis")
            return inner
        if self.take("["):
            return _list(self.arguments("]"))
        raise ExpressionError(f"unexpected {self.found()}", self.column())

    def named(self, token: Token) -> Node:
        name = token.text
        if self.take("("):
            arguments = self.arguments(")")
            if name.lower() in CONSTANTS and not arguments:
                constant = CONSTANTS[name.lower()]
                return lambda scope: constant
            return _call(token, arguments)
        self.variables[name] = None
        return _variable(token)

    def arguments(self, close: str) -> list[Node]:
        found: list[Node] = []
        if self.take(close):
            return found
        while True:
            found.append(self.ternary())
            if self.take(close):
                return found
            self.need(",", f'or "{close}"')


def _literal(token: Token) -> Value:
    text = token.text
    if text[:2].lower() in ("0x", "0b"):
        value: Value = int(text, 0)
    elif text.replace("_", "").isdecimal() and len(text) <= MAX_LITERAL:
        value = int(text)
    else:
        value = float(text)
    try:
        return number(value)
    except MathError as error:
        raise ExpressionError(str(error), token.position) from None


MAX_LITERAL = 3900


def _choose(condition: Node, yes: Node, no: Node) -> Node:
    return lambda scope: yes(scope) if truth(condition(scope)) else no(scope)


def _apply_not(inner: Node, position: int) -> Node:
    def run(scope: Scope) -> Value:
        with _at(position):
            return not truth(inner(scope))

    return run


def _sign(token: Token, inner: Node) -> Node:
    minus = token.text == "-"

    def run(scope: Scope) -> Value:
        value = inner(scope)
        with _at(token.position):
            return BINARY["-"](0, value) if minus else BINARY["+"](0, value)

    return run


def _binary(token: Token, left: Node, right: Node) -> Node:
    operate = BINARY[token.text]

    def run(scope: Scope) -> Value:
        a, b = left(scope), right(scope)
        with _at(token.position):
            return operate(a, b)

    return run


def _chain(index: int, first: Node, rest: list[tuple[Token, Node]]) -> Node:
    kind = rest[0][0].text
    if kind == "or":
        nodes = [first, *(node for _, node in rest)]
        return lambda scope: any(truth(node(scope)) for node in nodes)
    if kind == "and":
        nodes = [first, *(node for _, node in rest)]
        return lambda scope: all(truth(node(scope)) for node in nodes)
    return _compare_chain(first, rest) if kind in _COMPARISONS else _operate_chain(first, rest)


def _compare_chain(first: Node, rest: list[tuple[Token, Node]]) -> Node:
    def run(scope: Scope) -> Value:
        left = first(scope)
        for token, node in rest:
            right = node(scope)
            with _at(token.position):
                if not compare(token.text, left, right):
                    return False
            left = right
        return True

    return run


def _operate_chain(first: Node, rest: list[tuple[Token, Node]]) -> Node:
    def run(scope: Scope) -> Value:
        value = first(scope)
        for token, node in rest:
            right = node(scope)
            with _at(token.position):
                value = BINARY[token.text](value, right)
        return value

    return run


def _list(nodes: list[Node]) -> Node:
    return lambda scope: [node(scope) for node in nodes]


def _variable(token: Token) -> Node:
    name = token.text

    def run(scope: Scope) -> Value:
        if name in scope:
            return scope[name]
        if name.lower() in CONSTANTS:
            return CONSTANTS[name.lower()]
        raise MathError(_unknown(name, scope), token.position)

    return run


def _unknown(name: str, scope: Scope) -> str:
    from llmspell_core.errors import did_you_mean

    if name.lower() in FUNCTIONS:
        return f'"{name}" is a function: write {name}(...)'
    near = did_you_mean(name, [*scope, *CONSTANTS])
    return f'unknown variable "{name}"' + (f", {near}" if near else "")


def _call(token: Token, arguments: list[Node]) -> Node:
    from llmspell_core.errors import did_you_mean

    function = FUNCTIONS.get(token.text.lower())
    if function is None:
        near = did_you_mean(token.text, list(FUNCTIONS))
        raise ExpressionError(
            f'unknown function "{token.text}"' + (f", {near}" if near else ""), token.position
        )
    mistake = function.arity_mistake(len(arguments))
    if mistake:
        raise ExpressionError(f"{token.text}: {mistake}", token.position)

    def run(scope: Scope) -> Value:
        values = [node(scope) for node in arguments]
        with _at(token.position):
            return function(values)

    if function.name == "if":
        return _choose(*arguments)
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
