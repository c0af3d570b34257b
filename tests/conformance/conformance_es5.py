"""An ES5 script made of a modern one, for cases that say the same in both.

Calls look synchronous in ES5, so `await` and `async` go; `let` and `const` become `var`, and
arrow functions become functions. A case that uses more of the language states its ES5 itself.
Lines stay where they are.
"""

from __future__ import annotations

import re

#: What is not code: strings, comments, regular expressions after something that begins one.
_OPAQUE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'"""
    r"""|(?<=[(,=:])[ ]*/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*""",
    re.DOTALL,
)
_ARROW = re.compile(r"(?P<params>\([^()]*\)|[A-Za-z_$][\w$]*)\s*=>\s*(?P<block>\{)?")
_MARK = "\0{}\0"
_MARKED = re.compile("\0(\\d+)\0")
_OPEN, _CLOSE = "([{", ")]}"


def es5(source: str) -> str:
    """The source with the syntax that ES5 has."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[0])
        return _MARK.format(len(kept) - 1)

    code = _OPAQUE.sub(keep, source)
    code = re.sub(r"\b(?:await|async)\s+|\basync(?=\()", "", code)
    code = re.sub(r"\b(?:const|let)\b", "var", code)
    while arrow := _ARROW.search(code):
        code = _as_function(code, arrow)
    return _MARKED.sub(lambda match: kept[int(match[1])], code)


def _as_function(code: str, arrow: re.Match[str]) -> str:
    params = arrow["params"].strip("()")
    head = f"{code[: arrow.start()]}function ({params}) {{"
    if arrow["block"]:
        return head + code[arrow.end() :]
    end = _end_of_expression(code, arrow.end())
    return f"{head} return {code[arrow.end() : end]}; }}{code[end:]}"


def _end_of_expression(code: str, start: int) -> int:
    """Where the expression that begins here ends."""
    depth = 0
    for index in range(start, len(code)):
        char = code[index]
        if char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            if depth == 0:
                return index
            depth -= 1
        elif depth == 0 and char in ",;\n":
            return index
    return len(code)
