"""What host and script engine say to each other. Standard library only: the worker imports it.

A *session* runs one script in an engine. It lives in the host process or in a worker; the
engine cannot tell which, since both carriers speak through the two protocols below. All values
cross as **JSON text**, so that both carriers convert in the same way. In it, a single-key object
whose key begins with ``$`` is special:

=================================  ===========================================================
``{"$f": id}``                     a function of the script, by handle
``{"$h": [id, type, {fields}]}``   a host object given to the script (sent back as ``{"$h": id}``)
``{"$b": "base64"}``               bytes (a Lua string that is not UTF-8)
``{"$r": [{fields}]}``             a result: plain data readable in camelCase too;
``{"$r": [{fields}, "result"]}``   ... whose absent fields are read from the field named
``{"$r": [{fields}, "", "name"]}`` ... that prints as its third item, a field, says
``{"$e": {error fields}}``         an error object inside data
``{"$": {...}}``                   an ordinary object whose only key begins with ``$``
=================================  ===========================================================

Errors are the fields of `LLMSpellError.to_dict`: message, code, hint, details, retryable,
source, stack.
"""

from __future__ import annotations

from typing import Any, Protocol

PROTOCOL_VERSION = 1

#: (ok, value as JSON text): how a host call ended when it ended at once.
Answer = tuple[bool, str]


class HostChannel(Protocol):
    """The host as the engine sees it. No method may raise into the engine."""

    def call(
        self, call_id: int, target: str | int, method: str, args: str, origin: int = 0
    ) -> Answer | None:
        r"""Call `method` of a global (by name) or of a host object (by handle).

        `args` is a JSON array; `origin` the `run` or `invoke` whose task (or a task spawned by
        it) calls, so that the work belongs to the right run. The answer when the method is
        synchronous and the carrier direct; None when it follows through `ScriptSession.answer`
        with the same `call_id`. A target ``"Tool\0calculator"`` is `Tool["calculator"]`.
        """
        ...

    def cancel(self, call_id: int) -> None:
        """Nobody waits for this call any more; its answer, if any, is ignored."""
        ...

    def done(self, call_id: int, ok: bool, value: str) -> None:
        """A `run` or `invoke` ended with a JSON value, or with an error's fields."""
        ...

    def write(self, stream: str, text: str) -> None:
        """Text for ``stdout`` or ``stderr``, in blocks."""
        ...

    def log(self, records: str) -> None:
        """Log records, a JSON array of ``{level, message, logger, fields}``."""
        ...

    def drop(self, handles: list[int]) -> None:
        """The script can no longer reach these host objects.

        A handle stands here once for each time it was given, as in `ScriptSession.release`.
        """
        ...

    def idle(self) -> None:
        """No task of the script is left, after some were."""
        ...

    def unhandled(self, error: str) -> None:
        """A task nobody awaited failed; an error's fields as JSON text.

        It also tells what ended the whole script (`os.exit`, a limit) when no `run` or `invoke`
        is open to tell it by.
        """
        ...


class ScriptSession(Protocol):
    """A script engine as the host sees it; implemented by each engine's guest module.

    Nothing blocks: each method runs the engine until every task waits, then returns.
    """

    def run(self, call_id: int, source: str, name: str, mode: str) -> None:
        """Start the main chunk as a task; `HostChannel.done` reports its end.

        `mode` is ``script`` (the result is the top-level ``return``) or ``eval`` (an expression
        is accepted too, and several values are given as a list under ``{"values": [...]}``).
        """
        ...

    def invoke(self, call_id: int, function: int, args: str) -> None:
        """Call a function of the script as a new task; `HostChannel.done` reports its end."""
        ...

    def answer(self, call_id: int, ok: bool, value: str) -> None:
        """The result of an earlier `HostChannel.call`."""
        ...

    def cancel(self, call_id: int) -> None:
        """Cancel the task of a `run` or `invoke`: it gets a catchable error `cancelled`."""
        ...

    def release(self, functions: list[int]) -> None:
        """The host forgets these functions.

        Each time a function is sent counts once, and each occurrence of its handle here takes
        one off: a function that is sent again while its release is under way stays alive.
        """
        ...

    def interrupt(self, code: str, message: str) -> None:
        """End the script, from any thread and even inside a call of the channel.

        At once when it waits, else at the engine's next look; what is open fails with this error.
        """
        ...

    def idle(self) -> bool:
        """Whether no task of the script is left (waiting or ready)."""
        ...

    def close(self) -> None:
        """Free the engine. Nothing is called afterwards."""
        ...


class GuestModule(Protocol):
    """What an engine's guest module offers; the worker imports it by name."""

    def create(self, channel: HostChannel, options: dict[str, Any]) -> ScriptSession:
        """A new session.

        `options`: ``globals`` (a list of manifests, see `llmspell_core.script.manifest`),
        ``args`` (``{"positional": [...], "named": {...}, "script": path}``), ``env`` (variables
        the policy names), ``libraries`` (those the profile and `stdlib_access` allow),
        ``limits`` (``memory_mb cpu_s instructions tasks value_mb value_depth``; 0 or absent:
        none), ``log_level``, ``debug``, ``seed`` (hex, for random numbers), ``run_id``,
        ``modules`` (true: `require` asks the target "modules" for ``{name, source}``; where
        `EngineInfo.module_table` is set, a table of all there is: the name that QuickJS makes of
        a specifier -> source, or the fields of the error that importing it throws),
        ``long_lived`` (true: many runs, so a worker gets no limit of CPU time as a process; each
        `run` has the whole ``cpu_s`` and ``instructions`` anyway), ``isolation`` (``worker`` or
        ``sandbox`` where the session is in a worker).

        After `create` a worker gives its powers away: nothing can be imported, opened or made
        executable any more. What an engine needs later it imports with its module, in `create`,
        or in a function ``preload()`` of its module, which workers call before.

        A channel may also have ``busy(place)``, called every 20 ms of computing with the line
        the script is at, and the session ``interrupt(code, message)``, which ends the script.
        """
        ...
