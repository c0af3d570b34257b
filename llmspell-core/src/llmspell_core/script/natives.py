"""Guest methods that every engine answers in its own process: text in, text out, no host.

`native("Utils.slug", '["Hello World"]')` gives ``(True, '"hello-world"')``, or ``(False, error
fields)``; it never raises. Standard library only, imported when used or by `preload`: a worker
imports this, and can open no file once a script runs in it.
"""

from __future__ import annotations

import sys

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


_NEW = sys.version_info >= (3, 12)
#: Algorithm -> its own module: all of OpenSSL would be a third of a worker's start.
_ALGORITHMS = {
    "md5": "_md5",
    "sha1": "_sha1",
    "sha224": "_sha2" if _NEW else "_sha256",
    "sha256": "_sha2" if _NEW else "_sha256",
    "sha384": "_sha2" if _NEW else "_sha512",
    "sha512": "_sha2" if _NEW else "_sha512",
    "sha3_256": "_sha3",
    "sha3_512": "_sha3",
    "blake2b": "_blake2",
}
_hashers: dict[str, Callable[..., Any]] = {}


def preload() -> None:
    """Import all that the natives need: afterwards they open no file."""
    import binascii  # noqa: F401
    import unicodedata  # noqa: F401

    for algorithm in _ALGORITHMS:
        _hasher(algorithm)


def _hasher(algorithm: str) -> Callable[..., Any]:
    found = _hashers.get(algorithm)
    if found is None:
        try:
            module = __import__(_ALGORITHMS[algorithm])
        except ImportError:  # a Python whose only hashes are OpenSSL's
            import hashlib as module
        found = _hashers[algorithm] = getattr(module, algorithm)
    return found


def _hash(text: object, algorithm: object = None) -> str:
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
    digest: str = _hasher(name)(content, usedforsecurity=False).hexdigest()
    return digest


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
