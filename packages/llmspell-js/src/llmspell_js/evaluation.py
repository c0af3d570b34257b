"""Running a source: as a script with `await`, as a module, or with a `return` at its top."""

from __future__ import annotations

from llmspell_core.script.jsontext import dumps
from llmspell_js.capi import EVAL_ASYNC, EVAL_COMPILE, EVAL_MODULE, TAG_EXCEPTION, TAG_INT
from llmspell_js.ctypes_bare import JSValue
from llmspell_js.scan import redeclarable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from llmspell_js.callbacks import Callbacks
    from llmspell_js.capi import Engine

#: What a source must begin a line with for its mistakes to be those of a module.
_MODULE_WORDS = ("import ", "import{", "import*", 'import"', "import'", "export ", "export{")
#: Around a source with a top-level `return`: a method, so that it has the name of a main chunk.
_BEFORE, _AFTER = '({async "<eval>"(){', '\n}})["<eval>"].call(globalThis)'
#: The module that offers the globals of llmspell by name.
OWN = "llmspell"


class Evaluation:
    """Evaluates sources in one engine.

    Args:
        engine: the C API of its context
        callbacks: how values are handed to the prelude
        modules: name -> source of what scripts may import, or the fields of the error that
            importing it throws; None: nothing
        heads: the globals, for the module ``llmspell``
    """

    def __init__(
        self,
        engine: Engine,
        callbacks: Callbacks,
        modules: dict[str, str | dict[str, Any]] | bool | None,
        heads: list[dict[str, Any]],
    ) -> None:
        self._engine = engine
        self._callbacks = callbacks
        self._denied = not modules and not isinstance(modules, dict)
        self._modules = modules if isinstance(modules, dict) else {}
        self._names = [head["name"] for head in heads]

    def run(self, call_id: int, source: str, name: str, mode: str) -> None:
        """Start a source; the prelude reports what it comes to."""
        source = source.removeprefix("\ufeff")
        if mode == "eval" and not source.lstrip().startswith("{"):
            source = redeclarable(source)
        elif mode == "eval" and self._as_expression(call_id, source, name):
            return
        text, file = _encoded(source), _encoded(name)
        value = self._engine.evaluate(text, file, EVAL_ASYNC)
        if value.tag != TAG_EXCEPTION:
            self._hand("value", call_id, value, self._engine.string(mode))
            return
        why = self._note(call_id)
        if why == "other" or not (
            self._as_module(call_id, text, file, source)
            or (why == "return" and self._as_function(call_id, source, file))
        ):
            self._hand("syntax", call_id)

    def _as_expression(self, call_id: int, source: str, name: str) -> bool:
        """`{a: 1}` is an object to a person who types it, and a block to the language."""
        value = self._engine.evaluate(_encoded(f"({source}\n)"), _encoded(name), EVAL_ASYNC)
        if value.tag == TAG_EXCEPTION:
            self._engine.free(self._engine.exception())
            return False
        self._hand("value", call_id, value, self._engine.string("eval"))
        return True

    def _as_module(self, call_id: int, text: bytes, file: bytes, source: str) -> bool:
        engine = self._engine
        module = engine.evaluate(text, file, EVAL_MODULE | EVAL_COMPILE)
        if module.tag == TAG_EXCEPTION:
            if _looks_like_module(source):
                self._note(call_id)
            else:
                engine.free(engine.exception())
            return False
        promise = engine.evaluate_compiled(module)
        if promise.tag == TAG_EXCEPTION:
            self._note(call_id)
            self._hand("syntax", call_id)
        else:
            self._hand("module", call_id, promise, engine.namespace(module))
        return True

    def _as_function(self, call_id: int, source: str, file: bytes) -> bool:
        if source.startswith("#!"):
            source = "//" + source[2:]
        self._remember(file.decode("utf-8", "replace"), source, len(_BEFORE))
        value = self._engine.evaluate(_encoded(_BEFORE + source + _AFTER), file, 0)
        if value.tag == TAG_EXCEPTION:
            self._note(call_id)
            return False
        self._hand("promise", call_id, value)
        return True

    def _note(self, call_id: int) -> str:
        """Hand the pending exception over; which kind it is."""
        error = self._engine.exception()
        why = self._callbacks.told("failed", call_id, error)
        self._engine.free(error)
        return why

    def _hand(self, operation: str, call_id: int, *values: JSValue) -> None:
        """An operation of the prelude with values that are used up."""
        self._engine.free(self._callbacks.hand(operation, call_id, *values))
        for value in values:
            self._engine.free(value)

    # -- modules -----------------------------------------------------------------------------

    def load(self, _context: int, name: bytes, _opaque: int) -> int | None:
        """The engine's module loader: a module, or None with an exception pending."""
        try:
            return self._load(name)
        except BaseException as error:  # noqa: BLE001 - nothing may be raised into the engine
            self._throw({"code": "internal", "message": f"{type(error).__name__}: {error}"})
            return None

    def _load(self, name: bytes) -> int | None:
        text = name.decode("utf-8", "replace")
        source = self._own() if text == OWN else self._modules.get(text)
        if not isinstance(source, str):
            self._throw(source or self._absent(text))
            return None
        self._remember(text, source)
        code = _encoded(source)
        module = self._engine.evaluate_inside(code, name, EVAL_MODULE | EVAL_COMPILE)
        if module.tag == TAG_EXCEPTION:
            return None
        self._engine.free(module)  # the engine's list of modules keeps it
        return int(module.u)

    def _own(self) -> str:
        lines = [f"export const {name} = globalThis.{name};" for name in self._names]
        return "\n".join([*lines, "export default globalThis;"])

    def _remember(self, name: str, source: str, shift: int = 0) -> None:
        value = self._engine.string(dumps({"name": name, "source": source}))
        self._engine.free(self._callbacks.hand("remember", shift, JSValue(0, TAG_INT), value))
        self._engine.free(value)

    def _absent(self, name: str) -> dict[str, Any]:
        if self._denied:
            message = f'import "{name}": this profile has no modules'
            return {"code": "module.denied", "message": message}
        return {
            "code": "module.not_found",
            "message": f'import "{name}": it was not known when the script started',
            "hint": "name it in a string: modules are read before the script starts",
        }

    def _throw(self, fields: dict[str, Any]) -> None:
        text = self._engine.string(dumps(fields))
        error = self._callbacks.hand("make", 0, JSValue(0, TAG_INT), text)
        self._engine.free(text)
        if error.tag != TAG_EXCEPTION:
            self._engine.throw(error)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _looks_like_module(source: str) -> bool:
    return any(line.lstrip().startswith(_MODULE_WORDS) for line in source.splitlines())
