"""Which libraries of a distribution's extra are not installed, from metadata: imports none."""

from __future__ import annotations

import functools
import operator
import os
import re
import sys
from typing import Any

_SIGNS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_VALUES = {"sys_platform": sys.platform, "os_name": os.name}
_TERM = re.compile(r"(\w+)\s*(==|!=|<=|>=|<|>)\s*['\"]([^'\"]*)['\"]")


@functools.cache
def missing(distribution: str, extra: str) -> tuple[str, ...]:
    """The distributions that an extra asks for here and that are not installed.

    Empty as well where the distribution has no such extra, or is not installed itself.

    Args:
        distribution: such as `llmspell-tools`
        extra: such as `data`
    """
    from importlib_metadata import PackageNotFoundError, requires, version

    try:
        wanted = requires(distribution) or []
    except PackageNotFoundError:
        return ()
    found = []
    for text in wanted:
        head, _, marker = text.partition(";")
        if not _is_of(marker, extra):
            continue
        name = re.split(r"[\s\[(<>=!~]", head.strip(), maxsplit=1)[0]
        try:
            version(name)
        except PackageNotFoundError:
            found.append(name)
    return tuple(found)


def _is_of(marker: str, extra: str) -> bool:
    """Whether a requirement belongs to the extra, and is wanted on this machine."""
    terms = _TERM.findall(marker)
    if ("extra", "==", extra) not in terms:
        return False
    return all(_holds(*term) for term in terms if term[0] != "extra")


def _holds(name: str, sign: str, value: str) -> bool:
    """Whether one term of a marker holds; what is not understood does."""
    if name == "python_version":
        return _compare(sys.version_info[:2], sign, tuple(map(int, value.split(".")[:2])))
    if name in _VALUES:
        return _compare(_VALUES[name], sign, value)
    return True


def _compare(mine: Any, sign: str, theirs: Any) -> bool:
    return bool(_SIGNS[sign](mine, theirs))
