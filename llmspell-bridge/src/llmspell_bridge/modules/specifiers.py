"""What a source text imports: a scanner, not a parser, of ES modules and of Lua.

It skips comments, strings, templates and regular expressions, and is linear in the text whatever
that holds. Where it is wrong, a module is looked for in vain, or the engine later names one that
was not known before the script began.
"""

from __future__ import annotations

import re

MAX_SPECIFIERS = 1000
#: Quotes, braces and keywords looked at: about a second's worth. Imports stand at the top.
MAX_STEPS = 500_000

_SPACE = r"(?:\s|//[^\n]*+|/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*+/)*+"
_STRING = r"""(?:"(?P<double>[^"\\\n]*+)"|'(?P<single>[^'\\\n]*+)')"""
#: Where something begins that is not plain code.
_NEXT = re.compile(r"""//[^\n]*+|/\*|["'`{}/]|(?<![\w$.#])(?:import|export)(?![\w$])""")
_BODY = {
    '"': re.compile(r'(?:[^"\\\n]|\\.)*+"?', re.DOTALL),
    "'": re.compile(r"(?:[^'\\\n]|\\.)*+'?", re.DOTALL),
    "`": re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*+", re.DOTALL),
    "/": re.compile(r"(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*+\])*+/[a-z]*+"),
}
_PLAIN = re.compile(_SPACE + _STRING)
_DYNAMIC = re.compile(rf"{_SPACE}\({_SPACE}{_STRING}{_SPACE}[,)]")
_CLAUSE = re.compile(r"(?:[\w$\s,*{}]|//[^\n]*+|/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*+/)*+")
_FROM = re.compile(rf"(?:^|[\s}}/])from{_SPACE}$")
#: A slash after one of these begins a regular expression.
_BEFORE_REGEX = frozenset("(,=:[!&|?{};+-*%~^<>")
_WORDS_BEFORE_REGEX = frozenset({
    "await", "case", "delete", "do", "else", "in", "instanceof", "new", "of", "return", "throw",
    "typeof", "void", "yield",
})  # fmt: skip
_WORD = re.compile(r"[\w$]+$")
#: The last word of a clause may be the keyword of the next import.
_OVERLAP = 32

_LUA = re.compile(
    r"--\[(=*)\[.*?\]\1\]|--[^\n]*|\brequire\s*\(?\s*(?:\"([\w.-]+)\"|'([\w.-]+)')", re.DOTALL
)


def ecma_imports(text: str) -> list[str]:
    """The specifiers of `import`, `export ... from` and `import("...")`, each once, in order."""
    if "import" not in text and "export" not in text:
        return []
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.found


def lua_requires(text: str) -> list[str]:
    """The names in `require "..."`, each once, in order."""
    names = (match[2] or match[3] for match in _LUA.finditer(text))
    return [*dict.fromkeys(name for name in names if name)]


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        #: What each open brace belongs to: a template, or code.
        self._braces: list[bool] = []
        self._found: dict[str, None] = {}

    @property
    def found(self) -> list[str]:
        return [*self._found]

    def scan(self) -> None:
        at = 0
        for _ in range(MAX_STEPS):
            match = _NEXT.search(self._text, at)
            if match is None or len(self._found) >= MAX_SPECIFIERS:
                return
            at = self._skip(match[0], match.start(), match.end())
            if at < 0:
                return

    def _skip(self, what: str, start: int, end: int) -> int:
        """Where to go on after what was met; -1 at the end of what can be read."""
        if what.startswith("//"):
            return end
        if what == "/*":
            close = self._text.find("*/", end)
            return close + 2 if close >= 0 else -1
        if what in ("import", "export"):
            return self._imported(what, end)
        if what == "/":
            return self._slash(start, end)
        if what in "{}":
            return self._brace(what, end)
        return self._template(end) if what == "`" else _end_of(what, self._text, end)

    def _brace(self, what: str, end: int) -> int:
        if what == "{":
            self._braces.append(False)
            return end
        if self._braces and self._braces.pop():
            return self._template(end)
        return end

    def _template(self, at: int) -> int:
        """On from inside a template: to its end, or into its next `${`."""
        at = _end_of("`", self._text, at)
        if self._text.startswith("${", at):
            self._braces.append(True)
            return at + 2
        return at + 1

    def _slash(self, start: int, end: int) -> int:
        """A regular expression is skipped; after a value a slash divides."""
        before = self._text[max(0, start - 64) : start].rstrip()
        word = _WORD.search(before)
        if word is not None:
            begins = word[0] in _WORDS_BEFORE_REGEX
        else:
            begins = not before or before[-1] in _BEFORE_REGEX
        match = _BODY["/"].match(self._text, end) if begins else None
        return match.end() if match else end

    def _imported(self, keyword: str, end: int) -> int:
        match = keyword == "import" and (
            _PLAIN.match(self._text, end) or _DYNAMIC.match(self._text, end)
        )
        if match:
            return self._add(match)
        clause = _CLAUSE.match(self._text, end)
        after = clause.end() if clause else end
        quoted = _PLAIN.match(self._text, after)
        if quoted and _FROM.search(self._text, max(end, after - 512), after):
            return self._add(quoted)
        return max(end, after - _OVERLAP)

    def _add(self, match: re.Match[str]) -> int:
        name = match["double"] if match["double"] is not None else match["single"]
        self._found[name] = None
        return match.end()


def _end_of(quote: str, text: str, at: int) -> int:
    match = _BODY[quote].match(text, at)
    return match.end() if match else at
