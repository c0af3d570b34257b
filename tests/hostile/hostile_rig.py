"""Runs hostile cases: an open ScriptRuntime for each engine, profile and set of limits.

    with Rig(folder) as rig:
        run = rig.run(case, "high")
        assert run.wrong == []

After each case the host must be as before it: it answers, and no worker, descriptor or task is
left over.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hostile_cases import CONTAINED, Case

from llmspell_bridge.engines import ScriptSource, load_engine
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_core.compute import close_helpers
from llmspell_core.config.settings import Settings
from llmspell_core.config.sources import Loaded
from llmspell_core.errors import LLMSpellError
from llmspell_core.testing import ScriptedProvider

LIMITS = {"cpu_s": 1, "wall_s": 2, "memory_mb": 64}
#: How long after its wall time a script may end, and the host may be kept from anything else.
GRACE_S = 1.0
#: A run that has not ended by then is broken off, and fails.
PATIENCE_S = 30
#: What is freed after the end (a killed worker, a closed socket) may take this long.
SETTLE_S = 1.0
#: How often the host's own task looks at the clock.
BEAT_S = 0.02

CONTROL = {
    "lua": "return Tool.execute('calculator', { input = '6 * 7' }).output",
    "js": "return (await Tool.execute('calculator', { input: '6 * 7' })).output",
    "duktape": "return Tool.execute('calculator', { input: '6 * 7' }).output",
}
ANSWER = 42
#: Has the host import what it imports when it is first used, so that no case is charged with it.
WARM = {
    "lua": "Tool.list()"
    " Workflow.sequential{ steps = { { execute = function() return 1 end } } }:execute()"
    " return Agent.new{ system_prompt = 'x' }:execute('hi').text",
    "js": "await Tool.list();"
    " await (await Workflow.sequential({ steps: [{ execute: () => 1 }] })).execute();"
    " return (await (await Agent.new({ system_prompt: 'x' })).execute('hi')).text",
    "duktape": "Tool.list();"
    " Workflow.sequential({ steps: [{ execute: function () { return 1 } }] }).execute();"
    " return Agent.new({ system_prompt: 'x' }).execute('hi').text",
}


def missing(engine: str) -> str | None:
    """Why this engine cannot run here; None when it can."""
    try:
        load_engine(engine)
    except LLMSpellError as error:
        return str(error)
    return None


@dataclass(frozen=True, slots=True)
class Held:
    """What the host holds: child processes, descriptors, tasks of its loop."""

    workers: int
    descriptors: int
    tasks: int

    @classmethod
    def now(cls) -> Held:
        """As the system and the running loop count them; 0 where they cannot be counted."""
        # Helpers of tools that wait for the next call are nobody's who has ended.
        close_helpers()
        return cls(_children(), _entries("/proc/self/fd"), len(asyncio.all_tasks()))

    def more_than(self, before: Held) -> list[str]:
        """What there is more of than before, one line each."""
        return [
            f"{getattr(self, name) - getattr(before, name)} {name} left over"
            for name in ("workers", "descriptors", "tasks")
            if getattr(self, name) > getattr(before, name)
        ]


@dataclass(slots=True)
class Run:
    """How a case ended, and what is wrong with that."""

    case: Case
    profile: str
    outcome: str = "never ended"
    message: str = ""
    value: Any = None
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0
    #: The longest time for which the host could do nothing else.
    stalled_s: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def judge(self, most_s: float) -> None:
        """Compare to what the case states."""
        case = self.case
        if self.outcome not in case.expect:
            self.wrong.append(f"expected {case.expect}, got {self.outcome}: {self.message[:300]}")
        elif self.outcome == "ok" and case.output is not None:
            if self.stdout.strip() != case.output:
                self.wrong.append(f"printed {self.stdout[:300]!r}, not {case.output!r}")
        elif self.outcome == "ok" and self.value != CONTAINED:
            self.wrong.append(f"returned {str(self.value)[:300]!r}, not {CONTAINED!r}")
        if self.seconds > most_s:
            self.wrong.append(f"ended after {self.seconds:.2f} s, at most {most_s:.2f} s are right")
        if self.stalled_s > GRACE_S:
            self.wrong.append(f"the host was kept from everything else for {self.stalled_s:.2f} s")


class Rig:
    """Open runtimes, each made when the first case needs it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runner = asyncio.Runner()
        self._stack = contextlib.AsyncExitStack()
        self._runtimes: dict[str, ScriptRuntime] = {}
        self._provider = ScriptedProvider(default="Hello.")
        self._warm = False

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *exc: object) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def run(self, case: Case, profile: str) -> Run:
        """Run a case to its end under a profile, and check the host after it."""
        return self._runner.run(self._checked(case, profile))

    def many(self, plan: Iterable[tuple[Case, str]], at_once: int = 2) -> list[str]:
        """Run cases under profiles, some at once; one line for each that ended otherwise."""
        wrong: list[str] = []
        left = iter(plan)

        async def work() -> None:
            for case, profile in left:
                run = await self.once(case, profile)
                if run.outcome not in case.expect:
                    wrong.append(f"{case}, {profile}: {run.outcome}: {run.message[:200]}")

        async def all_of_them() -> None:
            await asyncio.gather(*(work() for _ in range(at_once)))

        self._runner.run(all_of_them())
        return wrong

    async def _checked(self, case: Case, profile: str) -> Run:
        runtime = await self._runtime(case, profile)
        before = Held.now()
        run = await self.once(case, profile)
        # The start of a worker is not the script's: a control spell says what it takes now.
        started = time.monotonic()
        error = await self.control(runtime)
        start_s = time.monotonic() - started
        run.judge(case.limits.get("wall_s", LIMITS["wall_s"]) + GRACE_S + start_s)
        if error:
            run.wrong.append(f"the host does not answer: {error}")
        if await _left_over(before):
            # A helper that waits for the next call is no leak: one more with each run is.
            before = Held.now()
            await self.once(case, profile)
            run.wrong += await _left_over(before)
        return run

    async def once(self, case: Case, profile: str) -> Run:
        """Run a case and nothing else."""
        run = Run(case, profile)
        runtime = await self._runtime(case, profile)
        streams = CapturedStreams()
        name = f"{case.name}.{'lua' if case.engine == 'lua' else 'js'}"
        source = ScriptSource(case.source, name, self._folder / name)
        beat = asyncio.create_task(_beat(run))
        started = time.monotonic()
        try:
            result = await asyncio.wait_for(runtime.run(source, streams=streams), PATIENCE_S)
        except LLMSpellError as error:
            run.outcome, run.message = error.code, str(error)
        except TimeoutError:
            run.message = f"broken off after {PATIENCE_S} s"
        else:
            run.outcome, run.value, run.exit_code = "ok", result.value, result.exit_code
        run.seconds = time.monotonic() - started
        beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beat
        run.stdout, run.stderr = streams.stdout, streams.stderr
        self._provider.requests.clear()
        return run

    async def control(self, runtime: ScriptRuntime) -> str | None:
        """Ask the host for a sum by a small spell; what is wrong with the answer."""
        source = ScriptSource(CONTROL[runtime.engine_name], "control", None)
        try:
            work = runtime.run(source, streams=CapturedStreams())
            value = (await asyncio.wait_for(work, PATIENCE_S)).value
        except (LLMSpellError, TimeoutError) as error:
            return repr(error)
        return None if value == ANSWER else f"{value!r} for {ANSWER}"

    async def _warm_up(self, case: Case, profile: str) -> None:
        runtime = await self._runtime(case, profile)
        source = ScriptSource(WARM[case.engine], "warm", None)
        with contextlib.suppress(LLMSpellError):  # what is wrong, the cases will show
            await runtime.run(source, streams=CapturedStreams())
        for tool in runtime.base.tools.entries():
            with contextlib.suppress(LLMSpellError):  # an extra that is not installed
                tool.load()

    async def _runtime(self, case: Case, profile: str) -> ScriptRuntime:
        if not self._warm:
            self._warm = True
            await self._warm_up(replace(case, limits={"wall_s": 30, "cpu_s": 10}), profile)
        limits = {**LIMITS, **case.limits}
        key = f"{case.engine} {profile} {json.dumps(limits, sort_keys=True)}"
        if key not in self._runtimes:
            settings = {
                "default": {"model": f"scripted/{ScriptedProvider.default_model}"},
                # What scripts store is on disk, in there.
                "system": {"data_dir": str(self._folder / f"{case.engine} {profile}")},
                "security": {
                    "profile": profile,
                    "limits": limits,
                    # Nothing that a case tries may leave the machine.
                    "network": {"allowed_hosts": []},
                },
            }
            loaded = Loaded.of(Settings.model_validate(settings), self._folder)
            runtime = ScriptRuntime(loaded, engine=case.engine, isolation="worker")
            runtime.add_provider(self._provider)
            self._runtimes[key] = await self._stack.enter_async_context(runtime)
            # The first run of a runtime opens what stays open, as the state's store.
            await self.control(runtime)
        return self._runtimes[key]


async def _beat(run: Run) -> None:
    """Note how late the host comes to do anything."""
    while True:
        asleep = time.monotonic()
        await asyncio.sleep(BEAT_S)
        run.stalled_s = max(run.stalled_s, time.monotonic() - asleep - BEAT_S)


async def _left_over(before: Held) -> list[str]:
    until = time.monotonic() + SETTLE_S
    while left := Held.now().more_than(before):
        if time.monotonic() > until:
            return left
        gc.collect()
        await asyncio.sleep(BEAT_S)
    return []


def _children() -> int:
    """Child processes of this one, whichever thread started them."""
    count = 0
    for path in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            count += len(path.read_text(encoding="ascii").split())
    return count


def _entries(folder: str) -> int:
    return len(os.listdir(folder)) if Path(folder).is_dir() else 0  # noqa: PTH208 - only counted
