"""The operations of `text-manipulator`: one function each, from its parameters to a value."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LimitError
from llmspell_tools._parameters import MAX_SIZE, needed, wrong
from llmspell_tools._regex import Pattern, literal
from llmspell_tools.util import _cases

if TYPE_CHECKING:
    from llmspell_tools.util.text_manipulator import TextParameters

TOOL = "text-manipulator"
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}\s]*)\}")
_MOST_MATCHES = 10_000


def replace(text: str, params: TextParameters) -> str:
    """All occurrences of one text by another."""
    old = params.from_ if params.from_ is not None else params.pattern
    new = params.to if params.to is not None else params.replacement
    needed(TOOL, "replace", **{"from": old, "to": new})
    if not old:
        raise wrong(TOOL, "from", "must not be empty")
    if not params.case_sensitive:
        pattern = Pattern(TOOL, "from", literal(old), case_sensitive=False)
        return pattern.substitute(
            text, (new or "").replace("\\", "\\\\").replace("$", "$$"), MAX_SIZE
        )
    if text.count(old) * len(new or "") > MAX_SIZE:
        raise LimitError(f"{TOOL}: the result is too large", code="limit.value")
    return text.replace(old, new or "")


def regex_replace(text: str, params: TextParameters) -> str:
    """Each match of a regular expression by a text with $1, $2, ..."""
    pattern = params.pattern if params.pattern is not None else params.from_
    new = params.replacement if params.replacement is not None else params.to
    needed(TOOL, "regex_replace", pattern=pattern, replacement=new)
    compiled = Pattern(TOOL, "pattern", pattern or "", case_sensitive=params.case_sensitive)
    return compiled.substitute(text, new or "", MAX_SIZE)


def extract(text: str, params: TextParameters) -> list[str]:
    """Every match of a regular expression: its first group, else the whole match."""
    needed(TOOL, "extract", pattern=params.pattern)
    compiled = Pattern(TOOL, "pattern", params.pattern or "", case_sensitive=params.case_sensitive)
    group = params.group if params.group is not None else min(compiled.groups, 1)
    if group > compiled.groups:
        raise wrong(TOOL, "group", f"must be at most {compiled.groups}, the groups of the pattern")
    found: list[str] = []
    for match in compiled.matches(text):
        found.append(match.group(group) or "")
        if len(found) == _MOST_MATCHES:
            break
    return found


def substring(text: str, params: TextParameters) -> str:
    """From `start` (from 0, negative from the end) to before `end`, or `length` characters."""
    start = params.start if params.start >= 0 else max(0, len(text) + params.start)
    end = params.end
    if end is None and params.length is not None:
        end = start + params.length
    return text[start:end]


def split(text: str, params: TextParameters) -> list[str]:
    """The parts between the delimiters, or between white space."""
    if params.delimiter is None:
        return text.split()
    if not params.delimiter:
        return _cases.characters(text)
    return text.split(params.delimiter)


def join(given: str | list[str], params: TextParameters) -> str:
    """A list, or the lines of a text, as one text."""
    parts = given.splitlines() if isinstance(given, str) else given
    return (" " if params.delimiter is None else params.delimiter).join(parts)


def count(text: str, params: TextParameters) -> int:
    """How many words, characters, lines ... there are."""
    needle = params.pattern if params.pattern is not None else params.from_
    if params.count_type == "occurrences":
        needed(TOOL, "count", pattern=needle)
        return text.count(needle) if needle else 0
    return COUNTERS[params.count_type](text)


COUNTERS: dict[str, Callable[[str], int]] = {
    "words": lambda text: len(text.split()),
    "chars": lambda text: len(_cases.characters(text)),
    "lines": lambda text: len(text.splitlines()),
    "bytes": lambda text: len(text.encode("utf-8", "surrogatepass")),
    "sentences": lambda text: len(re.findall(r"[^.!?。！？]*\w[^.!?。！？]*", text)),  # noqa: RUF001
    "paragraphs": lambda text: len([part for part in re.split(r"\n\s*\n", text) if part.strip()]),
}


def truncate(text: str, params: TextParameters) -> str:
    """At most `length` characters, the suffix included."""
    length = 100 if params.length is None else params.length
    seen = _cases.characters(text)
    if len(seen) <= length:
        return text
    keep = length - len(params.suffix)
    return "".join(seen[:keep]).rstrip() + params.suffix if keep > 0 else "".join(seen[:length])


def indent(text: str, params: TextParameters) -> str:
    """Each line that is not blank moved to the right."""
    prefix = " " * params.spaces if params.prefix is None else params.prefix
    if len(prefix) * (text.count("\n") + 1) > MAX_SIZE:
        raise LimitError(f"{TOOL}: the result is too large", code="limit.value")
    return textwrap.indent(text, prefix)


def word_wrap(text: str, params: TextParameters) -> str:
    """Lines of at most `width` characters; the text's own line breaks stay."""
    wrapper = textwrap.TextWrapper(params.width, replace_whitespace=False)
    return "\n".join(wrapper.fill(line) for line in text.split("\n"))


def format_text(text: str, params: TextParameters) -> str:
    """The text with {name} and {1} replaced by values; a name without a value stays."""
    values = params.values
    by_name = values if isinstance(values, dict) else {str(i): v for i, v in enumerate(values, 1)}

    def put(found: re.Match[str]) -> str:
        if found[1] is None:
            # Without values the text is no template: its braces mean nothing.
            return found[0][0] if by_name else found[0]
        return shown(by_name[found[1]]) if found[1] in by_name else found[0]

    return _PLACEHOLDER.sub(put, text)


def shown(value: Any) -> str:
    """A value inside a text."""
    from llmspell_core.tool import as_text

    return as_text(value)


#: Operations of the text alone.
PLAIN: dict[str, Callable[[str], str]] = {
    "uppercase": str.upper,
    "lowercase": str.lower,
    "capitalize": lambda text: text[:1].upper() + text[1:],
    "title": _cases.title,
    "trim": str.strip,
    "reverse": lambda text: "".join(reversed(_cases.characters(text))),
    "dedent": textwrap.dedent,
    "normalize_whitespace": lambda text: " ".join(text.split()),
    "snake_case": _cases.snake,
    "camel_case": _cases.camel,
    "pascal_case": _cases.pascal,
    "kebab_case": _cases.kebab,
    "sanitize": _cases.sanitize,
}

#: Operations with options.
WITH_OPTIONS: dict[str, Callable[[str, TextParameters], Any]] = {
    "replace": replace,
    "regex_replace": regex_replace,
    "extract": extract,
    "substring": substring,
    "split": split,
    "count": count,
    "word_count": lambda text, params: COUNTERS["words"](text),
    "truncate": truncate,
    "indent": indent,
    "word_wrap": word_wrap,
    "slugify": lambda text, params: _cases.slug(text, params.delimiter or "-"),
    "format": format_text,
}
