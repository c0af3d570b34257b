"""The JavaScript engine's guest: one QuickJS context, and a prelude that does nearly everything.

The prelude (`prelude/*.js`) converts values, starts calls and shows the globals; this module
carries text between it and the `HostChannel`, and decides when which of the engine's jobs run.
"""

from __future__ import annotations

import _quickjs

from llmspell_core.script.compact import compact
from llmspell_core.script.jsontext import dumps
from llmspell_js import capi
from llmspell_js.budget import MESSAGES, Budget
from llmspell_js.callbacks import Callbacks
from llmspell_js.declared import head
from llmspell_js.evaluation import Evaluation
from llmspell_js.link import Link, error_text, no_error_left, passable
from llmspell_js.peak import watch
from llmspell_js.sources import whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from llmspell_core.script.protocol import HostChannel

JSException = _quickjs.JSException
#: Beside what a script may use: room to notice that it has used more.
_SPARE = 1 << 20
_SMALL = 1 << 31


class Stopped(Exception):  # noqa: N818 - not an error: the script is over
    """Nothing of the script runs any more."""


def preload() -> None:
    """Open what a worker reads later, when no file can be opened any more."""
    watch()


def create(channel: HostChannel, options: dict[str, Any]) -> JsSession:
    """A new session of the JavaScript engine."""
    return JsSession(channel, options)


