"""Python values as channel text; the markers are `llmspell_core.script.protocol`'s.

Values that the host gives out are copies: only handles refer to anything of ours.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, Protocol

from llmspell_core.errors import LimitError, LLMSpellError
from llmspell_core.script.api import Result, ScriptFunction, ScriptObject

INT64 = 1 << 63
_encoder = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False
)


def _fast_encode() -> Callable[[Any], str]:
    """`JSONEncoder.encode` makes its C encoder anew for every value: here it is made once."""
    make = json.encoder.c_make_encoder  # type: ignore[attr-defined]
    if make is None:
        return _encoder.encode
    quote = json.encoder.encode_basestring
    chunks = make(None, _encoder.default, quote, None, ":", ",", False, False, False)
    return lambda value: "".join(chunks(value, 0))


_encode = _fast_encode()


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

    def drop(self, handles: list[int]) -> None:
        """Take handles back that were given, but did not arrive."""
        ...


def not_json(what: str, where: str, hint: str | None = None) -> LLMSpellError:
    """`value.not_json`: a value that cannot cross."""
    place = f" at {where}" if where else ""
    return LLMSpellError(
        f"{what}{place} cannot be given to a script", code="value.not_json", hint=hint
    )


def protocol_error(message: str) -> LLMSpellError:
    """`script.protocol`: the guest broke the protocol; its session ends."""
    return LLMSpellError(message, code="script.protocol")


def encode(value: Any, handles: Handles, *, depth: int = 64, size: int = 0) -> str:
    """A value as channel text of at most `size` bytes; 0 is no limit.

    Raises `value.not_json`, `value.cycle`, `value.bad_key`, `limit.value_depth` or
    `limit.value_size`.
    """
    kind = type(value)
    if value is None or kind is bool or kind is str:
        text = _text(value)
        check_size(text, size)
        return text
    if kind is int and -INT64 <= value < INT64:
        return repr(value)
    if _is_json(value, depth):
        text = _text(value)
        check_size(text, size)
        return text
    encoder = _Encoder(handles, depth)
    try:
        text = _text(encoder.plain(value, "", depth))
        check_size(text, size)
    except BaseException:
        handles.drop(encoder.given)
        raise
    return text


def check_size(text: str, size: int) -> None:
    """Raise `limit.value_size` for channel text of more than `size` bytes; 0 is no limit."""
    # No character has more than four bytes, so most texts need not be encoded for this.
    if size and len(text) * 4 > size and len(text.encode("utf-8", "surrogatepass")) > size:
        raise LimitError(
            f"a value larger than {size >> 20 or size} {'MiB' if size >> 20 else 'bytes'} "
            "cannot be passed",
            code="limit.value_size",
            hint="pass it in parts, or raise [security.limits] value_mb",
        )


def too_deep(depth: int, where: str = "") -> LLMSpellError:
    """`limit.value_depth`."""
    return LimitError(
        f"the value is nested deeper than {depth}{' at ' + where if where else ''}",
        code="limit.value_depth",
    )


def _text(plain: Any) -> str:
    text = _encode(plain)
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # Lone surrogates cannot be UTF-8: escaped they can at least be read as text.
        text = json.dumps(plain, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text


def _is_json(value: Any, left: int) -> bool:
    """Whether nothing in a value needs a marker, a check by its place or an error."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return -INT64 <= value < INT64  # type: ignore[no-any-return]
    if kind is float:
        return value - value == 0  # type: ignore[no-any-return]
    if left <= 0 or not (kind is list or (kind is dict and _has_plain_keys(value))):
        return False
    for one in value if kind is list else value.values():
        # Most are text: a call for each would be most of the work.
        if type(one) is not str and not _is_json(one, left - 1):
            return False
    return True


def _has_plain_keys(value: dict[Any, Any]) -> bool:
    for key in value:
        if type(key) is not str or (key.startswith("$") and len(value) == 1):
            return False
    return True


class _Encoder:
    def __init__(self, handles: Handles, depth: int) -> None:
        self._handles = handles
        self._depth = depth
        self._open: set[int] = set()
        #: Handles of host objects in this value.
        self.given: list[int] = []

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
            raise too_deep(self._depth, where)
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
            name = key if type(key) is str else self._key(key, where)
            if name in found or (name is not key and name in value and name != key):
                raise LLMSpellError(
                    f'two keys{" at " + where if where else ""} are "{name}"',
                    code="value.bad_key",
                )
            found[name] = self.plain(one, f"{where}.{name}" if where else name, left - 1)
        return _escaped(found)

    @staticmethod
    def _key(key: Any, where: str) -> str:
        if isinstance(key, Enum):
            return str(key.value)
        if isinstance(key, str):
            return str(key)
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
            data = {
                k: self.plain(v, f"{where}.{k}" if where else k, left - 1)
                for k, v in fields.items()
            }
            given = self._handles.give(value)
            self.given.append(given)
            return {"$h": [given, value.type_name, _escaped(data)]}
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
        fields = _escaped(found)
        if value.prints:
            return {"$r": [fields, value.via or "", value.prints]}
        return {"$r": [fields, value.via] if value.via else [fields]}


def _escaped(found: dict[str, Any]) -> dict[str, Any]:
    """An object that could be taken for a marker, as one that cannot."""
    if len(found) == 1 and next(iter(found)).startswith("$"):
        return {"$": found}
    return found
