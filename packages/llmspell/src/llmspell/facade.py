"""`run` and `arun`: run a script from Python."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmspell_bridge.result import ScriptResult


async def arun(
    script: str | Path,
    *,
    source: str | None = None,
    args: list[str] | None = None,
    params: dict[str, Any] | None = None,
    stdin: str | None = None,
    engine: str | None = None,
    profile: str | None = None,
    model: str | None = None,
    settings: dict[str, Any] | None = None,
    timeout_ms: float | None = None,
    capture: bool = True,
) -> ScriptResult:
    """Run a script and return its result.

    Args:
        script: the file, or only a name for `source`
        source: the text, when there is no file
        args: what the script's `args` has by position
        params: what the script's `args` has by name
        stdin: standard input as text
        engine: the engine's name; else chosen as on the command line
        profile: the security profile
        model: the default model, as "provider/model"
        settings: configuration as data instead of files
        timeout_ms: the run's deadline
        capture: keep what it prints in the result's `stdout` and `stderr`, else let it through

    Raises:
        LLMSpellError: what the script threw, with its `source` as `file:line`, or why it could
            not start.
    """
    from llmspell_bridge.engines import ScriptSource, engine_name, read_source
    from llmspell_bridge.runtime import ScriptRuntime
    from llmspell_bridge.streams import CapturedStreams, Streams
    from llmspell_core.config.sources import load

    path = Path(script)
    found = read_source(path) if source is None else ScriptSource(source, str(script))
    overrides = [f"default.model={model}"] if model else []
    loaded = load(script=found.path, data=settings, profile=profile, overrides=overrides)
    name = engine_name(found, engine, loaded.settings.scripts.default_engine)
    streams = CapturedStreams(stdin or "") if capture else Streams()
    async with ScriptRuntime(loaded, engine=name) as runtime:
        result = await runtime.run(
            found, args=args, params=params, streams=streams, timeout_ms=timeout_ms
        )
    if isinstance(streams, CapturedStreams):
        result.stdout, result.stderr = streams.stdout, streams.stderr
    return result


def run(script: str | Path, **options: Any) -> ScriptResult:
    """`arun` for code that has no event loop; same parameters, same result."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(arun(script, **options))
    raise RuntimeError("an event loop is running here: await llmspell.arun(...) instead")