class JsSession:
    """A `ScriptSession` on QuickJS."""

    def __init__(self, channel: HostChannel, options: dict[str, Any]) -> None:
        self._budget = Budget(options.get("limits") or {})
        self._link = Link(channel, self._budget.short)
        self._open = self._link.open
        self._queue: list[tuple[Any, tuple[Any, ...]]] = []
        self._running = False
        self._idle = True
        self._busy = False
        self._broken: str | None = None
        self._told = False
        self._context: Any = _quickjs.Context()
        self._callbacks: Callbacks | None = None
        self._evaluation: Evaluation | None = None
        self._step: Any = self._boot(options)

    def _boot(self, options: dict[str, Any]) -> Any:
        plain = {key: value for key, value in options.items() if value is not None}
        modules = plain.pop("modules", None)
        plain["globals"] = [head(one) for one in map(compact, options.get("globals") or ()) if one]
        context, budget = self._context, self._budget
        if budget.memory:
            context.set_memory_limit(budget.memory + _SPARE)
        if capi.available():
            callbacks = Callbacks(engine := capi.Engine(context), budget, self._link)
            callbacks.load_prelude()
            self._callbacks = callbacks
            self._evaluation = Evaluation(engine, callbacks, modules, plain["globals"])
            if budget.memory and engine.counts_memory(budget.memory + _SPARE):
                budget.bytes_used, budget.collect = engine.used, engine.collect
        else:
            if budget.memory:
                # Nobody looks in time: the engine's own limit is the limit.
                context.set_memory_limit(budget.memory)
            context.eval(whole())
        step = context.get("llmspell:step")("boot", 0, 0, passable(dumps(plain)))
        if self._callbacks and self._evaluation:
            self._callbacks.watch(step, self._evaluation.load)
        return step

    # -- ScriptSession -----------------------------------------------------------------------

    def run(self, call_id: int, source: str, name: str, mode: str) -> None:
        self._open.add(call_id)
        self._busy = True
        self._budget.reset()
        self._enter(self._run, call_id, source, name, mode)

    def invoke(self, call_id: int, function: int, args: str) -> None:
        self._open.add(call_id)
        self._busy = True
        self._enter(self._do, "invoke", call_id, function, passable(args))

    def answer(self, call_id: int, ok: bool, value: str) -> None:
        if call_id in self._link.pending:
            self._link.pending.discard(call_id)
            self._enter(self._do, "ok" if ok else "error", call_id, 0, passable(value))

    def cancel(self, call_id: int) -> None:
        if call_id in self._open:
            self._enter(self._do, "cancel", call_id, 0, "")

    def release(self, functions: list[int]) -> None:
        for function in functions:
            self._enter(self._do, "release", function, 0, "")

    def interrupt(self, code: str, message: str) -> None:
        """End the script at once, or at its next look while it runs (then from any thread)."""
        self._budget.stop = code
        if not self._running:
            self._break(error_text(code, message))
            self._after()

    def idle(self) -> bool:
        return self._idle and not self._running and not self._open

    def close(self) -> None:
        self._open.clear()
        self._broken = self._broken or error_text("script.closed", MESSAGES["script.closed"])
        self._told = True
        if self._running:
            self._budget.stop = "script.closed"
            return
        self._queue.clear()
        if self._callbacks is not None:
            # What is kept of the engine must be free before it is, or it ends the process.
            self._callbacks.close()
        self._step = self._callbacks = self._evaluation = self._context = None

    def answers(self, name: str, method: str) -> bool:
        """Whether the prelude has this guest method."""
        asked = dumps({"global": name, "method": method})
        return bool(self._step("answers", 0, 0, asked))

    # -- turns -------------------------------------------------------------------------------

    def _enter(self, action: Any, *args: Any) -> None:
        """Run the engine until everything waits; what comes in meanwhile waits for its turn."""
        if self._broken:
            self._fail_open()
            return
        self._queue.append((action, args))
        if self._running:
            return
        self._running = True
        self._budget.start()
        try:
            while self._queue:
                function, given = self._queue.pop(0)
                function(*given)
                self._turn()
        except Stopped:
            self._stopped()
        except (JSException, MemoryError) as error:
            self._failed(error)
        finally:
            self._budget.pause()
            self._running = False
        self._after()

    def _do(self, operation: str, a: int, b: int, text: str) -> str:
        """One operation of the prelude."""
        if self._budget.stop or self._link.interrupted:
            raise Stopped
        if self._callbacks is None:
            self._limit()
        result: str = self._step(operation, a if a < _SMALL else float(a), b, text)
        self._budget.passed(text)
        if result[:1] == "!":
            raise JSException(result[1:])
        return result

    def _limit(self) -> None:
        left = self._budget.cpu_left
        if left is not None:
            self._context.set_time_limit(left)

    def _run(self, call_id: int, source: str, name: str, mode: str) -> None:
        opened = dumps({"name": name, "source": source})
        self._do("open", call_id, 0, opened)
        if self._evaluation is not None:
            self._evaluation.run(call_id, source, name, mode)
        else:
            self._do("evaluate", call_id, 0, dumps({"source": source, "mode": mode}))

    def _jobs(self) -> None:
        """Run the reactions of promises until there are none."""
        job, budget = self._context.execute_pending_job, self._budget
        # Where the engine calls nothing back, nobody else looks: each job has a limit of its own.
        blind = self._callbacks is None
        while True:
            try:
                while job():
                    if budget.stop or (blind and budget.look()):
                        raise Stopped
            except JSException as error:
                if budget.stop:
                    raise Stopped from None
                self._job_failed(error)
            else:
                return

    def _job_failed(self, error: Exception) -> None:
        """A finalizer of the script threw, or no memory is left."""
        text = str(error).partition("\n")[0]
        if text in ("null", "InternalError: out of memory", "InternalError: interrupted"):
            raise error
        self._link.channel.unhandled(error_text("script.error", text))

    def _turn(self) -> None:
        link, answers = self._link, self._link.answers
        while True:
            self._jobs()
            lines = self._do("turn", 0, 0, "")
            if lines == "+":
                continue
            waits = lines[-1:] == "."
            if lines not in ("", ".") or link.held:
                link.take(lines.removesuffix("."))
                self._budget.passed(lines)
                if link.fatal:
                    raise Stopped
                if not waits or answers:
                    self._pass_on(answers)
                    continue
            self._idle = not waits
            if waits or not (self._callbacks and self._callbacks.report_lost()):
                return

    def _pass_on(self, answers: list[tuple[int, bool, str]]) -> None:
        """What the host has answered at once: each answer is a turn of the engine's jobs."""
        while answers:
            call_id, ok, text = answers.pop(0)
            self._do("ok" if ok else "error", call_id, 0, passable(text))
            self._jobs()

    def _after(self) -> None:
        if self._broken:
            self._fail_open()
            self.close()
        if self._busy and self.idle():
            self._busy = False
            self._link.channel.idle()
        if self._link.interrupted is not None:
            error, self._link.interrupted = self._link.interrupted, None
            raise error

    # -- the end -----------------------------------------------------------------------------

    def _stopped(self) -> None:
        if self._link.fatal:
            return self._break(self._link.fatal)
        code = self._budget.stop or "script.interrupted"
        place = self._callbacks.place if self._callbacks else ""
        more: dict[str, Any] = {"source": place} if place else {}
        if code == "script.exit" and self._callbacks:
            more = {"details": {"code": self._callbacks.exit_code}}
        message = MESSAGES.get(code, "the script was stopped")
        return self._break(error_text(code, message, **more))

    def _failed(self, error: BaseException) -> None:
        """The prelude itself could not go on: nearly always no memory is left."""
        if self._budget.stop:
            return self._stopped()
        text = str(error)
        no_memory = text.startswith(("null", '{"message":"null"')) or "out of memory" in text
        no_memory = no_memory or (no_error_left(text) and self._budget.short())
        if no_memory or isinstance(error, MemoryError):
            self._budget.stop = "script.memory_limit"
            return self._stopped()
        if "interrupted" in text:
            self._budget.stop = "script.cpu_limit"
            return self._stopped()
        return self._break(error_text("script.crashed", f"the engine failed: {text[:500]}"))

    def _break(self, error: str) -> None:
        """Nothing of the script runs any more; what it has written before is handed over."""
        self._broken = error
        if self._callbacks is not None:
            self._callbacks.at_rest = True
        try:
            if self._step is not None:
                self._link.take_text(self._step("drain", 0, 0, ""))
        except JSException:
            return

    def _fail_open(self) -> None:
        self._idle = True
        told = self._link.fail_all(self._broken or "{}") or self._link.fatal is not None
        if not told and not self._told and self._broken:
            self._link.channel.unhandled(self._broken)
        self._told = True
