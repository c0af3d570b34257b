"""Runs one file of tests: a script of its own session, whose tests the host calls one by one."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmspell_bridge.engines import engine_name, load_engine, read_source
from llmspell_bridge.spelltest.declared import TestGlobal
from llmspell_bridge.spelltest.results import (
    BROKEN,
    FAILED,
    NOT_RUN,
    PASSED,
    FileReport,
    TestResult,
)
from llmspell_bridge.spelltest.setup import TestRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_core.errors import DeadlineError, LLMSpellError, ScriptError

if TYPE_CHECKING:
    from llmspell_bridge.engines import ScriptSource
    from llmspell_bridge.session import HostSession
    from llmspell_core.approval import Approver
    from llmspell_core.config.sources import Loaded
    from llmspell_core.security.profile import SecurityProfile

#: How long a test may take, and how long it then has to unwind, in seconds.
TEST_S = 10.0
UNWIND_S = 1.0
#: The name of the text that makes `Test`: engines leave it out of the places they tell.
OWN = "llmspell:test"
_LANGUAGES = {"lua": "lua", "js": "js", "javascript": "js"}


async def run_file(
    path: Path,
    loaded: Loaded,
    *,
    engine: str | None = None,
    timeout_s: float = TEST_S,
    match: str = "",
    approver: Approver | None = None,
    recording: bool = False,
) -> FileReport:
    """Run the tests of one file, in a runtime of its own with state in memory; raises nothing.

    Args:
        path: the file
        loaded: its settings
        engine: the engine, where it is not the file's own
        timeout_s: the most a single test may take
        match: run only tests whose name has this text in it
        approver: answers where a tool's call must be approved
        recording: cassettes are recorded, not played
    """
    started = time.perf_counter()
    streams = CapturedStreams()
    driver: _Driver | None = None
    name, text, error = "", "", None
    try:
        source = read_source(path)
        text = source.text
        name = engine_name(source, engine, loaded.settings.scripts.default_engine)
        driver = _Driver(load_engine(name).info.language, timeout_s, match)
        runtime = TestRuntime(
            loaded, engine=name, approver=approver, folder=path.parent, recording=recording
        )
        await _run(source, runtime, driver, streams)
    except LLMSpellError as failed:
        error = None if driver and driver.tells_all(failed) else failed
    else:
        error = driver.problem()
    return FileReport(
        path=path,
        engine=name,
        text=text,
        tests=driver.results if driver else [],
        error=error,
        duration_ms=(time.perf_counter() - started) * 1000,
        printed=streams.stdout + streams.stderr,
    )


async def _run(
    source: ScriptSource, runtime: TestRuntime, driver: _Driver, streams: CapturedStreams
) -> None:
    runtime.add_global(TestGlobal)
    async with runtime:
        policy = runtime.policy
        runtime.policy = policy.with_profile(_with_modules(policy.profile))
        result = await runtime.run(source, streams=streams, companion=driver)
    if result.exit_code is not None:
        raise ScriptError(
            f"it ended the run with {result.exit_code}",
            code="test.exit",
            hint="a file of tests only declares them: leave out os.exit and process.exit",
        )
    for failed in result.unhandled:
        raise failed


def _with_modules(profile: SecurityProfile) -> SecurityProfile:
    """The profile, but modules need no pin: what is tested is being written.

    They are read where the test itself lies, and may do what it may. A profile that loads none
    still loads none.
    """
    modules = profile.modules
    if modules.mode == "listed":
        modules = modules.model_copy(update={"mode": "all"})
    within = profile.within and _with_modules(profile.within)
    return profile.model_copy(update={"modules": modules, "within": within})


class _Driver:
    """The companion of a file: declares `Test`, then calls each test it has collected."""

    def __init__(self, language: str, timeout_s: float, match: str) -> None:
        self.results: list[TestResult] = []
        self._language = language
        self._timeout_s = timeout_s
        self._match = match
        self._functions: dict[str, Callable[..., Awaitable[Any]]] = {}
        self._declared = 0
        #: When the running test must have ended, on the monotonic clock.
        self._until = math.inf
        self._declaring: asyncio.TimerHandle | None = None

    async def before(self, session: HostSession) -> None:
        on_busy = session.on_busy

        def look() -> None:
            on_busy()
            if time.monotonic() > self._until + UNWIND_S:
                session.stop(self._late())

        # A script that computes in this process blocks the loop, and with it the timeout.
        session.on_busy = look
        suffix = _LANGUAGES.get(self._language)
        if suffix is None:
            raise ScriptError(
                f"there is no Test global in {self._language}",
                code="engine.unavailable",
                hint="tests are written in Lua or JavaScript",
            )
        text = resources.files(__package__).joinpath(f"test.{suffix}").read_text("utf-8")
        self._functions = await session.run(text, OWN, "script")
        self._until = time.monotonic() + self._timeout_s
        loop = asyncio.get_running_loop()
        self._declaring = loop.call_later(self._timeout_s, self._stop_declaring, session)

    def _stop_declaring(self, session: HostSession) -> None:
        late = self._late()
        late.message = f"declaring its tests took longer than {self._timeout_s:g} s"
        session.stop(late)

    async def after(self, session: HostSession) -> None:
        try:
            tests = await self._functions["collect"]()
        finally:
            self._stop_watching()
        self._declared = len(tests)
        wanted = [(n + 1, _result(one)) for n, one in enumerate(tests)]
        wanted = [one for one in wanted if self._match.lower() in one[1].name.lower()]
        for index, test in wanted:
            ended = session.ended is not None
            not_run = TestResult(test.title, test.suite, NOT_RUN)
            self.results.append(not_run if ended else await self._one(session, index, test))

    async def _one(self, session: HostSession, index: int, test: TestResult) -> TestResult:
        started = time.perf_counter()
        already = len(session.report.unhandled)
        error: LLMSpellError | None = None
        try:
            await self._within(session, self._functions["run"](index))
        except LLMSpellError as failed:
            error = failed
        lost = session.report.unhandled[already:]
        # Shown with the test that they belong to, and nowhere else.
        del session.report.unhandled[already:]
        error = error or (lost[0] if lost else None)
        _leave_out_ours(error)
        took = (time.perf_counter() - started) * 1000
        return TestResult(test.title, test.suite, _outcome(error), error, took)

    async def _within(self, session: HostSession, call: Awaitable[Any]) -> None:
        """Wait for a test: past its time it is cancelled, and ended with its file if it must be."""
        task = asyncio.ensure_future(call)
        self._until = time.monotonic() + self._timeout_s
        try:
            done, _ = await asyncio.wait([task], timeout=self._timeout_s)
            if done:
                task.result()
                return
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=UNWIND_S)
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            self._until = math.inf
        late = self._late()
        if not session.quiet:
            # It computes and does not listen: its file ends with it.
            session.stop(late)
            late.source = session.ended.source if session.ended else None
        raise late

    def _stop_watching(self) -> None:
        self._until = math.inf
        if self._declaring is not None:
            self._declaring.cancel()

    def _late(self) -> DeadlineError:
        return DeadlineError(
            f"it took longer than {self._timeout_s:g} s",
            code="test.timeout",
            hint="raise --timeout",
        )

    def tells_all(self, error: LLMSpellError) -> bool:
        """Whether a test's own result already says why the file ended."""
        broken = (one.error for one in self.results if one.error is not None)
        return any(one.code == error.code for one in broken)

    def problem(self) -> LLMSpellError | None:
        """A file without a single test is one that nobody meant."""
        if self._declared:
            return None
        return ScriptError("it declares no test", code="test.none", hint="Test.it(title, function)")


def _result(found: dict[str, Any]) -> TestResult:
    return TestResult(str(found["title"]), tuple(map(str, found["suite"])))


def _leave_out_ours(error: LLMSpellError | None) -> None:
    """Leave the text of `Test` itself out of the places: some engines name it as the script's."""
    if error is None or not error.stack:
        return
    lines = [line for line in error.stack.splitlines() if OWN not in line]
    error.stack = "\n".join(lines) or None
    if (error.source or "").startswith(OWN):
        found = re.search(r"([^\s(]+:\d+)", error.stack or "")
        error.source = found[1] if found else None


def _outcome(error: LLMSpellError | None) -> str:
    if error is None:
        return PASSED
    return FAILED if error.code == "test.failed" else BROKEN
