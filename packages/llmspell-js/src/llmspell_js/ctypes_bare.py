"""The C types of the QuickJS API, on the bare accelerator of `ctypes`.

The `ctypes` package itself would be a fifth of the time in which a worker is ready.
"""

from __future__ import annotations

import _ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    class _Simple(_ctypes._SimpleCData[Any]):
        """As `_SimpleCData`, which takes no parameter when it runs."""
else:
    _Simple = _ctypes._SimpleCData


class Int(_Simple):
    """`int`."""

    _type_ = "i"


class Size(_Simple):
    """`size_t`, `uint64_t`."""

    _type_ = "L"


class Signed(_Simple):
    """`int64_t`."""

    _type_ = "l"


class Bool(_Simple):
    """`bool`."""

    _type_ = "?"


class Double(_Simple):
    """`double`."""

    _type_ = "d"


class Pointer(_Simple):
    """`void *`."""

    _type_ = "P"


class Text(_Simple):
    """`const char *`, as bytes."""

    _type_ = "z"


class Char(_Simple):
    """`char`."""

    _type_ = "c"


class JSValue(_ctypes.Structure):
    """A value of the engine. Each one received is owned: freed once, or handed on."""

    _fields_ = [("u", Size), ("tag", Signed)]  # noqa: RUF012 - as ctypes wants it


class Function(_ctypes.CFuncPtr):
    """An exported function. Calls release the interpreter lock, as the wrapper's do."""

    _flags_ = _ctypes.FUNCFLAG_CDECL
    _restype_ = Int


class Interrupt(_ctypes.CFuncPtr):
    """`int (JSRuntime *, void *)`: not 0 ends what runs."""

    _flags_ = _ctypes.FUNCFLAG_CDECL
    _argtypes_ = (Pointer, Pointer)
    _restype_ = Int


class Rejection(_ctypes.CFuncPtr):
    """`void (JSContext *, promise, reason, handled, void *)`."""

    _flags_ = _ctypes.FUNCFLAG_CDECL
    _argtypes_ = (Pointer, JSValue, JSValue, Bool, Pointer)
    _restype_ = None


class Loader(_ctypes.CFuncPtr):
    """`JSModuleDef *(JSContext *, name, void *)`."""

    _flags_ = _ctypes.FUNCFLAG_CDECL
    _argtypes_ = (Pointer, Text, Pointer)
    _restype_ = Pointer


class Numbers(_ctypes.CFuncPtr):
    """`double (double)`."""

    _flags_ = _ctypes.FUNCFLAG_CDECL
    _argtypes_ = (Double,)
    _restype_ = Double
