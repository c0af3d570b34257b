"""The one template engine: Jinja2 syntax in a sandbox, bounded in length, steps and results.

    render("Hello {{ name | default('you') }}", {"name": "Ada"})      # text
    compile_expression("input.n > 3 and steps.a.success")({...})      # a value

Templates see the variables they are given and nothing of Python: plain data, the filters and
methods listed in `_template_rules.py`, `range` up to 10,000. Statements (`{% for %}`) count
steps as well, but what is written by others is rendered in a helper process:
`await ctx.compute("llmspell_core.templating:render", template, variables)`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LimitError, LLMSpellError, ValidationError

if TYPE_CHECKING:
    from llmspell_core._template_rules import Sandbox

MAX_TEMPLATE = 256 * 1024
MAX_EXPRESSION = 4096
_MOST_BRACKETS = 100


class TemplateError(ValidationError):
    """A template is wrong (`template.syntax`) or cannot be rendered (`template.failed`)."""

    code = "template.failed"


class _Undefined:
    """What an expression gives whose value is not there: false, and unlike None not data."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED = _Undefined()


def render(template: str, variables: Mapping[str, Any] | None = None, strict: bool = False) -> str:
    """A template as text.

    Args:
        template: Jinja2 source without include, import and inheritance.
        variables: plain data.
        strict: a missing variable is an error; otherwise it is empty.

    Raises:
        TemplateError: `template.syntax`, `template.failed`, `template.undefined`.
        LimitError: `limit.template_steps`, `limit.template_size`.
    """
    if "{" not in template:
        return template
    compiled = _compile(template, strict)
    with _reported(), _sandbox(strict).metered():
        return "".join(compiled.generate(dict(variables or {})))


def check_template(template: str) -> None:
    """Raise `template.syntax` or `limit.*` for what could not be rendered."""
    if "{" in template:
        _compile(template, False)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: call it with variables.

    `names` are the dotted paths it reads (`steps.a.output`), as far as they stand in the text.
    """

    text: str
    names: tuple[str, ...]
    _run: Any

    def __call__(self, variables: Mapping[str, Any]) -> Any:
        """Its value, with its type; `UNDEFINED` when that is not there."""
        import jinja2

        with _reported(self.text), _sandbox(strict=False).metered():
            value = self._run(dict(variables))
        return UNDEFINED if isinstance(value, jinja2.Undefined) else value


@functools.lru_cache(maxsize=2048)
def compile_expression(text: str) -> Expression:
    """Compile an expression, without the braces around it; the same text is compiled once.

    Raises:
        TemplateError: `template.syntax`.
    """
    if len(text) > MAX_EXPRESSION:
        raise LimitError(
            f"the expression is longer than {MAX_EXPRESSION} characters",
            code="limit.template_size",
        )
    _check_nesting(text)
    sandbox = _sandbox(strict=False)
    with _reported(text), sandbox.metered():
        source = text.strip() or "none"
        run = sandbox.compile_expression(source, undefined_to_none=False)
        names = sandbox.names_in("{{ " + source + " }}")
    return Expression(text, names, run)


@dataclass(frozen=True, slots=True)
class Piece:
    """`{{ text }}` of a template; `raw` is how it stands there, braces included."""

    raw: str
    text: str


_PIECE = re.compile(r"\{\{-?\s*((?:[^'\"}]|'[^']*'|\"[^\"]*\"|\}(?!\}))*?)\s*-?\}\}", re.DOTALL)


@functools.lru_cache(maxsize=1024)
def split_template(template: str) -> tuple[str | Piece, ...]:
    """The text and the expressions of a template that has no statements, in order.

    For callers that decide about each expression: what to call it, what stays as written.
    """
    if len(template) > MAX_TEMPLATE:
        raise LimitError(
            f"the template is longer than {MAX_TEMPLATE} characters", code="limit.template_size"
        )
    found: list[str | Piece] = []
    end = 0
    for match in _PIECE.finditer(template):
        if match.start() > end:
            found.append(template[end : match.start()])
        found.append(Piece(match.group(0), match.group(1)))
        end = match.end()
    if end < len(template):
        found.append(template[end:])
    return tuple(found)


def has_statements(template: str) -> bool:
    """Whether it has `{% %}`: then rendering it can take long."""
    return "{%" in template


@functools.lru_cache(maxsize=512)
def _compile(template: str, strict: bool) -> Any:
    if len(template) > MAX_TEMPLATE:
        raise LimitError(
            f"the template is longer than {MAX_TEMPLATE} characters", code="limit.template_size"
        )
    _check_nesting(template)
    sandbox = _sandbox(strict)
    # Constant parts are computed here: counted as well.
    with _reported(), sandbox.metered():
        return sandbox.from_string(template)


@functools.cache
def _sandbox(strict: bool) -> Sandbox:
    from llmspell_core._template_rules import Sandbox

    return Sandbox(strict)


def _check_nesting(text: str) -> None:
    """Deep brackets would overflow the parser's and Python's own stack."""
    depth = deepest = 0
    for char in text:
        if char in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in ")]}":
            depth = max(0, depth - 1)
    unary = re.search(r"(?:\bnot\s+|[-+~]\s*){60}", text)
    chains = re.search(r"(?:\|[^|]*){400}", text) if len(text) < MAX_EXPRESSION else None
    if deepest > _MOST_BRACKETS or unary or chains:
        raise TemplateError("the template nests too deep", code="template.syntax")


class _reported:  # noqa: N801 - reads as what it does: `with _reported():`
    """Turns what Jinja raises into errors of llmspell, naming the line."""

    def __init__(self, text: str = "") -> None:
        self._text = f" in {text!r}" if text else ""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or not isinstance(error, Exception) or isinstance(error, LLMSpellError):
            return
        raise self._error(error) from None

    def _error(self, error: Exception) -> LLMSpellError:
        import jinja2
        from jinja2.exceptions import SecurityError

        if isinstance(error, jinja2.TemplateSyntaxError):
            where = self._text or f", line {error.lineno}"
            text = (error.message or "wrong template").rstrip(".")
            details = {"line": error.lineno}
            return TemplateError(f"{text}{where}", code="template.syntax", details=details)
        if isinstance(error, SecurityError):
            return TemplateError(f"{error}{self._text}", code="template.forbidden")
        if isinstance(error, jinja2.UndefinedError):
            return TemplateError(f"{error}{self._text}", code="template.undefined")
        if isinstance(error, (RecursionError, MemoryError)):
            return LimitError("the template goes too deep", code="limit.template_steps")
        return TemplateError(f"{error}{self._text}", hint="check the types of what it is given")
