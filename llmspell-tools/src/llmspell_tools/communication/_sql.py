"""SQL taken apart far enough to say what a statement does, without ever building one from values.

statement = read_statement("SELECT * FROM t WHERE a = :a", "sqlite")
statement.verb, statement.writes, statement.parameters
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Dialect = Literal["sqlite", "postgresql", "mysql"]
#: word: a bare name, in lower case; name: a quoted one as it is; param: a placeholder.
Kind = Literal["word", "name", "string", "param", "other"]

MOST_CHARACTERS = 100_000

_STANDARD = r"'(?:[^']|'')*'"
_BACKSLASHED = r"'(?:[^'\\]|''|\\.)*'"
_WORD = r"[^\W\d][\w$]*"
_NAMES = {
    "sqlite": r'"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]',
    "postgresql": r'"(?:[^"]|"")*"',
    "mysql": r"`(?:[^`]|``)*`",
}
_STRINGS = {
    "sqlite": _STANDARD,
    "postgresql": rf"[eE]{_BACKSLASHED}|[bBxXnN]?{_STANDARD}",
    "mysql": rf'{_BACKSLASHED}|"(?:[^"\\]|""|\\.)*"',
}
_COMMENTS = {
    "sqlite": r"--[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)",
    # Nested ones are found by hand.
    "postgresql": r"--[^\n]*",
    # Two hyphens are two minus signs unless a space follows.
    "mysql": r"--(?=\s|\Z)[^\n]*|\#[^\n]*|/\*(?![!M])(?:[^*]|\*(?!/))*\*/",
}
_DOLLAR = re.compile(r"\$(?:[^\W\d]\w*)?\$")


class SqlError(ValueError):
    """A statement that is none, or that nobody can be sure about."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a statement that counts."""

    kind: Kind
    text: str
    start: int
    end: int


def _pattern(dialect: Dialect) -> re.Pattern[str]:
    return re.compile(
        rf"(?P<space>\s+|{_COMMENTS[dialect]})"
        rf"|(?P<string>{_STRINGS[dialect]})"
        rf"|(?P<name>{_NAMES[dialect]})"
        rf"|(?P<cast>::)|(?P<param>:{_WORD}|\$\d+|\?)"
        rf"|(?P<word>{_WORD})|(?P<number>\d[\w.]*)|(?P<other>.)",
        re.DOTALL,
    )


_PATTERNS: dict[Dialect, re.Pattern[str]] = {
    "sqlite": _pattern("sqlite"),
    "postgresql": _pattern("postgresql"),
    "mysql": _pattern("mysql"),
}


def tokens(sql: str, dialect: Dialect) -> Iterator[Token]:
    """The pieces of a statement, as the database itself would see them.

    Raises:
        SqlError: something has no end, or means different things to different versions.
    """
    at, escaped = 0, False
    while at < len(sql):
        end = _special(sql, at, dialect)
        token = None
        if end is None:
            token, end = _plain_token(sql, at, dialect)
        elif sql[at] == "$":
            token = Token("string", sql[at:end], at, end)
        if token is not None:
            if escaped and token.kind == "string":
                # It goes on with the rules of the first one, which are not known here.
                raise SqlError("a string after a string with E is not allowed: write one string")
            escaped = token.kind == "string" and token.text[0] in "eE"
            yield token
        at = end


def _plain_token(sql: str, at: int, dialect: Dialect) -> tuple[Token | None, int]:
    """(what is at a place, None for space and comments; where it ends)."""
    match = _PATTERNS[dialect].match(sql, at)
    if match is None:
        raise SqlError("it cannot be read")
    kind, text, end = match.lastgroup, match[0], match.end()
    if kind == "space":
        return None, end
    if kind == "word":
        return Token("word", text.lower(), at, end), end
    if kind == "name":
        return Token("name", _unquoted(text), at, end), end
    if kind in ("string", "param"):
        return Token("string" if kind == "string" else "param", text, at, end), end
    _check_other(text)
    return Token("other", text, at, end), end


def _special(sql: str, at: int, dialect: Dialect) -> int | None:
    """The end of what a pattern cannot find: nested comments, strings between dollars."""
    if dialect == "mysql" and re.compile(r"/\*M?!").match(sql, at):
        raise SqlError("comments that some servers run are not allowed")
    if dialect != "postgresql":
        return None
    if sql.startswith("/*", at):
        return _comment_end(sql, at)
    if re.compile(r"[uU]&['\"]").match(sql, at):
        raise SqlError("names and strings with U& are not allowed: write the characters")
    opening = _DOLLAR.match(sql, at)
    if opening is None:
        return None
    end = sql.find(opening[0], opening.end())
    if end < 0:
        raise SqlError("a string has no end")
    return end + len(opening[0])


def _comment_end(sql: str, at: int) -> int:
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(sql, at):
        depth += 1 if match[0] == "/*" else -1
        if not depth:
            return match.end()
    raise SqlError("a comment has no end")


def _unquoted(text: str) -> str:
    closing = text[-1]
    inner = text[1:-1]
    return inner if closing == "]" else inner.replace(closing * 2, closing)


def _check_other(text: str) -> None:
    if text in ("'", '"', "`"):
        raise SqlError("a string has no end")
    if text == "\0":
        raise SqlError("it has a zero byte in it")


@dataclass(slots=True)
class Statement:
    """One statement. `verb` is its first word, `words` are all names and words in lower case."""

    sql: str
    dialect: Dialect
    found: list[Token]
    verb: str = ""
    words: list[str] = field(default_factory=list)
    parameters: list[Token] = field(default_factory=list)

    @property
    def writes(self) -> bool:
        """Whether it is anything but a question. Databases have the last word on that."""
        if self.verb == "explain":
            return bool({"analyze", "analyse"} & set(self.words)) and self._has_writing_verb()
        if self.verb in ("with", "pragma"):
            return self._has_writing_verb() if self.verb == "with" else self._sets()
        return self.verb not in READING

    @property
    def functions(self) -> list[str]:
        """What is called, in lower case: every name with a parenthesis behind it."""
        return [
            token.text.lower()
            for token, after in zip(self.found, self.found[1:], strict=False)
            if token.kind in ("word", "name") and after.text == "("
        ]

    def _has_writing_verb(self) -> bool:
        bare = {token.text for token in self.found if token.kind == "word"}
        verbs = bare & {"insert", "update", "delete", "merge", "replace", "create"}
        # `replace` is a function as well.
        return bool(verbs - set(self.functions))

    def _sets(self) -> bool:
        return any(token.text == "=" for token in self.found)


#: Verbs of questions.
READING = ("select", "values", "table", "with", "show", "explain", "describe", "desc", "pragma")


def read_statement(sql: str, dialect: Dialect) -> Statement:
    """The one statement of a text; one `;` may end it.

    Raises:
        SqlError: there is none, there are several, or it cannot be read.
    """
    if len(sql) > MOST_CHARACTERS:
        raise SqlError(f"it has more than {MOST_CHARACTERS} characters")
    found = list(tokens(sql, dialect))
    while found and found[-1].text == ";" and found[-1].kind == "other":
        sql = sql[: found.pop().start]
    if not found:
        raise SqlError("it is empty")
    if any(token.kind == "other" and token.text == ";" for token in found):
        raise SqlError("only one statement at a time")
    first = next((token for token in found if token.text != "("), found[0])
    return Statement(
        sql,
        dialect,
        found,
        verb=first.text if first.kind == "word" else "",
        words=[token.text.lower() for token in found if token.kind in ("word", "name")],
        parameters=[token for token in found if token.kind == "param"],
    )
