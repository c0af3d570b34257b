"""Run a script from the command line: its settings, streams, approvals, end and exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmspell_cli.output import Output
from llmspell_cli.report import exit_code
from llmspell_cli.signals import run_until_signal
from llmspell_cli.source_lines import Script
from llmspell_core.errors import LLMSpellError
from llmspell_core.records import Record, key

if TYPE_CHECKING:
    from llmspell_bridge.engines import ScriptSource
    from llmspell_bridge.result import ScriptResult
    from llmspell_bridge.runtime import ScriptRuntime
    from llmspell_bridge.streams import Streams
    from llmspell_cli.options import Common


class RunOptions(Record):
    """What `run` and `eval` were asked for."""

    engine: str | None = None
    args: list[str] = key([], "what `args` has by position")
    params: dict[str, Any] = key({}, "what `args` has by name")
    model: str | None = None
    timeout_s: float | None = None
    as_json: bool = False
    as_jsonl: bool = False
    stats: bool = False
    approve: tuple[str, ...] = ()
    yes: bool = False
    mode: str = "script"
    stdin_used: bool = False

    @property
    def machine(self) -> bool:
        """Whether a program reads stdout: nothing but JSON may be there."""
        return self.as_json or self.as_jsonl


def execute(read: Callable[[], ScriptSource], common: Common, options: RunOptions) -> int:
    """Read a script, run it and print what it gives; the exit code."""
    output = Output(as_json=options.as_json, as_jsonl=options.as_jsonl, mode=options.mode)
    running = _Running(common, options)
    try:
        source = read()
        output.script = Script(source.name, source.text, source.path)
        result = run_until_signal(running.run(source))
    except LLMSpellError as error:
        if error.code == "script.output_closed":
            # As for any filter: whoever reads us has enough.
            return 0
        return output.failed(error, exit_code(error, thrown=running.started))
    if options.stats:
        output.stats(result)
    return output.result(result)


class _Running:
    """One run; `started` once the script itself may throw."""

    def __init__(self, common: Common, options: RunOptions) -> None:
        self._common = common
        self._options = options
        self.started = False

    async def run(self, source: ScriptSource) -> ScriptResult:
        from llmspell_cli.event_log import EventLog
        from llmspell_cli.paused import PausedRuns
        from llmspell_cli.progress import ModelProgress

        common, options = self._common, self._options
        async with self._runtime(source) as runtime:
            bus = runtime.base.events
            log = EventLog(bus, common.trace_events, jsonl=options.as_jsonl)
            with ModelProgress(bus), PausedRuns(bus):
                async with log:
                    self.started = True
                    return await runtime.run(
                        source,
                        args=options.args,
                        params=options.params,
                        streams=_streams(options),
                        mode=options.mode,
                        timeout_ms=options.timeout_s * 1000 if options.timeout_s else None,
                    )

    def _runtime(self, source: ScriptSource) -> ScriptRuntime:
        from llmspell_bridge.engines import engine_name
        from llmspell_bridge.runtime import ScriptRuntime
        from llmspell_cli.approve import approver

        options = self._options
        model = [f"default.model={options.model}"] if options.model else []
        loaded = self._common.load(source.path, *model)
        name = engine_name(source, options.engine, loaded.settings.scripts.default_engine)
        asker = approver(options.approve, yes=options.yes)
        runtime = ScriptRuntime(loaded, engine=name, approver=asker)
        self._common.log_for(runtime)
        return runtime


def _streams(options: RunOptions) -> Streams:
    from llmspell_bridge.streams import Streams

    class CommandStreams(Streams):
        """What the script prints goes to stderr when stdout is for JSON."""

        def write(self, stream: str, text: str) -> None:
            super().write("stderr" if options.machine else stream, text)

        async def read(self, how: str | int | float) -> str | None:
            if options.stdin_used:
                return "" if how == "a" else None
            return await super().read(how)

    return CommandStreams()
