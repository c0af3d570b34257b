"""The QuickJS C API that the wheels of quickjs-ng export, beside what their wrapper offers.

From it come file names in stacks, modules, top-level `await`, the report of unhandled rejections
and an interrupt that also sees memory and the wall clock. Where it is not exported (Windows) or
is not the one this was written for, `problem` says so, and the engine does without.

Structures and functions are those of quickjs-ng 0.17 on 64-bit machines.
"""

from __future__ import annotations

import _ctypes
import sys

import _quickjs

from llmspell_js.ctypes_bare import (
    Bool,
    Char,
    Function,
    Int,
    Interrupt,
    JSValue,
    Loader,
    Numbers,
    Pointer,
    Rejection,
    Size,
    Text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EVAL_MODULE, EVAL_STRICT, EVAL_COMPILE, EVAL_ASYNC = 1, 1 << 3, 1 << 5, 1 << 7
TAG_OBJECT, TAG_INT, TAG_UNDEFINED, TAG_EXCEPTION = -1, 0, 3, 6
_BYTECODE = 1
_NUMBER_TO_NUMBER = 6  # JS_CFUNC_f_f: a function of one double, the only kind made here
#: Where a JSRuntime counts the bytes it has, and keeps how many it may have.
_SIZE, _LIMIT = 48, 56
_HEAD = object.__basicsize__


_VALUES = JSValue * 4
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "JS_GetRuntime": (Pointer, (Pointer,)),
    "JS_GetVersion": (Text, ()),
    "JS_UpdateStackTop": (None, (Pointer,)),
    "JS_Eval": (JSValue, (Pointer, Text, Size, Text, Int)),
    "JS_EvalFunction": (JSValue, (Pointer, JSValue)),
    "JS_Call": (JSValue, (Pointer, JSValue, JSValue, Int, _VALUES)),
    "JS_DupValue": (JSValue, (Pointer, JSValue)),
    "JS_FreeValue": (None, (Pointer, JSValue)),
    "JS_GetException": (JSValue, (Pointer,)),
    "JS_Throw": (JSValue, (Pointer, JSValue)),
    "JS_NewStringLen": (JSValue, (Pointer, Text, Size)),
    "JS_ToCStringLen2": (Pointer, (Pointer, Pointer, JSValue, Bool)),
    "JS_FreeCString": (None, (Pointer, Pointer)),
    "JS_GetModuleNamespace": (JSValue, (Pointer, Size)),
    "JS_NewCFunction2": (JSValue, (Pointer, Numbers, Text, Int, Int, Int)),
    "JS_WriteObject": (Pointer, (Pointer, Pointer, JSValue, Int)),
    "JS_ReadObject": (JSValue, (Pointer, Text, Size, Int)),
    "js_free": (None, (Pointer, Pointer)),
    "JS_RunGC": (None, (Pointer,)),
    "JS_SetInterruptHandler": (None, (Pointer, Interrupt, Pointer)),
    "JS_SetHostPromiseRejectionTracker": (None, (Pointer, Rejection, Pointer)),
    "JS_SetModuleLoaderFunc": (None, (Pointer, Pointer, Loader, Pointer)),
}


class _Library:
    """The exported functions, each under its own name."""

    def __init__(self) -> None:
        handle = _ctypes.dlopen(_quickjs.__file__, 0)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = Function(_ctypes.dlsym(handle, name))
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def _load() -> tuple[_Library | None, str]:
    if sys.maxsize < 1 << 32 or sys.byteorder != "little":
        return None, "the machine is not a little-endian 64-bit one"
    try:
        library = _Library()
    except (AttributeError, OSError, TypeError) as error:
        return None, f"the C API of QuickJS is not exported: {error}"
    version = library.JS_GetVersion().decode("ascii", "replace")
    if not version.startswith("0.17."):
        return None, f"QuickJS is {version}, and its C API is used in 0.17 only"
    return library, ""


_loaded, problem = _load()
_lib: Any = _loaded


def available() -> bool:
    """Whether the C API can be used; `problem` says why not."""
    return _loaded is not None


