"""Python values to channel text and back; the markers are `llmspell_core.script.protocol`'s.

Values that the host gives out are copies: only handles refer to anything of ours.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, Protocol

from llmspell_core.errors import LLMSpellError
from llmspell_core.script.api import Result, ScriptFunction, ScriptObject

INT64 = 1 << 63
_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False
).encode


class Handles(Protocol):
    """The tables of one session: host objects given out, functions received."""

    def give(self, value: ScriptObject) -> int:
        """The handle of a host object, the same for the same object."""
        ...

    def owned(self, value: ScriptFunction) -> int | None:
        """The guest's own handle of one of its functions, None for another session's."""
        ...

    def function(self, handle: int) -> ScriptFunction:
        """A function of the script by its handle."""
        ...

    def object(self, handle: int | str) -> ScriptObject:
        """A host object that was given out, or one behind ``Global[name]``, by its target.

        An unknown handle is `script.protocol`.
        """
        ...


def not_json(what: str, where: str, hint: str | None = None) -> LLMSpellError:
    """`value.not_json`: a value that cannot cross."""
    place = f" at {where}" if where else ""
    return LLMSpellError(
        f"{what}{place} cannot be given to a script", code="value.not_json", hint=hint
    )


def encode(value: Any, handles: Handles, *, depth: int = 64) -> str:
    """A value as channel text. Raises `value.not_json`, `value.cycle` or `limit.value_depth`."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return _text(value)
    return _text(_Encoder(handles, depth).plain(value, "", depth))


def _text(plain: Any) -> str:
    text = _encode(plain)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # Lone surrogates cannot be UTF-8: escaped they can at least be read as text.
        text = json.dumps(plain, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text


class _Encoder:
    def __init__(self, handles: Handles, depth: int) -> None:
        self._handles = handles
        self._depth = depth
        self._open: set[int] = set()

    def plain(self, value: Any, where: str, left: int) -> Any:
        """The value with every special thing replaced by its marker."""
        kind = type(value)
        if kind is str or value is None or kind is bool:
            return value
        if kind is int:
            return self._integer(value, where)
        if kind is float:
            return self._float(value, where)
        if left <= 0:
            raise LLMSpellError(
                f"the value is nested deeper than {self._depth}{' at ' + where if where else ''}",
                code="limit.value_depth",
            )
        if kind is dict or kind is list or kind is tuple:
            return self._container(value, where, left)
        return self._special(value, where, left)

    def _container(self, value: Any, where: str, left: int) -> Any:
        mark = id(value)
        if mark in self._open:
            raise LLMSpellError(
                f"the value contains itself at {where or 'its top'}", code="value.cycle"
            )
        self._open.add(mark)
        try:
            if isinstance(value, Mapping):
                return self._object(value, where, left)
            return [self.plain(v, f"{where}[{i}]", left - 1) for i, v in enumerate(value)]
        finally:
            self._open.discard(mark)

    def _object(self, value: Mapping[Any, Any], where: str, left: int) -> Any:
        found: dict[str, Any] = {}
        for key, one in value.items():
            name = key if isinstance(key, str) else self._key(key, where)
            found[name] = self.plain(one, f"{where}.{name}" if where else name, left - 1)
        if len(found) == 1 and next(iter(found)).startswith("$"):
            return {"$": found}
        return found

    @staticmethod
    def _key(key: Any, where: str) -> str:
        if isinstance(key, Enum):
            return str(key.value)
        if isinstance(key, (int, float)) and not isinstance(key, bool):
            return str(key)
        raise not_json(f"a key of type {type(key).__name__}", where)

    @staticmethod
    def _integer(value: int, where: str) -> int:
        if -INT64 <= value < INT64:
            return value
        raise not_json("an integer beyond 64 bits", where, "pass it as a string")

    @staticmethod
    def _float(value: float, where: str) -> float:
        if value - value == 0:
            return value
        raise not_json(f"the number {value}", where)

    def _special(self, value: Any, where: str, left: int) -> Any:  # noqa: C901, PLR0911, PLR0912
        if isinstance(value, Result):
            return self._result(value, where, left)
        if isinstance(value, ScriptObject):
            fields = {"type": value.type_name, **value.script_fields()}
            data = {k: self.plain(v, f"{where}.{k}", left - 1) for k, v in fields.items()}
            return {"$h": [self._handles.give(value), value.type_name, data]}
        if hasattr(value, "to_script"):
            return self.plain(value.to_script(), where, left)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return {"$b": base64.b64encode(bytes(value)).decode("ascii")}
        if isinstance(value, (datetime, date)):
            return value.isoformat()
        if isinstance(value, Enum):
            return self.plain(value.value, where, left)
        if isinstance(value, PurePath):
            return str(value)
        if isinstance(value, LLMSpellError):
            return {"$e": self._object(value.to_dict(), where, left)}
        if isinstance(value, str):
            return str(value)
        if isinstance(value, bool):
            return bool(value)
        if isinstance(value, int):
            return self._integer(int(value), where)
        if isinstance(value, float):
            return self._float(float(value), where)
        if isinstance(value, (Mapping, list, tuple)):
            return self._container(value, where, left)
        if (handle := self._handles.owned(value) if callable(value) else None) is not None:
            return {"$f": handle}
        if hasattr(value, "model_dump"):
            return self.plain(value.model_dump(), where, left)
        raise not_json(f"a value of type {type(value).__name__}", where)

    def _result(self, value: Result, where: str, left: int) -> Any:
        found = {}
        for key, one in value.data.items():
            at = f"{where}.{key}" if where else str(key)
            plain = self.plain(one, at, left - 1)
            # The documented field `error` is the same object that would have been thrown.
            if key == "error" and isinstance(plain, dict) and "message" in plain:
                plain = {"$e": plain}
            found[str(key)] = plain
        return {"$r": [found, value.via] if value.via else [found]}


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def parse(text: str | bytes) -> Any:
    """JSON text from the guest, markers still in it; anything else is `script.protocol`."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise protocol_error(f"the engine sent no valid JSON: {type(error).__name__}") from None


def protocol_error(message: str) -> LLMSpellError:
    """`script.protocol`: the guest broke the protocol; its session ends."""
    return LLMSpellError(message, code="script.protocol")


def decode(text: str, handles: Handles) -> Any:
    """Channel text as Python values: functions as ScriptFunction, handles as their objects."""
    plain = parse(text)
    return revive(plain, handles) if '"$' in text else plain


def revive(value: Any, handles: Handles) -> Any:
    """Replace the markers in parsed data."""
    if isinstance(value, list):
        return [revive(one, handles) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        key, inner = next(iter(value.items()))
        if key.startswith("$"):
            return _revive_marker(key, inner, handles)
    return {key: revive(one, handles) for key, one in value.items()}


def _revive_marker(key: str, inner: Any, handles: Handles) -> Any:
    if key == "$" and isinstance(inner, dict):
        return {name: revive(one, handles) for name, one in inner.items()}
    if key == "$f" and isinstance(inner, int):
        return handles.function(inner)
    if key == "$h" and isinstance(inner, (int, str)):
        return handles.object(inner)
    if key == "$e" and isinstance(inner, dict):
        return {name: revive(one, handles) for name, one in inner.items()}
    if key == "$b" and isinstance(inner, str):
        try:
            return base64.b64decode(inner, validate=True)
        except (binascii.Error, ValueError):
            raise protocol_error("the engine sent bytes that are no base64") from None
    raise protocol_error(f"the engine sent an unknown marker {key[:20]!r}")
