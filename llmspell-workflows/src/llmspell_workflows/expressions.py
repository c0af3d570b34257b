"""Expressions of templates and conditions: which names they read, and what they come to.

`steps.search.output.title`, `step:search:output.title`, `input.items[0]`, `shared.key`, `name`
are references. They are resolved here, data fields first and no attribute of any object, so the
common case needs no template engine; where there are operators or filters around them, the one
sandboxed engine in core gets the values under plain names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from llmspell_core.errors import ValidationError, WorkflowError
from llmspell_core.templating import MAX_EXPRESSION, UNDEFINED

#: Spellings of the prefixes, and the root each stands for.
ROOTS = {
    "input": "input",
    "step": "steps",
    "steps": "steps",
    "shared": "shared",
    "shared_data": "shared",
    "env": "env",
}
_KEYWORDS = frozenset({"and", "or", "not", "in", "is", "if", "else"}) | frozenset(
    {"true", "false", "none", "True", "False", "None"}
)
_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"""|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<other>.)""",
    re.DOTALL,
)
_SEGMENT = re.compile(r"[.:](\w+)(?!\w)(?!\s*\()")
_PLAIN_SEGMENT = re.compile(r"\.(\w+)(?!\w)(?!\s*\()")
_INDEX = re.compile(r"""\[\s*(?:(-?\d+)|"((?:[^"\\])*)"|'((?:[^'\\])*)')\s*\]""")
_UNKNOWN_STEP = re.compile(r"\w+(?:-\w+)+(?=[.:])|\w+")
_GUARD = re.compile(r"\s*\|\s*(?:default|d)\b|\s+is\s+(?:not\s+)?(?:defined|undefined)\b|\s+or\b")


class Missing(Enum):
    """Why a reference has no value."""

    #: Nothing of this name: the text stays as it was written.
    UNKNOWN = "unknown"
    #: A step that was skipped or failed: undefined.
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that an expression reads: `root` is a prefix's, or "name" for a bare one."""

    root: str
    path: tuple[str | int, ...]
    text: str
    #: Whether the expression says itself what to do without a value.
    guarded: bool = False


Resolve = Callable[[Reference], Any]


class Expression:
    """One expression, compiled when it is first needed. `source` is the text as written."""

    __slots__ = ("_code", "_compiled", "_simple", "references", "source")

    def __init__(self, text: str, step_names: Iterable[str] = (), source: str = "") -> None:
        self.source = source or text
        # What is too long is refused when it is compiled, and not looked at before.
        scanner = _Scanner(text.strip(), step_names)
        self._code = scanner.scan() if len(text) <= MAX_EXPRESSION else text
        self.references = tuple(scanner.references)
        self._simple = self._code == "ref_0"
        self._compiled: Callable[[dict[str, Any]], Any] | None = None

    def compile(self) -> None:
        """Find syntax errors now; raises `workflow.template`."""
        if self._simple or self._compiled is not None:
            return
        from llmspell_core.templating import compile_expression

        try:
            self._compiled = compile_expression(self._code)
        except ValidationError as error:
            raise self._error(error) from None

    def evaluate(self, resolve: Resolve) -> Any:
        """Its value, or why there is none (`Missing`); raises `workflow.template`."""
        if self._simple:
            return resolve(self.references[0])
        values: dict[str, Any] = {}
        undefined = Missing.UNKNOWN
        for index, reference in enumerate(self.references):
            value = resolve(reference)
            if not isinstance(value, Missing):
                values[f"ref_{index}"] = value
            elif reference.guarded:
                undefined = value
            else:
                return value
        value = self._run(values)
        return undefined if value is UNDEFINED else value

    def _run(self, values: dict[str, Any]) -> Any:
        self.compile()
        compiled = cast("Callable[[dict[str, Any]], Any]", self._compiled)
        try:
            return compiled(values)
        except ValidationError as error:
            raise self._error(error) from None

    def _error(self, error: ValidationError) -> WorkflowError:
        message = error.message
        for index, reference in reversed([*enumerate(self.references)]):
            message = message.replace(f"ref_{index}", reference.text)
        return WorkflowError(message, code="workflow.template", hint=error.hint)

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"


class _Scanner:
    """Replaces each reference by a plain name; the rest of the expression stays."""

    def __init__(self, text: str, step_names: Iterable[str]) -> None:
        self.text = text
        # The longest first: `a-b` is a step's name where there is one, else a subtraction.
        self.names = sorted(step_names, key=len, reverse=True)
        self.references: list[Reference] = []
        self._before = ""

    def scan(self) -> str:
        made: list[str] = []
        at = 0
        while match := _TOKEN.match(self.text, at):
            if match.lastgroup == "name" and self._is_reference(match):
                end = self._reference(match)
                made.append(f"ref_{len(self.references) - 1}")
                self._before = "name"
                at = end
                continue
            found = match[0]
            if match.lastgroup != "space" and not (found == "not" and self._before == "is"):
                self._before = found
            made.append(found)
            at = match.end()
        return "".join(made)

    def _is_reference(self, match: re.Match[str]) -> bool:
        if match[0] in _KEYWORDS or self._before in (".", "|", "is"):
            return False
        rest = self.text[match.end() :].lstrip()
        # A function of the engine (`range(3)`) or a keyword argument (`default(x, boolean=true)`).
        return not rest.startswith("(") and not re.match(r"=(?!=)", rest)

    def _reference(self, match: re.Match[str]) -> int:
        start, name = match.start(), match[0]
        root, path, at = self._head(start, name, match.end())
        segment = _PLAIN_SEGMENT if root == "name" else _SEGMENT
        while found := segment.match(self.text, at) or _INDEX.match(self.text, at):
            path.append(_part(found))
            at = found.end()
        written = self.text[start:at]
        guarded = _GUARD.match(self.text, at) is not None or " if " in self.text
        self.references.append(Reference(root, tuple(path), written, guarded))
        return at

    def _head(self, start: int, name: str, end: int) -> tuple[str, list[str | int], int]:
        root = ROOTS.get(name)
        if root is None:
            step = self._step_at(start)
            return ("name", [step], start + len(step)) if step else ("name", [name], end)
        if root != "steps" or self.text[end : end + 1] not in (".", ":"):
            return root, [], end
        step = self._step_at(end + 1)
        if step is None:
            found = _UNKNOWN_STEP.match(self.text, end + 1)
            step = found[0] if found else ""
        return root, [step] if step else [], end + 1 + len(step)

    def _step_at(self, at: int) -> str | None:
        for name in self.names:
            end = at + len(name)
            if self.text.startswith(name, at) and not re.match(r"\w", self.text[end : end + 1]):
                return name
        return None


def _part(found: re.Match[str]) -> str | int:
    if found.re is _INDEX:
        if found[1] is not None:
            return int(found[1])
        return found[2] if found[2] is not None else found[3]
    return int(found[1]) if found[1].isdigit() else found[1]
