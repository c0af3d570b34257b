"""Runs cases of the conformance suite: one open ScriptRuntime for each engine and carrier."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance_cases import ENGINES, Case
from conformance_globals import EchoGlobal

from llmspell_bridge.engines import ScriptSource, load_engine
from llmspell_bridge.result import ScriptResult
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_core.config.settings import Settings
from llmspell_core.config.sources import Loaded
from llmspell_core.errors import LLMSpellError, ProviderError
from llmspell_core.testing import ScriptedProvider
from llmspell_core.testing.scripted import chunks, tool_call

#: Longer than this no case takes, however busy the machine is.
PATIENCE_S = 60
SUFFIXES = {"lua": ".lua", "js": ".js", "duktape": ".js"}


@dataclass(frozen=True, slots=True)
class Target:
    """An engine in one of its carriers."""

    engine: str
    carrier: str

    def __str__(self) -> str:
        return f"{self.engine}-{self.carrier}"


TARGETS = tuple(
    Target(engine, carrier)
    for engine in ENGINES
    for carrier in ("process", "worker")
    if (engine, carrier) != ("duktape", "process")
)


def missing(engine: str) -> str | None:
    """Why this engine cannot run here; None when it can."""
    try:
        load_engine(engine)
    except LLMSpellError as error:
        return str(error)
    return None


@dataclass(slots=True)
class Outcome:
    """How a case ended."""

    gives: Any = None
    prints: str = ""
    stderr: str = ""
    throws: dict[str, Any] = field(default_factory=dict)
    exit: int | None = None
    unhandled: list[str] = field(default_factory=list)

    def unlike(self, expected: dict[str, Any]) -> list[str]:
        """What is not as expected, one line each."""
        wanted = {"prints": "", "throws": {}, "exit": None, "unhandled": [], **expected}
        found: list[str] = []
        for name, value in wanted.items():
            got = getattr(self, name)
            if name == "throws":
                got = {key: got.get(key) for key in value} if value else got
            if not like(got, value):
                found.append(f"{name}: expected {value!r}, got {got!r}")
        return found


def like(got: Any, wanted: Any) -> bool:
    """Equal; numbers by value, and `...` in a wanted text stands for anything."""
    if isinstance(got, bool) or isinstance(wanted, bool):
        return got is wanted
    if isinstance(wanted, list) and isinstance(got, list):
        return len(got) == len(wanted) and all(map(like, got, wanted))
    if isinstance(wanted, dict) and isinstance(got, dict):
        return got.keys() == wanted.keys() and all(like(got[key], wanted[key]) for key in got)
    if isinstance(wanted, str) and isinstance(got, str) and "..." in wanted:
        return re.fullmatch(re.escape(wanted).replace(r"\.\.\.", "(?s:.*)"), got) is not None
    return bool(got == wanted)


class Rig:
    """Open runtimes, each made when the first case needs it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runner = asyncio.Runner()
        self._stack = contextlib.AsyncExitStack()
        self._runtimes: dict[str, ScriptRuntime] = {}

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *exc: object) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def run(self, case: Case, target: Target) -> Outcome:
        """Run a case to its end."""
        folder = self._folder / str(target) / case.slug
        with _in_folder(folder, case.given.get("files")):
            return self._runner.run(self._outcome(case, target, folder))

    async def _outcome(self, case: Case, target: Target, folder: Path) -> Outcome:
        streams = CapturedStreams(case.given.get("stdin", ""))
        found = Outcome()
        try:
            result = await asyncio.wait_for(self._run(case, target, folder, streams), PATIENCE_S)
        except LLMSpellError as error:
            found.throws = {key: _plain(value) for key, value in error.to_dict().items()}
        else:
            found.gives, found.exit = _plain(result.value), result.exit_code
            found.unhandled = [_plain(f"{one.source}: {one}") for one in result.unhandled]
        found.prints, found.stderr = _plain(streams.stdout), _plain(streams.stderr)
        return found

    async def _run(
        self, case: Case, target: Target, folder: Path, streams: CapturedStreams
    ) -> ScriptResult:
        runtime = await self._runtime(case, target, folder)
        given = case.given
        runtime.add_provider(ScriptedProvider(*map(_reply, given.get("replies", ()))))
        name = "spell" + SUFFIXES[target.engine]
        return await runtime.run(
            ScriptSource(case.sources[target.engine], name, folder / name),
            args=given.get("args"),
            params=given.get("params"),
            streams=streams,
            mode=given.get("mode", "script"),
            timeout_ms=given.get("timeout_ms"),
        )

    async def _runtime(self, case: Case, target: Target, folder: Path) -> ScriptRuntime:
        settings = {
            "default": {"model": f"scripted/{ScriptedProvider.default_model}"},
            "state": {"backend": "memory"},
            # `Storage` is on disk whatever `State` is.
            "system": {"data_dir": str(self._folder / f"data of {target}")},
            **case.given.get("settings", {}),
        }
        if profile := case.given.get("profile"):
            settings["security"] = {**settings.get("security", {}), "profile": profile}
        own = folder if "files" in case.given else None
        key = f"{target} {own} {json.dumps(settings, sort_keys=True)}"
        if key not in self._runtimes:
            loaded = Loaded.of(Settings.model_validate(settings), own or self._folder)
            runtime = ScriptRuntime(loaded, engine=target.engine, isolation=target.carrier)
            runtime.add_global(EchoGlobal)
            self._runtimes[key] = await self._stack.enter_async_context(runtime)
        return self._runtimes[key]


@contextlib.contextmanager
def _in_folder(folder: Path, files: dict[str, str] | None) -> Iterator[None]:
    """Work in a folder of a case's own, when it has files."""
    if files is None:
        yield
        return
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with contextlib.chdir(folder):
        yield


def _plain(value: Any) -> Any:
    """Data as a case can state it: scripts without endings, bytes as hexadecimal digits."""
    if isinstance(value, str):
        return re.sub(r"\bspell\.(?:lua|js)\b", "spell", value)
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {_plain(key): _plain(one) for key, one in value.items()}
    return value


def _reply(reply: Any) -> Any:
    """A reply: a text, `{call, arguments}`, `{chunks, delay_ms}`, `{error}`; a list of calls."""
    if isinstance(reply, list):
        return [_reply(one) for one in reply]
    if isinstance(reply, str):
        return reply
    if "call" in reply:
        return tool_call(reply["call"], **reply.get("arguments", {}))
    if "chunks" in reply:
        return chunks(*reply["chunks"], delay_ms=reply.get("delay_ms", 0))
    return ProviderError("the model refused", code=reply["error"])