class Engine:
    """The C API of one context.

    Args:
        context: the wrapper's context, which must outlive this
    """

    def __init__(self, context: _quickjs.Context) -> None:
        base = id(context) + _HEAD
        self.runtime: int = Pointer.from_address(base).value or 0
        self.context: int = Pointer.from_address(base + 8).value or 0
        if _lib.JS_GetRuntime(self.context) != self.runtime:
            raise RuntimeError("the layout of the wrapper's context is another one")
        self._size = Size.from_address(self.runtime + _SIZE)
        self._limit = Size.from_address(self.runtime + _LIMIT)
        self._undefined = JSValue(0, TAG_UNDEFINED)
        self._wrapper = id(context)

    # -- values ------------------------------------------------------------------------------

    def keep(self, value: JSValue) -> JSValue:
        """The same value, owned once more."""
        kept: JSValue = _lib.JS_DupValue(self.context, value)
        return kept

    def free(self, value: JSValue) -> None:
        """Give up an owned value."""
        _lib.JS_FreeValue(self.context, value)

    def wrapped(self, value: Any) -> JSValue:
        """The value that the wrapper holds as an object, which goes on owning it."""
        base = id(value) + _HEAD
        found = JSValue.from_address(base + 8)
        if Pointer.from_address(base).value != self._wrapper or found.tag != TAG_OBJECT:
            raise RuntimeError("the layout of the wrapper's objects is another one")
        return JSValue(found.u, found.tag)

    def string(self, text: str) -> JSValue:
        """A string; lone surrogates become question marks."""
        data = text.encode("utf-8", "replace")
        made: JSValue = _lib.JS_NewStringLen(self.context, data, len(data))
        return made

    def text(self, value: JSValue) -> str:
        """The text of a string value, which is freed. It has no zero characters."""
        at = _lib.JS_ToCStringLen2(self.context, None, value, False)
        self.free(value)
        if not at:
            self.free(_lib.JS_GetException(self.context))
            return ""
        # Not as an array of its length: each length would be a type that is kept for good.
        data: bytes = Text(at).value or b""
        _lib.JS_FreeCString(self.context, at)
        return data.decode("utf-8", "replace")

    def checked(self, value: JSValue) -> JSValue:
        """The value; RuntimeError when it is an exception. For code that must not fail."""
        if value.tag == TAG_EXCEPTION:
            raise RuntimeError(f"the prelude failed: {self.text(self.exception())}")
        return value

    # -- running -----------------------------------------------------------------------------

    def evaluate(self, source: bytes, name: bytes, flags: int) -> JSValue:
        """`JS_Eval`: from outside of the engine."""
        _lib.JS_UpdateStackTop(self.runtime)
        return self.evaluate_inside(source, name, flags)

    def evaluate_inside(self, source: bytes, name: bytes, flags: int) -> JSValue:
        """`JS_Eval` while the engine runs, in one of its callbacks."""
        found: JSValue = _lib.JS_Eval(self.context, source, len(source), name, flags)
        return found

    def evaluate_compiled(self, compiled: JSValue) -> JSValue:
        """Run what was compiled; it is freed."""
        found: JSValue = _lib.JS_EvalFunction(self.context, compiled)
        return found

    def namespace(self, module: JSValue) -> JSValue:
        """What a module exports."""
        found: JSValue = _lib.JS_GetModuleNamespace(self.context, module.u)
        return found

    def call(self, function: JSValue, *values: JSValue) -> JSValue:
        """Call a function with at most four values, which stay owned by the caller."""
        arguments = _VALUES(*values)
        found: JSValue = _lib.JS_Call(
            self.context, function, self._undefined, len(values), arguments
        )
        return found

    def exception(self) -> JSValue:
        """The exception that is pending; it no longer is."""
        found: JSValue = _lib.JS_GetException(self.context)
        return found

    def throw(self, value: JSValue) -> None:
        """Leave an exception pending; the value is handed on."""
        _lib.JS_Throw(self.context, value)

    # -- compiled code -----------------------------------------------------------------------

    def write(self, compiled: JSValue) -> bytes:
        """Compiled code as bytes, to be read by `read` in this very version only."""
        length = Size()
        at = _lib.JS_WriteObject(self.context, _ctypes.addressof(length), compiled, _BYTECODE)
        if not at:
            return b""
        data: bytes = (Char * length.value).from_address(at).raw
        _lib.js_free(self.context, at)
        return data

    def read(self, data: bytes) -> JSValue:
        """Compiled code from bytes that `write` made in this process."""
        found: JSValue = _lib.JS_ReadObject(self.context, data, len(data), _BYTECODE)
        return found

    # -- callbacks ---------------------------------------------------------------------------

    def number_function(self, function: Numbers) -> JSValue:
        """A function of the engine that takes and gives a number, and nothing else."""
        made: JSValue = _lib.JS_NewCFunction2(
            self.context, function, b"ask", 1, _NUMBER_TO_NUMBER, 0
        )
        return made

    def watch(self, interrupt: Interrupt, rejection: Rejection, loader: Loader) -> None:
        """Set the callbacks, which must outlive the runtime."""
        _lib.JS_SetInterruptHandler(self.runtime, interrupt, None)
        _lib.JS_SetHostPromiseRejectionTracker(self.runtime, rejection, None)
        _lib.JS_SetModuleLoaderFunc(self.runtime, None, loader, None)

    def unwatch(self) -> None:
        """Before the context is freed: nothing calls back any more."""
        _lib.JS_SetInterruptHandler(self.runtime, Interrupt(), None)
        _lib.JS_SetHostPromiseRejectionTracker(self.runtime, Rejection(), None)

    # -- memory ------------------------------------------------------------------------------

    def counts_memory(self, limit: int) -> bool:
        """Whether the runtime's counters lie where they are looked for, `limit` being set."""
        return bool(self._limit.value == limit and 0 < self._size.value < limit)

    def used(self) -> int:
        """Bytes that the runtime has."""
        return int(self._size.value)

    def collect(self) -> None:
        """Free cycles of objects that nothing reaches."""
        _lib.JS_RunGC(self.runtime)
