"""The tables of one session: host objects given to the script, functions it has sent."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable
from typing import Any

from llmspell_bridge.values import protocol_error
from llmspell_core.errors import LimitError
from llmspell_core.script.api import ScriptFunction, ScriptObject

MAX_OBJECTS = 100_000

Invoke = Callable[[int, tuple[Any, ...]], Awaitable[Any]]


class GuestFunction:
    """A function of the script. It is released when nothing on the host holds it any more."""

    __slots__ = ("__weakref__", "_table", "gone", "handle", "sent", "where")

    def __init__(self, table: HandleTable, handle: int) -> None:
        self._table = table
        self.handle = handle
        self.where = ""
        #: How often the guest has sent it: its release names it as often.
        self.sent = 0
        self.gone = False

    def __call__(self, *args: Any) -> Awaitable[Any]:
        return self._table.invoke(self.handle, args)

    def __del__(self) -> None:
        self.gone = True
        self._table.forget(self.handle, self.sent)

    def __repr__(self) -> str:
        return f"function({self.where or self.handle})"


class HandleTable:
    """Handles of one session, in both directions.

    Each time a handle crosses counts, for objects as for functions: otherwise a release on its
    way could cross the same thing being sent again.
    """

    def __init__(self, invoke: Invoke, release: Callable[[int, int], None]) -> None:
        self._invoke = invoke
        self._release = release
        self._objects: dict[int, ScriptObject] = {}
        #: id of an object -> its handle; the objects are kept alive in `_objects`.
        self._given: dict[int, int] = {}
        self._times: dict[int, int] = {}
        self._next = 0
        self._functions: weakref.WeakValueDictionary[int, GuestFunction] = (
            weakref.WeakValueDictionary()
        )
        self.closed = False
        #: Finds the object behind a target; set by whoever knows the globals.
        self.indexed: Callable[[str], ScriptObject] = _nothing_indexed

    # -- host objects ------------------------------------------------------------------------

    def give(self, value: ScriptObject) -> int:
        """The handle of a host object, the same for the same object."""
        handle = self._given.get(id(value))
        if handle is None:
            if len(self._objects) >= MAX_OBJECTS:
                raise LimitError(
                    f"the script holds {MAX_OBJECTS} host objects",
                    code="limit.objects",
                    hint="forget those that are not needed any more",
                )
            self._next += 1
            handle = self._next
            self._objects[handle] = value
            self._given[id(value)] = handle
            self._times[handle] = 0
        self._times[handle] += 1
        return handle

    def object(self, handle: int | str) -> ScriptObject:
        """The host object behind a handle, or behind ``Global[name]`` by its target."""
        if isinstance(handle, str):
            return self.indexed(handle)
        try:
            return self._objects[handle]
        except KeyError:
            raise protocol_error(f"the engine used an unknown handle {handle}") from None

    def drop(self, handles: list[int]) -> None:
        """The script can no longer reach these; one entry for each time it was given."""
        for handle in handles:
            left = self._times.get(handle)
            if left is None:
                continue
            if left > 1:
                self._times[handle] = left - 1
                continue
            del self._times[handle]
            self._given.pop(id(self._objects.pop(handle)), None)

    @property
    def objects(self) -> int:
        """How many host objects the script holds."""
        return len(self._objects)

    # -- functions of the script -------------------------------------------------------------

    def function(self, handle: int) -> ScriptFunction:
        """A function of the script by its handle."""
        found = self._functions.get(handle)
        # One that is just being collected is on its way to be released: it has its own count.
        if found is None or found.gone:
            found = self._functions[handle] = GuestFunction(self, handle)
        found.sent += 1
        return found

    def owned(self, value: Any) -> int | None:
        """The handle of a function of this session; None for anything else."""
        if isinstance(value, GuestFunction) and value._table is self:
            return value.handle
        return None

    def invoke(self, handle: int, args: tuple[Any, ...]) -> Awaitable[Any]:
        """Call a function of the script."""
        return self._invoke(handle, args)

    def forget(self, handle: int, times: int) -> None:
        """A GuestFunction was collected, on whatever thread."""
        if not self.closed:
            self._release(handle, times)

    @property
    def functions(self) -> int:
        """How many functions of the script the host holds."""
        return len(self._functions)

    def close(self) -> None:
        """The session is over: nothing is released any more."""
        self.closed = True
        self._objects.clear()
        self._given.clear()
        self._times.clear()


def _nothing_indexed(target: str) -> ScriptObject:
    raise protocol_error(f"the engine used an unknown handle {target[:40]!r}")
