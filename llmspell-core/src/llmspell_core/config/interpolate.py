"""`${NAME}`, `${NAME:-default}` and `${secret:NAME}` in the strings of a configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_REFERENCE = re.compile(
    r"\$\$\{|\$\{(?:(?P<secret>secret:(?P<key>[A-Za-z0-9_.-]+))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<fallback>:-[^}]*)?)\}"
)


class UnsetError(Exception):
    """A variable or secret without a value and without a default."""


def has_reference(value: Any) -> bool:
    """Whether a string, or one inside a list or table, refers to a variable or a secret."""
    if isinstance(value, str):
        return any(True for _ in _found(value))
    if isinstance(value, (list, tuple)):
        return any(has_reference(one) for one in value)
    return isinstance(value, dict) and any(has_reference(one) for one in value.values())


def names_in(value: str) -> list[str]:
    """The references of a string as they are written between the braces, without defaults."""
    return [match["secret"] or match["name"] for match in _found(value)]


def _found(value: str) -> Iterator[re.Match[str]]:
    found = _REFERENCE.finditer(value, 0, _last(value))
    return (match for match in found if match[0] != "$${")


def _last(value: str) -> int:
    """Where the last reference may end: what begins behind it would be looked at in vain."""
    return value.rfind("}") + 1


def interpolate(value: Any, env: Mapping[str, str], secret: Callable[[str], str | None]) -> Any:
    """A value with its references replaced, `$${` being a plain `${`; raises `UnsetError`."""
    if isinstance(value, list):
        return [interpolate(one, env, secret) for one in value]
    if isinstance(value, dict):
        return {name: interpolate(one, env, secret) for name, one in value.items()}
    if not isinstance(value, str) or "${" not in value:
        return value

    def replaced(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        if match["secret"]:
            found = secret(match["key"])
            if found is None:
                raise UnsetError(f'the secret "{match["key"]}" is not set')
            return found
        found = env.get(match["name"])
        if match["fallback"] is not None:
            return found or match["fallback"][2:]
        if found is None:
            raise UnsetError(f"the variable {match['name']} is not set")
        return found

    end = _last(value)
    return _REFERENCE.sub(replaced, value[:end]) + value[end:].replace("$${", "${")
