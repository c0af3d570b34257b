"""Reading JavaScript just far enough: where brackets close, and what the top level declares."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_OPEN, _CLOSE = "([{", ")]}"
#: A slash after one of these begins a regular expression, else it divides.
_BEFORE_REGEX = "(,=:[!&|?{};+-*%<>~^"
_WORDS_BEFORE_REGEX = frozenset(
    {
        "return",
        "typeof",
        "case",
        "in",
        "of",
        "delete",
        "void",
        "throw",
        "new",
        "do",
        "else",
        "await",
    }
)


class Scanner:
    """Cuts a source into words and marks; strings, comments and the like are left out.

    After `pieces` is used up, `depth` is the number of brackets that are open, and `unfinished`
    whether a template, a comment or the like has no end.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._last = ""
        self._braces: list[bool] = []
        self.depth = 0
        self.unfinished = False

    def pieces(self) -> Iterator[tuple[int, str, int, str]]:
        """Position, word or mark, depth, and what stands before it on its line."""
        source, at, line = self._source, 0, 0
        while at < len(source):
            char = source[at]
            if char == "\n":
                line = at + 1
            if char.isspace():
                at += 1
                continue
            if (end := self._hidden(at)) is not None:
                at = end
                continue
            end = self._word(at)
            piece = source[at:end]
            before = self._last if source[line:at].strip() else ""
            self._last = piece
            if piece in _OPEN:
                yield at, piece, self.depth, before
                self.depth += 1
                self._braces.append(False)
            else:
                if piece in _CLOSE and self.depth:
                    self.depth -= 1
                    if self._braces.pop() and piece == "}":
                        end = self._template(end)
                yield at, piece, self.depth, before
            at = end

    def _word(self, at: int) -> int:
        source, end = self._source, at
        while end < len(source) and (source[end].isalnum() or source[end] in "_$"):
            end += 1
        return end if end > at else at + 1

    def _hidden(self, at: int) -> int | None:
        """Where a comment, string, template or regular expression that begins here ends."""
        source = self._source
        two = source[at : at + 2]
        if two == "//" or (at == 0 and two == "#!"):
            end = source.find("\n", at)
            return len(source) if end < 0 else end
        if two == "/*":
            return self._until("*/", at + 2)
        char = source[at]
        if char in "'\"":
            return self._literal(at, char)
        if char == "`":
            return self._template(at + 1)
        if char == "/" and self._regex_here():
            return self._literal(at, "/")
        return None

    def _regex_here(self) -> bool:
        last = self._last
        return last == "" or last in _BEFORE_REGEX or last in _WORDS_BEFORE_REGEX

    def _until(self, mark: str, at: int) -> int:
        end = self._source.find(mark, at)
        if end < 0:
            self.unfinished = True
            return len(self._source)
        return end + len(mark)

    def _literal(self, at: int, quote: str) -> int:
        """The end of a string or regular expression: on its own line."""
        source, in_class = self._source, False
        self._last = '""'
        at += 1
        while at < len(source) and source[at] != "\n":
            char = source[at]
            if char == "\\":
                at += 1
            elif quote == "/" and char in "[]":
                in_class = char == "["
            elif char == quote and not in_class:
                return at + 1
            at += 1
        return min(at, len(source))

    def _template(self, at: int) -> int:
        """The end of a template's text: at its backquote, or where an expression begins."""
        source = self._source
        self._last = '""'
        while at < len(source):
            if source[at] == "\\":
                at += 1
            elif source[at] == "`":
                return at + 1
            elif source.startswith("${", at):
                self.depth += 1
                self._braces.append(True)
                self._last = "{"
                return at + 2
            at += 1
        self.unfinished = True
        return len(source)


def complete(source: str) -> bool:
    """Whether a REPL should run this text now rather than ask for more lines."""
    scanner = Scanner(source)
    for _ in scanner.pieces():
        pass
    return scanner.depth == 0 and not scanner.unfinished


def redeclarable(source: str) -> str:
    """The source with its top-level declarations made so that another input may repeat them.

    `let` and `const` become `var`, `class A` becomes `var A = class A`.
    """
    out, done = [], 0
    pieces = Scanner(source).pieces()
    for at, piece, depth, before in pieces:
        if depth or before not in ("", ";", "}") or piece not in ("let", "const", "class"):
            continue
        if piece == "class":
            name = next(pieces, (0, "", 0, ""))[1]
            if not name.isidentifier():
                continue
            out.append(f"{source[done:at]}var {name} = class")
        else:
            out.append(f"{source[done:at]}var")
        done = at + len(piece)
    return "".join(out) + source[done:]
