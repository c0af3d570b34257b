"""The five phases of a ScriptRuntime: their order, their failures, and what is left behind."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from llmspell_bridge import isolation
from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.testing import CARRIERS, run_source, script_runtime
from llmspell_core import extensions
from llmspell_core.errors import ExtensionError, LLMSpellError, PolicyError, ScriptError
from llmspell_core.lifecycle import AGENTS_ONLY, TOOLS_ONLY, Phase, RuntimeMode, SelectiveInit

ORDER = [Phase.INFRASTRUCTURE, Phase.PROVIDERS, Phase.CORE, Phase.ENGINE, Phase.GLOBALS]
SETTINGS = {"state": {"backend": "memory"}}

each_carrier = pytest.mark.parametrize("carrier", CARRIERS)


def children() -> set[str]:
    """The processes that this one has started and that still exist."""
    folder = Path("/proc/self/task")
    if not folder.exists():
        pytest.skip("no /proc here")
    return {pid for task in folder.iterdir() for pid in (task / "children").read_text().split()}


class Observed(ScriptRuntime):
    """Records its phases; one of them may fail as it is entered."""

    def __init__(self, fails: Phase | None = None, **options: Any) -> None:
        self.seen: list[tuple[Phase, bool]] = []
        self._fails = fails
        super().__init__(SETTINGS, on_phase=lambda *what: self.seen.append(what), **options)

    def phases(self) -> Any:
        def failing() -> Any:
            @asynccontextmanager
            async def fail() -> AsyncIterator[None]:
                raise ValueError(f"no {self._fails}")
                yield

            return fail()

        return [
            (phase, failing if phase is self._fails else enter) for phase, enter in super().phases()
        ]


@each_carrier
def test_phases_are_entered_in_order_and_left_in_reverse(carrier: str) -> None:
    async def main() -> None:
        runtime = Observed(isolation=carrier)
        async with runtime:
            assert runtime.seen == [(phase, True) for phase in ORDER]
            await run_source(runtime, "return 1")
        assert runtime.seen[5:] == [(phase, False) for phase in reversed(ORDER)]

    asyncio.run(main())


@each_carrier
@pytest.mark.parametrize("fails", ORDER)
def test_a_failing_phase_unwinds_the_earlier_ones_and_is_reported(
    carrier: str, fails: Phase
) -> None:
    async def main() -> None:
        before, tasks = children(), asyncio.all_tasks()
        runtime = Observed(fails, isolation=carrier)
        with pytest.raises(ValueError, match=f"no {fails}"):
            await runtime.__aenter__()
        entered = ORDER[: ORDER.index(fails)]
        assert runtime.seen == [
            *((phase, True) for phase in entered),
            *((phase, False) for phase in reversed(entered)),
        ]
        assert children() == before
        assert asyncio.all_tasks() == tasks
        with pytest.raises(RuntimeError, match="not open"):
            _ = runtime.carrier

    asyncio.run(main())


def test_a_phase_that_fails_as_it_is_left_does_not_keep_the_others_open() -> None:
    class Leaving(Observed):
        def phases(self) -> Any:
            @asynccontextmanager
            async def badly() -> AsyncIterator[None]:
                yield
                raise ValueError("cannot leave")

            found = super().phases()
            return [*found[:3], (Phase.ENGINE, badly), found[4]]

    async def main() -> None:
        runtime = Leaving()
        with pytest.raises(ValueError, match="cannot leave"):
            async with runtime:
                pass
        left = [phase for phase, entered in runtime.seen if not entered]
        assert left == [Phase.GLOBALS, Phase.ENGINE, Phase.CORE, Phase.PROVIDERS,
                        Phase.INFRASTRUCTURE]  # fmt: skip

    asyncio.run(main())


@each_carrier
def test_nothing_is_left_behind(carrier: str) -> None:
    async def main() -> None:
        before, tasks = children(), asyncio.all_tasks()
        async with script_runtime(isolation=carrier) as runtime:
            await run_source(runtime, "return 1")
            for source in ("error('x')", "Async.spawn(function() error('y') end)", "os.exit(2)"):
                with pytest.raises(ScriptError) if source[0] == "e" else nullcontext():
                    await run_source(runtime, source)
            running = asyncio.ensure_future(run_source(runtime, "Async.sleep(60000)"))
            await asyncio.sleep(0.05)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert len(children() - before) <= 1
        assert children() == before
        assert asyncio.all_tasks() == tasks

    asyncio.run(main())
    gc.collect()  # what was left open would be heard of here


@each_carrier
def test_closing_a_runtime_ends_the_runs_that_are_still_open(carrier: str) -> None:
    async def main() -> LLMSpellError:
        before = children()
        async with script_runtime(isolation=carrier) as runtime:
            running = asyncio.ensure_future(run_source(runtime, "while true do Async.sleep(5) end"))
            await asyncio.sleep(0.1)
        with pytest.raises(LLMSpellError) as caught:
            await running
        assert children() == before
        return caught.value

    error = asyncio.run(main())
    assert (error.code, error.message) == ("script.ended", "the runtime was closed")


def test_a_runtime_that_was_closed_runs_nothing() -> None:
    async def main() -> None:
        async with script_runtime() as runtime:
            pass
        with pytest.raises(RuntimeError, match="not open"):
            await run_source(runtime, "return 1")

    asyncio.run(main())


def test_an_unknown_engine_is_known_before_anything_is_opened() -> None:
    async def main() -> None:
        runtime = ScriptRuntime(SETTINGS, engine="luaa")
        with pytest.raises(ExtensionError) as caught:
            await runtime.__aenter__()
        assert caught.value.code == "engine.unavailable"
        assert caught.value.hint == 'did you mean "lua"?'

    asyncio.run(main())


def test_a_profile_that_needs_a_sandbox_refuses_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def probed() -> list[isolation.Layer]:
        return [isolation.Layer("landlock", "Landlock", "this kernel has none")]

    async def main() -> None:
        monkeypatch.setattr(isolation, "layers", probed)
        before = children()
        runtime = ScriptRuntime({**SETTINGS, "security": {"profile": "high"}})
        with pytest.raises(PolicyError) as caught:
            await runtime.__aenter__()
        assert caught.value.code == "security.no_sandbox"
        assert "Landlock: this kernel has none" in caught.value.message
        assert children() == before

    asyncio.run(main())


@pytest.mark.parametrize("mode", RuntimeMode)
def test_every_mode_runs_scripts(mode: RuntimeMode) -> None:
    async def main() -> Any:
        async with script_runtime(mode=mode) as runtime:
            assert runtime.mode is mode
            return (await run_source(runtime, "return 2")).value

    assert asyncio.run(main()) == 2


# -- which kinds are set up ------------------------------------------------------------------------

PROVIDER = """
from llmspell_core.provider import Provider
made = []
class RecordingProvider(Provider):
    def __init__(self, config, runtime):
        made.append(config.name)
        super().__init__(config, runtime)
    async def complete(self, request, ctx): raise AssertionError
    async def list_models(self): return []
    def stream(self, request, ctx): raise AssertionError
