"""Guest methods that every engine answers in its own process: text in, text out, no host.

`native("Utils.slug", '["Hello World"]')` gives ``(True, '"hello-world"')``, or ``(False, error
fields)``; it never raises. Standard library only, imported when used: a worker imports this.
"""

from __future__ import annotations

from llmspell_core.script.jsontext import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class _MistakeError(Exception):
    """An argument is wrong; becomes ``input.invalid``."""


def native(name: str, args: str) -> tuple[bool, str]:
    """Call a native by `Global.method` with a JSON array of arguments."""
    function = NATIVES.get(name)
    if function is None:
        return False, _error("internal", f"{name} is not implemented")
    try:
        given: Any = loads(args)
        return True, dumps(function(*given))
    except _MistakeError as mistake:
        return False, _error("input.invalid", f"{name}: {mistake}")
    except TypeError:
        return False, _error("input.invalid", f"{name}: wrong number of arguments")
    except Exception as error:  # noqa: BLE001 - nothing may be raised into an engine
        return False, _error("internal", f"{name}: {type(error).__name__}: {error}")


def _error(code: str, message: str) -> str:
    return dumps({"code": code, "message": message, "retryable": False})


def _text(value: object, what: str = "text") -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise _MistakeError(f"{what} must be a string")


def _uuid() -> str:
    import os

    data = bytearray(os.urandom(16))
    data[6] = data[6] & 0x0F | 0x40
    data[8] = data[8] & 0x3F | 0x80
    text = data.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


_ALGORITHMS = (
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha3_256",
    "sha3_512",
    "blake2b",
)


def _hash(text: object, algorithm: object = None) -> str:
    import hashlib

    name = _text(algorithm or "sha256", "algorithm").lower().replace("-", "_")
    if name.startswith("sha_"):
        name = name.replace("_", "", 1)
    if name not in _ALGORITHMS:
        raise _MistakeError(f"unknown algorithm {algorithm!r}; there are {', '.join(_ALGORITHMS)}")
    data = text["$b"] if isinstance(text, dict) and "$b" in text else None
    if data is not None:
        from binascii import a2b_base64

        content = a2b_base64(data)
    else:
        content = _text(text).encode("utf-8", "surrogatepass")
    return hashlib.new(name, content, usedforsecurity=False).hexdigest()


def _now() -> int:
    import time

    return time.time_ns() // 1_000_000


def _slug(text: object, separator: object = None) -> str:
    import unicodedata

    plain = unicodedata.normalize("NFKD", _text(text)).encode("ascii", "ignore").decode().lower()
    words = "".join(c if c.isalnum() else " " for c in plain).split()
    return _text(separator if separator is not None else "-", "separator").join(words)


def _truncate(text: object, length: object, suffix: object = None) -> str:
    if not isinstance(length, (int, float)) or isinstance(length, bool) or length < 0:
        raise _MistakeError("the length must be a number of 0 or more")
    whole, most = _text(text), int(length)
    if len(whole) <= most:
        return whole
    tail = _text("..." if suffix is None else suffix, "suffix")
    if len(tail) >= most:
        return whole[:most]
    return whole[: most - len(tail)].rstrip() + tail


def _template(text: object, variables: object = None) -> str:
    """`{{name}}` and `{{a.b}}` from a table; a name that is not there stays as it is written."""
    if variables is None:
        variables = {}
    if not isinstance(variables, dict):
        raise _MistakeError("variables must be a table")
    pieces = _text(text).split("{{")
    out = [pieces[0]]
    for piece in pieces[1:]:
        name, closed, rest = piece.partition("}}")
        found = _look_up(variables, name.strip()) if closed else None
        out.append("{{" + piece if found is None else _shown(found) + rest)
    return "".join(out)


def _look_up(variables: dict[str, Any], path: str) -> Any:
    if path in variables:
        return variables[path]
    value: Any = variables
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and 0 < int(part) <= len(value):
            value = value[int(part) - 1]
        else:
            return None
    return value


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return dumps(value)


NATIVES: dict[str, Callable[..., Any]] = {
    "Utils.uuid": _uuid,
    "Utils.hash": _hash,
    "Utils.now": _now,
    "Utils.slug": _slug,
    "Utils.truncate": _truncate,
    "Utils.template": _template,
}
