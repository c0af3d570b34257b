"""What the engine calls while it runs: interrupts, lost rejections, questions of the prelude.

None of these may raise, and none is within reach of a script: the prelude has one function that
takes a number.
"""

from __future__ import annotations

from llmspell_js.capi import (
    EVAL_COMPILE,
    EVAL_STRICT,
    TAG_EXCEPTION,
    TAG_INT,
    TAG_UNDEFINED,
    Engine,
)
from llmspell_js.ctypes_bare import Interrupt, JSValue, Loader, Numbers, Rejection
from llmspell_js.sources import INDEX, PRELUDE, compiled, remember, source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from llmspell_js.budget import Budget
    from llmspell_js.link import Link

_NATIVE, _EXIT = -1, -2
#: Rejections kept until somebody looks at them.
_MOST = 1000


class Callbacks:
    """The callbacks of one engine, and what must be freed before it."""

    def __init__(self, engine: Engine, budget: Budget, link: Link) -> None:
        self._engine = engine
        self._budget = budget
        self._link = link
        self._inside = False
        self._step = JSValue(0, TAG_UNDEFINED)
        self._rejected: dict[int, JSValue] = {}
        self._lost: list[JSValue] = []
        #: Nothing of the script runs any more: nothing is to be interrupted.
        self.at_rest = False
        #: Where the script was when it had to end, and with which status it ended itself.
        self.place = ""
        self.exit_code = 0
        self._ask = Numbers(self._asked)
        self._interrupt = Interrupt(self._interrupted)
        self._rejection = Rejection(self._noted)
        self._loader = Loader(self._refused)
        self._arrive: JSValue | None = None

    def load_prelude(self) -> None:
        """Start the prelude: its other files come when it asks for them."""
        engine = self._engine
        boot, ask = self._file("boot"), engine.number_function(self._ask)
        files = engine.evaluate(INDEX.encode(), b"llmspell:files", 0)
        self._arrive = engine.checked(engine.call(boot, ask, files))
        for value in (boot, ask, files):
            engine.free(value)

    def watch(self, step: Any, loader: Callable[[int, bytes, int], int | None]) -> None:
        """The prelude stands: from now on the engine calls back."""
        self._step = self._engine.wrapped(step)
        self._loader = Loader(loader)
        self._engine.watch(self._interrupt, self._rejection, self._loader)

    def close(self) -> None:
        """Before the engine is freed."""
        engine = self._engine
        engine.unwatch()
        kept = [*self._rejected.values(), *self._lost]
        if self._arrive is not None:
            kept.append(self._arrive)
        for value in kept:
            engine.free(value)
        self._rejected.clear()
        self._lost.clear()
        self._step, self._arrive = JSValue(0, TAG_UNDEFINED), None

    # -- calling the prelude while the engine runs -------------------------------------------

    def hand(self, operation: str, a: int, *values: JSValue) -> JSValue:
        """One operation of the prelude, with values of the engine. The result is owned."""
        engine = self._engine
        name = engine.string(operation)
        try:
            return engine.call(self._step, name, JSValue(a, TAG_INT), *values)
        finally:
            engine.free(name)

    def told(self, operation: str, a: int, *values: JSValue) -> str:
        """As `hand`, for a result that is text; "" when the engine cannot."""
        found = self.hand(operation, a, *values)
        if found.tag == TAG_EXCEPTION:
            self._engine.free(self._engine.exception())
            return ""
        return self._engine.text(found)

    # -- interrupts --------------------------------------------------------------------------

    def _interrupted(self, _runtime: int, _opaque: int) -> int:
        if self._inside or self.at_rest:
            return 0
        self._inside = True
        try:
            if self._link.interrupted is not None:
                return 1
            if self._budget.look():
                self.place = self.place or self.told("place", 0)
                return 1
            if self._budget.overdue():
                self._link.take_text(self.told("drain", 0))
                self._link.busy(self.told("place", 0))
        except BaseException as error:  # noqa: BLE001 - nothing may be raised into the engine
            self._link.caught(error)
            return 1
        finally:
            self._inside = False
        return 0

    # -- questions of the prelude ------------------------------------------------------------

    def _asked(self, number: float) -> float:
        inside, self._inside = self._inside, True
        try:
            if number >= 0:
                self._deliver(PRELUDE[int(number)])
            elif number == _NATIVE:
                self._answer(self.told("request", 0))
            elif number == _EXIT:
                self.exit_code = int(self.told("request", 0) or 0)
                self._budget.stop = self._budget.stop or "script.exit"
        except BaseException as error:  # noqa: BLE001 - as above
            self._link.caught(error)
            self._budget.stop = self._budget.stop or "script.crashed"
        finally:
            self._inside = inside
        return 0.0

    def _deliver(self, name: str) -> None:
        engine = self._engine
        file = self._file(name)
        if self._arrive is not None:
            engine.free(engine.call(self._arrive, file))
        engine.free(file)

    def _file(self, name: str) -> JSValue:
        """The function that a file of the prelude is."""
        engine = self._engine
        data = compiled(name)
        if data:
            return engine.evaluate_compiled(engine.read(data))
        code = engine.checked(
            engine.evaluate_inside(
                source(name), f"llmspell:{name}".encode(), EVAL_STRICT | EVAL_COMPILE
            )
        )
        remember(name, engine.write(code))
        return engine.evaluate_compiled(code)

    def _answer(self, request: str) -> None:
        ok, text = self._link.native(request)
        engine = self._engine
        value = engine.string(text)
        engine.free(self.hand("answer", int(ok), JSValue(0, TAG_INT), value))
        engine.free(value)

    # -- rejections --------------------------------------------------------------------------

    def _noted(
        self, _context: int, promise: JSValue, reason: JSValue, handled: bool, _opaque: int
    ) -> None:
        """A promise was rejected and nobody looks at it, or somebody does at last."""
        try:
            before = self._rejected.pop(promise.u, None)
            if handled:
                if before is not None:
                    self._engine.free(before)
                return
            if before is not None:
                # That promise is gone, and another lies at its address.
                self._lost.append(before)
            if len(self._rejected) + len(self._lost) < _MOST:
                self._rejected[promise.u] = self._engine.keep(reason)
        except BaseException as error:  # noqa: BLE001 - as above
            self._link.caught(error)

    def report_lost(self) -> bool:
        """Tell of the rejections that nobody has looked at; whether there were any."""
        if not self._rejected and not self._lost:
            return False
        lost, self._lost = [*self._lost, *self._rejected.values()], []
        self._rejected = {}
        for reason in lost:
            self._engine.free(self.hand("unhandled", 0, reason))
            self._engine.free(reason)
        return True

    def _refused(self, _context: int, _name: bytes, _opaque: int) -> int | None:
        return None
