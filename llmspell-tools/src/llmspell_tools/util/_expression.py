"""Arithmetic expressions: a Pratt parser and an evaluator, exact on integers, bounded, no eval.

    parse("2 + x^2").evaluate({"x": 3})  ->  11

Precedence from loose to tight: ``c ? a : b``, ``or ||``, ``and &&``, ``not``, comparisons (which
chain, as in ``0 < x < 1``), ``+ -``, ``* / // %``, unary ``- + !``, ``^ **`` (right-associative).
Chains of one level are kept flat, so that a long sum needs no deep recursion. A `Dialect` says
which values, operators and functions there are; the plain one knows numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from llmspell_tools.util._arithmetic import MathError, Value, number
from llmspell_tools.util._expression_nodes import (
    ARITHMETIC,
    COMPARISONS,
    Dialect,
    Node,
    Scope,
    Token,
    apply_not,
    binary,
    call,
    chain,
    choose,
    constant,
    list_node,
    pick_node,
    sign,
    unquoted,
    variable,
)
from llmspell_tools.util._expression_nodes import (
    ExpressionError as ExpressionError,  # noqa: PLC0414 - callers of `parse` catch it
)

MAX_LENGTH = 10_000
MAX_DEPTH = 60

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9a-fA-F]+|0[bB][01]+|(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d]\w*|`[^`]+`)"
    r"|(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<op>\*\*|//|<=|>=|==|!=|~=|<>|&&|\|\||[-+*/%^<>!?:(),\[\]×÷−≤≥≠=.])"  # noqa: RUF001
    r"|(?P<end>$)|(?P<bad>.))",
    re.DOTALL,
)
_SAME = {
    "**": "^", "~=": "!=", "<>": "!=", "&&": "and", "||": "or",
    "×": "*", "÷": "/", "−": "-", "≤": "<=", "≥": ">=", "≠": "!=",  # noqa: RUF001
}  # fmt: skip
#: What only a dialect with texts and paths knows.
_MORE_OPS = frozenset(("=", "."))
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset(("or",)),
    frozenset(("and",)),
    COMPARISONS,
    frozenset(("+", "-")),
    frozenset(("*", "/", "//", "%")),
)
_NOT_LEVEL = 2
_WORDS = {False: ("and", "or", "not"), True: ("and", "or", "not", "in")}


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression; `variables` are the names it needs."""

    node: Node
    variables: tuple[str, ...]

    def evaluate(self, scope: Scope) -> Any:
        """Its value: integers stay exact. Raises `MathError`."""
        return self.node(scope)


def parse(text: str, dialect: Dialect = ARITHMETIC) -> Expression:
    """Parse an expression, or raise `ExpressionError` saying where it is wrong."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression is longer than {MAX_LENGTH} characters", MAX_LENGTH)
    parser = _Parser(_tokens(text, dialect), dialect)
    node = parser.ternary()
    parser.expect_end()
    return Expression(node, tuple(parser.variables))


def _tokens(text: str, dialect: Dialect) -> list[Token]:
    found: list[Token] = []
    place = 0
    while True:
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise ExpressionError("cannot read the expression", place + 1)
        kind = match.lastgroup
        word = match[kind]
        position = match.start(kind) + 1
        if kind == "bad" or (not dialect.paths and _is_more(kind, word)):
            raise ExpressionError(f'unexpected "{word[0]}"', position)
        if kind == "name" and word.lower() in _WORDS[dialect.paths]:
            kind, word = "op", word.lower()
        found.append(Token(kind, _SAME.get(word, word), position))
        if kind == "end":
            return found
        place = match.end()


def _is_more(kind: str, word: str) -> bool:
    """Whether this is nothing that arithmetic knows."""
    is_name = kind == "name" and word.startswith("`")
    return kind == "text" or is_name or (kind == "op" and word in _MORE_OPS)


class _Parser:
    def __init__(self, tokens: list[Token], dialect: Dialect) -> None:
        self.tokens = tokens
        self.dialect = dialect
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
            node: Node = choose(self.dialect, condition, yes, no)
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
            return apply_not(self.dialect, inner, token.position)
        first = self.level(index + 1)
        rest: list[tuple[Token, Node]] = []
        while token := self.operator(index):
            rest.append((token, self.level(index + 1)))
        return chain(self.dialect, first, rest) if rest else first

    def operator(self, index: int) -> Token | None:
        """The next operator of a level; with paths `in`, `not in` and `=` compare as well."""
        token = self.take(*_LEVELS[index])
        if token or not self.dialect.paths or _LEVELS[index] is not COMPARISONS:
            return token
        if token := self.take("in", "="):
            return replace(token, text="==") if token.text == "=" else token
        following = self.tokens[self.place + 1 : self.place + 2]
        if following and following[0].text == "in" and self.take("not"):
            token = self.take("in")
            return replace(token, text="not in") if token else None
        return None

    def unary(self) -> Node:
        token = self.take("-", "+", "!")
        if token is None:
            return self.power()
        self.enter()
        inner = self.unary()
        self.depth -= 1
        if token.text == "!":
            return apply_not(self.dialect, inner, token.position)
        return sign(self.dialect, token, inner)

    def power(self) -> Node:
        base = self.path() if self.dialect.paths else self.primary()
        token = self.take("^")
        if token is None:
            return base
        self.enter()
        exponent = self.unary()
        self.depth -= 1
        return binary(self.dialect, token, base, exponent)

    def path(self) -> Node:
        """`a`, `a.b`, `a[0]`, `a["b c"]`."""
        node, pick = self.primary(), self.dialect.pick
        while pick is not None and (token := self.take(".", "[")):
            if token.text == "[":
                key = self.ternary()
                self.need("]", "to close the bracket")
            else:
                key = constant(self.field())
            node = pick_node(pick, token, node, key)
        return node

    def field(self) -> str:
        """The name after a dot."""
        token = self.token
        if token.kind != "name":
            raise ExpressionError(
                f"expected a name after the dot, found {self.found()}", self.column()
            )
        self.place += 1
        return token.text.strip("`")

    def primary(self) -> Node:
        token = self.token
        if token.kind == "number":
            self.place += 1
            return constant(_literal(token))
        if token.kind == "text":
            self.place += 1
            return constant(unquoted(token.text))
        if token.kind == "name":
            self.place += 1
            return self.named(token)
        if self.take("("):
            inner = self.ternary()
            self.need(")", "to close the parenthesis")
            return inner
        if self.take("["):
            return list_node(self.arguments("]"))
        raise ExpressionError(f"unexpected {self.found()}", self.column())

    def named(self, token: Token) -> Node:
        name = token.text
        if self.take("("):
            arguments = self.arguments(")")
            constants = self.dialect.constants
            if name.lower() in constants and not arguments:
                return constant(constants[name.lower()])
            return call(self.dialect, token, arguments)
        self.variables[name.strip("`")] = None
        return variable(self.dialect, token)

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
