"""The guest module itself, here in the process of the tests, with harmless scripts only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import EngineHost, engine_host, manifest
from llmspell_core.errors import ScriptError

pytest.importorskip("pyduktape2")

UTILS = manifest("Utils", guest=("slug", "hash"))


def play(body: Callable[[EngineHost], Awaitable[Any]], **options: Any) -> Any:
    async def main() -> Any:
        async with engine_host(
            "llmspell_duktape.guest",
            "process",
            **{"globals": [manifest("Tool", "add", "slow"), UTILS], **options},
        ) as host:

            async def slow(value: Any) -> Any:
                await asyncio.sleep(0.001)
                return value

            host.methods["Tool.slow"] = slow
            host.methods["Tool.add"] = lambda a, b: a + b
            return await asyncio.wait_for(body(host), 20)

    return asyncio.run(main())


def test_calls_may_be_answered_at_once_or_later() -> None:
    source = "return [Tool.add(1, 2), Tool.slow('é 😀'), Utils.slug('A B')]"
    assert play(lambda host: host.run(source)) == [3, "é \U0001f600", "a-b"]


def test_errors_of_host_and_natives_are_those_of_the_script() -> None:
    async def body(host: EngineHost) -> None:
        for source, code in (("Tool.add(1)", "host.failed"), ("Utils.slug()", "input.invalid")):
            with pytest.raises(ScriptError) as caught:
                await host.run(f"\n{source}", "spell.js")
            assert (caught.value.code, caught.value.source) == (code, "spell.js:2")

    play(body)


def test_what_the_host_asks_during_a_call_runs_after_it() -> None:
    async def body(host: EngineHost) -> Any:
        function = await host.run("order = []; return function (v) { order.push(v) }")

        def add(_a: int, _b: int) -> str:
            host.session.invoke(99, function.handle, '["callback"]')
            return "call"

        host._ends[99] = asyncio.get_running_loop().create_future()
        host.methods["Tool.add"] = add
        return await host.run("order.push(Tool.add(1, 2)); Async.sleep(20); return order")

    assert sorted(play(body)) == ["call", "callback"]


def test_output_and_logs_and_places_reach_the_channel() -> None:
    class Host(EngineHost):
        def __init__(self) -> None:
            super().__init__()
            self.places: list[str] = []

        def busy(self, place: str) -> None:
            self.places.append(place)

    async def main() -> None:
        host = Host()
        async with engine_host("llmspell_duktape.guest", "process", host=host):
            await host.run("print('é');\nLogger.info('l', {n: 1})", "spell.js")
        assert host.output["stdout"] == "é\n"
        assert host.logs == [{"level": "info", "message": "l", "fields": {"n": 1}}]
        assert host.places == ["spell.js:1"]

    asyncio.run(main())


def test_a_session_that_is_stopped_fails_what_is_open_and_what_comes() -> None:
    async def body(host: EngineHost) -> None:
        _, end = host.start("Async.sleep(60000)")
        host.session.interrupt("script.wall_limit", "time is up")
        with pytest.raises(ScriptError) as caught:
            await end
        assert (caught.value.code, caught.value.message) == ("script.wall_limit", "time is up")
        assert host.cancelled
        assert host.session.idle()
        with pytest.raises(ScriptError) as caught:
            await host.run("return 1")
        assert caught.value.code == "script.wall_limit"

    play(body)


def test_nothing_runs_in_a_closed_session() -> None:
    async def body(host: EngineHost) -> None:
        host.session.close()
        with pytest.raises(ScriptError) as caught:
            await host.run("return 1")
        assert caught.value.code == "script.closed"
        host.session.cancel(5)
        host.session.release([1])
        assert host.session.idle()

    play(body)


def test_a_run_that_is_cancelled_and_one_that_is_not_there() -> None:
    async def body(host: EngineHost) -> None:
        number, end = host.start("Async.sleep(60000)")
        host.session.cancel(number)
        host.session.cancel(number + 1)
        with pytest.raises(ScriptError) as caught:
            await end
        assert caught.value.code == "cancelled"

    play(body)
