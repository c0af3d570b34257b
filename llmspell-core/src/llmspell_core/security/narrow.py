"""The restrictions of an agent or a call as a profile that is laid inside the one in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError as PydanticError

from llmspell_core.errors import ValidationError, did_you_mean
from llmspell_core.schema import describe, mistakes_text, pydantic_mistakes
from llmspell_core.security.profile import SecurityProfile, merged

_FIELDS = (
    "profile", "tools", "allowed_hosts", "network", "files", "processes", "environment",
    "modules", "limits",
)  # fmt: skip


def narrower(security: Mapping[str, Any]) -> SecurityProfile:
    """A profile that restricts what is given and nothing else.

    Raises:
        ValidationError: an unknown field or a wrong type; the field is named.
    """
    for key in security:
        if key not in _FIELDS:
            raise ValidationError(
                f'security: unknown field "{key}"', hint=did_you_mean(key, [*_FIELDS])
            )
    given = {key: value for key, value in security.items() if value is not None}
    base = SecurityProfile.named(str(given.pop("profile", "none")))
    try:
        return merged(base, _changes(given), name=base.name if base.name != "none" else "narrowed")
    except PydanticError as error:
        raise ValidationError(f"security: {mistakes_text(pydantic_mistakes(error))}") from None


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in given.items():
        if key == "allowed_hosts":
            found["network"] = {"mode": "listed", "allowed_hosts": _names(value, key)}
        elif key == "network":
            found["network"] = _network(value)
        elif key == "files":
            found["files"] = _files(value)
        elif key in ("processes", "environment"):
            allowed = value.get("allowed", ()) if isinstance(value, Mapping) else value
            found[key] = _names(allowed, key)
        elif key == "tools":
            allow = dict(value) if isinstance(value, Mapping) else {"allow": _names(value, key)}
            found["tools"] = allow
        elif key == "modules":
            allow = value.get("allow", ()) if isinstance(value, Mapping) else value
            # The pins are those of the profile that it is laid inside of.
            found["modules"] = {"mode": "listed", "allow": _names(allow, key), "pins": ""}
        else:
            found[key] = value
    return found


def _network(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        made = dict(value)
        made.setdefault("mode", "listed" if "allowed_hosts" in made else "public")
        return made
    if value is False:
        value = "none"
    return {"mode": value} if isinstance(value, str) else {"mode": "listed", "allowed_hosts": value}


def _files(value: Any) -> dict[str, Any]:
    """`{read, write, deny, max_bytes}`, or a list of what may be read and written."""
    if isinstance(value, Mapping):
        made = dict(value)
        if "read" in made or "write" in made:
            made.setdefault("read", ())
            made.setdefault("write", ())
        return made
    if value is False or value == "none":
        return {"read": (), "write": ()}
    return {"read": _names(value, "files"), "write": _names(value, "files")}


def _names(value: Any, key: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if value and not isinstance(value, (list, tuple, set, frozenset)):
        raise ValidationError(f"security: {key} must be a list of names, not {describe(value)}")
    return tuple(str(one) for one in value or ())
