"""Channel text from a guest as Python values; nothing in it is trusted."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from llmspell_bridge.values import Handles, check_size, protocol_error, too_deep


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError("a number beyond all floats")
    return number


_decoder = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once  # type: ignore[attr-defined]


def parse(text: str) -> Any:
    """JSON text from the guest, markers still in it; anything else is `script.protocol`."""
    try:
        # Our own preludes write nothing around the value: the scanner alone is twice as fast.
        value, end = _scan(text, 0)
        return value if end == len(text) else _decoder.decode(text)
    except StopIteration:
        return _spaced(text)
    except (ValueError, RecursionError) as error:
        raise protocol_error(f"the engine sent no valid JSON: {type(error).__name__}") from None


def _spaced(text: str) -> Any:
    """Text that does not begin with a value: white space, or no JSON."""
    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise protocol_error(f"the engine sent no valid JSON: {type(error).__name__}") from None


def decode(text: str, handles: Handles, *, depth: int = 64, size: int = 0) -> Any:
    """Channel text as Python values: functions as ScriptFunction, handles as their objects.

    Raises `script.protocol`, `limit.value_depth` or `limit.value_size`.
    """
    check_size(text, size)
    plain = parse(text)
    if '"$' in text or text.count("[") + text.count("{") > depth:
        return revive(plain, handles, depth)
    return plain


def decode_args(text: str, handles: Handles, *, depth: int = 64, size: int = 0) -> list[Any]:
    """The arguments of a call: like `decode`, each of them as deep as a value may be."""
    args = decode(text, handles, depth=depth + 1, size=size)
    if not isinstance(args, list):
        raise protocol_error("arguments are a list")
    return args


def revive(value: Any, handles: Handles, depth: int) -> Any:
    """Replace the markers in parsed data."""
    return _Reviver(handles, depth).value(value, depth)


class _Reviver:
    def __init__(self, handles: Handles, depth: int) -> None:
        self._handles = handles
        self._depth = depth

    def value(self, value: Any, left: int) -> Any:
        if isinstance(value, list):
            if left <= 0:
                raise too_deep(self._depth)
            return [self.value(one, left - 1) for one in value]
        if not isinstance(value, dict):
            return value
        if left <= 0:
            raise too_deep(self._depth)
        if len(value) == 1:
            key, inner = next(iter(value.items()))
            if key.startswith("$"):
                return self._marker(key, inner, left)
        return self._fields(value, left)

    def _fields(self, value: dict[str, Any], left: int) -> dict[str, Any]:
        return {key: self.value(one, left - 1) for key, one in value.items()}

    def _marker(self, key: str, inner: Any, left: int) -> Any:
        if key in ("$", "$e") and isinstance(inner, dict):
            return self._fields(inner, left)
        if key == "$f" and type(inner) is int:
            return self._handles.function(inner)
        if key == "$h" and type(inner) in (int, str):
            return self._handles.object(inner)
        if key == "$b" and isinstance(inner, str):
            try:
                return base64.b64decode(inner, validate=True)
            except (binascii.Error, ValueError):
                raise protocol_error("the engine sent bytes that are no base64") from None
        raise protocol_error(f"the engine sent an unknown marker {key[:20]!r}")