"""


@pytest.fixture
def recording_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed provider that records that it was imported and made."""
    folder = tmp_path / "acme"
    info = folder / "acme_provider-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-provider\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[llmspell.providers]\nacme = acme_provider_module:RecordingProvider\n"
    )
    (folder / "acme_provider_module.py").write_text(PROVIDER)
    monkeypatch.syspath_prepend(str(folder))
    extensions._scan.cache_clear()
    yield
    extensions._scan.cache_clear()
    sys.modules.pop("acme_provider_module", None)


def kinds_seen(init: SelectiveInit) -> tuple[list[str], Any]:
    """Which globals a script sees, and what a tool gives it."""

    async def main() -> Any:
        settings = {
            **SETTINGS,
            "default": {"model": "acme/x"},
            "providers": {"acme": {"type": "acme", "base_url": "http://127.0.0.1:9"}},
        }
        async with ScriptRuntime(settings, init=init, isolation="process") as runtime:
            source = (
                'local seen = JSON.array{} for _, name in ipairs{"Agent", "Models", "Provider", '
                '"Tool", "Workflow", "State"} do if _G[name] then seen[#seen + 1] = name end end '
                "return {seen, Tool and "
                'Tool.execute("calculator", {expression = "6*7"}).output or 0}'
            )
            return (await runtime.run(ScriptSource(source, "x.lua"))).value

    seen, output = asyncio.run(main())
    return seen, output


@pytest.mark.usefixtures("recording_provider")
def test_tools_only_touches_no_provider_and_hides_what_needs_one() -> None:
    assert kinds_seen(TOOLS_ONLY) == (["Tool", "State"], 42)
    assert "acme_provider_module" not in sys.modules


@pytest.mark.usefixtures("recording_provider")
def test_a_full_runtime_makes_a_provider_only_when_it_is_asked_for() -> None:
    async def main() -> list[str]:
        settings = {
            **SETTINGS,
            "providers": {"acme": {"type": "acme", "base_url": "http://127.0.0.1:9"}},
        }
        async with ScriptRuntime(settings, isolation="process") as runtime:
            await runtime.run(ScriptSource("return 1", "x.lua"))
            assert "acme_provider_module" not in sys.modules
            runtime.provider("acme")
            made: list[str] = sys.modules["acme_provider_module"].made
            return made

    assert asyncio.run(main()) == ["acme"]


def test_other_selections_show_their_globals() -> None:
    all_of_them = ["Agent", "Models", "Provider", "Tool", "Workflow", "State"]
    assert kinds_seen(AGENTS_ONLY)[0] == ["Agent", "Models", "Provider", "Tool", "State"]
    assert kinds_seen(SelectiveInit.custom())[0] == ["State"]
    assert kinds_seen(SelectiveInit.custom("tools", "agents", "workflows", "providers"))[0] == (
        all_of_them
    )


def test_a_kind_that_was_left_out_is_an_error_that_says_so() -> None:
    async def main() -> None:
        async with script_runtime(init=TOOLS_ONLY) as runtime:
            with pytest.raises(LLMSpellError) as caught:
                await run_source(runtime, "Agent.new('x')")
            assert caught.value.hint == (
                "Agent is installed but left out of this runtime; see: llmspell plugins"
            )

    asyncio.run(main())
