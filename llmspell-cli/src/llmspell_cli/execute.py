"""Run a script from the command line: signals, deadline, output, exit code."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.report import clean, envelope, exit_code, print_json, show_error
from llmspell_core.errors import Cancelled, LLMSpellError, ScriptError

if TYPE_CHECKING:
    from llmspell_bridge.engines import ScriptSource
    from llmspell_bridge.result import ScriptResult
    from llmspell_bridge.streams import Streams
    from llmspell_cli.options import Common

MAX_EXIT = 255


@dataclass(slots=True)
class RunOptions:
    """What `run` and `eval` were asked for."""

    engine: str | None = None
    args: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    model: str | None = None
    timeout_s: float | None = None
    as_json: bool = False
    as_jsonl: bool = False
    stats: bool = False
    approve: tuple[str, ...] = ()
    yes: bool = False
    mode: str = "script"
    stdin_used: bool = False


def execute(source: ScriptSource, common: Common, options: RunOptions) -> int:
    """Run a script and print what it gives; the exit code."""
    try:
        result = run_until_signal(_run(source, common, options))
    except LLMSpellError as error:
        if error.code == "script.output_closed":
            # As for any filter: whoever reads us has enough.
            return 0
        if options.as_json or options.as_jsonl:
            print_json(envelope(error), compact=options.as_jsonl or None)
            return exit_code(error)
        show_error(error, text=source.text if source.path is None else "")
        return exit_code(error)
    if options.stats:
        _show_stats(result)
    return _show_result(result, options, source)


async def _run(source: ScriptSource, common: Common, options: RunOptions) -> ScriptResult:
    from llmspell_bridge.engines import engine_name
    from llmspell_bridge.runtime import ScriptRuntime
    from llmspell_cli.approve import approver
    from llmspell_cli.event_log import EventLog
    from llmspell_cli.progress import ModelProgress

    model = [f"default.model={options.model}"] if options.model else []
    loaded = common.load(source.path, *model)
    name = engine_name(source, options.engine, loaded.settings.scripts.default_engine)
    runtime = ScriptRuntime(
        loaded, engine=name, approver=approver(options.approve, yes=options.yes)
    )
    common.log_for(runtime)
    async with runtime:
        bus = runtime.base.events
        with ModelProgress(bus), EventLog(bus, common.trace_events, jsonl=options.as_jsonl):
            return await runtime.run(
                source,
                args=options.args,
                params=options.params,
                streams=_streams(options),
                mode=options.mode,
                timeout_ms=options.timeout_s * 1000 if options.timeout_s else None,
            )


def _streams(options: RunOptions) -> Streams:
    from llmspell_bridge.streams import EmptyInput, Streams

    return EmptyInput() if options.stdin_used else Streams()


def run_until_signal(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine; SIGINT cancels it once and ends the process at once the second time."""

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(work)
        received: list[int] = []

        def on_signal(number: int) -> None:
            if received:
                os._exit(128 + number)
            received.append(number)
            task.cancel()

        _handle_signals(loop, on_signal)
        try:
            return await task
        except asyncio.CancelledError:
            if received and received[0] == signal.SIGTERM:
                raise SystemExit(128 + signal.SIGTERM) from None
            raise Cancelled("interrupted") from None

    return asyncio.run(main())


def _handle_signals(loop: asyncio.AbstractEventLoop, act: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, act, number)
        except (NotImplementedError, RuntimeError):
            # Windows: the handler runs on the main thread between bytecodes.
            signal.signal(number, lambda n, _: loop.call_soon_threadsafe(act, n))


def _show_result(result: ScriptResult, options: RunOptions, source: ScriptSource) -> int:
    code = result.exit_code
    for error in result.unhandled:
        click.echo("a task that nobody waited for failed:", err=True)
        show_error(error, text=source.text if source.path is None else "")
    if options.as_json:
        print_json(
            {
                "ok": not result.unhandled and code in (None, 0),
                "data": result.value,
                "usage": result.usage.model_dump(),
                "schema": "llmspell.run/1",
            }
        )
        return code if code is not None else (1 if result.unhandled else 0)
    if code is not None:
        return code & MAX_EXIT
    if options.mode == "eval":
        _print_values(result.value)
        return 1 if result.unhandled else 0
    own = _print_value(result.value)
    return own or (1 if result.unhandled else 0)


def _print_value(value: Any) -> int:
    """A script's value: small integers and false are exit codes, anything else is printed."""
    if value is None or value is True:
        return 0
    if value is False:
        return 1
    if isinstance(value, int) and 0 <= value <= MAX_EXIT:
        return value
    _print_data(value)
    return 0


def _print_values(value: Any) -> None:
    values = value["values"] if isinstance(value, dict) and set(value) == {"values"} else [value]
    for one in values:
        _print_data(one)


def _print_data(value: Any) -> None:
    if isinstance(value, str):
        sys.stdout.buffer.write(value.encode("utf-8", "surrogateescape") + b"\n")
    elif isinstance(value, bytes):
        sys.stdout.buffer.write(value)
    else:
        indent = 2 if sys.stdout.isatty() else None
        text = json.dumps(value, ensure_ascii=False, indent=indent, default=_bytes)
        sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _bytes(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    raise ScriptError(f"a {type(value).__name__} cannot be printed", code="value.not_json")


def _show_stats(result: ScriptResult) -> None:
    usage = result.usage
    cost = "unknown" if usage.cost_usd is None else f"{usage.cost_usd:.6f} USD"
    rows = {
        "time": f"{result.duration_ms:.0f} ms",
        "tokens": f"{usage.input_tokens} in, {usage.output_tokens} out",
        "cost": cost,
        "host calls": f"{result.host_calls}",
    }
    if memory := _memory():
        rows["memory"] = memory
    for name, text in rows.items():
        click.echo(clean(f"{name:<11} {text}"), err=True)


def _memory() -> str:
    """The most memory this process had, where the platform tells."""
    try:
        import resource
    except ImportError:
        return ""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{most // (1024 if sys.platform != 'darwin' else 1 << 20)} MiB"
