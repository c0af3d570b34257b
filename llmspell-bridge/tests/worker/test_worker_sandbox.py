"""A worker under all its layers: nothing gets out, and all that scripts may do still works."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest

from llmspell_bridge.isolation import layers
from llmspell_bridge.selftest import LIMITS, selftest
from llmspell_bridge.testing import run_source, script_runtime
from llmspell_bridge.worker import selftest_guest
from llmspell_bridge.worker.process import Process
from llmspell_bridge.worker.proxy import WorkerSession
from llmspell_bridge.worker.testing import EngineHost, engine_host
from llmspell_core.errors import ScriptError
from llmspell_core.script.natives import NATIVES

LACKING = [f"{one.text}: {one.missing}" for one in layers() if one.missing]

pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"no sandbox here: {'; '.join(LACKING)}")

each_isolation = pytest.mark.parametrize("isolation", ["worker", "sandbox"])


# -- out of it -----------------------------------------------------------------------------------


@each_isolation
def test_no_attempt_to_break_out_succeeds(isolation: str) -> None:
    held, attempts = asyncio.run(selftest(isolation))
    assert {one.name for one in layers()} <= {*held}
    assert [one for one in attempts if one.escaped] == []
    assert len(attempts) == len(selftest_guest.attempts()) > 20


@pytest.mark.parametrize("name", ["read", "list"])
def test_the_attempts_are_real_ones(name: str, tmp_path: Any) -> None:
    """Without the sandbox the harmless ones of them succeed."""
    (tmp_path / "secret.txt").write_text("secret")

    async def main() -> Any:
        async with engine_host(
            selftest_guest.__name__, "worker", limits=LIMITS, isolation="process"
        ) as host:
            return await host.run(json.dumps({"attempt": name, "folder": str(tmp_path)}))

    escaped, got = asyncio.run(main())
    assert escaped, got


def test_a_refused_call_ends_a_strict_worker_with_a_reason() -> None:
    async def main() -> None:
        async with engine_host(selftest_guest.__name__, "worker", isolation="sandbox") as host:
            with pytest.raises(ScriptError, match="its sandbox forbids") as caught:
                await host.run(json.dumps({"attempt": "list", "folder": ""}))
            assert caught.value.code == "script.crashed"

    asyncio.run(main())


# -- in it ---------------------------------------------------------------------------------------

#: One call of each native, as arguments in Lua.
CALLS = {
    "Utils.uuid": "",
    "Utils.hash": "'abc'",
    "Utils.now": "",
    "Utils.slug": "'\u00c4rger im B\u00fcro'",
    "Utils.truncate": "'a long text', 5",
    "Utils.template": "'hello {{name}}', {name = 'Ada'}",
}
FEATURES = """
local found = {}
for _, name in ipairs{"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256",
                      "sha3_512", "blake2b"} do
  found[name] = #Utils.hash("abc", name)
end
found.bytes = Utils.hash("\\xff\\xfe")
found.date = os.date("%Y-%m-%d %H:%M:%S", 0)
found.utc = os.date("!%Y-%m-%d %H:%M:%S", 0)
found.full = #os.date("%c %x %X %p %A %B %Z")
found.back = os.time(os.date("*t", 86400))
found.clock = os.clock() >= 0
found.json = JSON.parse(JSON.stringify{a = {1, 2.5, "\\u{e9}"}})
found.number = string.format("%g %5.2f %q", 1e300, 1.005, "x")
found.case = ("abc"):upper() .. utf8.char(233, 8364)
found.sorted = table.concat(table.pack(table.unpack{3, 1, 2}), ",")
found.random = math.random(1, 1) + math.floor(math.random())
found.text = tostring(pcall(error, {}))
found.syntax = select("#", load("return +"))
found.load = load("return 1 + 1")()
found.error = select(2, pcall(function() local x = nil; return x.y end))
local tasks = {}
for i = 1, 20 do tasks[i] = Async.spawn(function() Async.sleep(1) return i end) end
found.async = #Async.all(tasks)
local co = coroutine.wrap(function() coroutine.yield(1) end)
found.coroutine = co()
Logger.info("a message", {x = 1})
io.write("out\\n") io.stderr:write("err\\n")
collectgarbage()
local list = {}
for i = 1, 2e5 do list[i] = {i, tostring(i)} end
list = nil
collectgarbage()
return found
"""


@pytest.mark.parametrize("profile", ["medium", "high"])
def test_everything_that_a_script_may_do_works_in_it(profile: str) -> None:
    """Under `high` a single call that the sandbox does not expect would end the worker."""
    assert {*CALLS} == {*NATIVES}, "a new native: call it here, and preload what it imports"
    natives = "".join(f"assert({name}({args}) ~= nil)\n" for name, args in CALLS.items())

    async def main() -> Any:
        settings = {"security": {"profile": profile}}
        async with script_runtime(isolation="worker", settings=settings) as runtime:
            return await run_source(runtime, natives + FEATURES)

    found = asyncio.run(main()).value
    assert found["utc"] == "1970-01-01 00:00:00"
    assert found["back"] == 86400
    assert found["async"] == 20
    assert found["sha3_512"] == 128
    assert found["json"] == {"a": [1, 2.5, "\u00e9"]}


@pytest.mark.skipif(sys.platform == "win32", reason="zones are named otherwise")
@pytest.mark.parametrize(
    ("zone", "hour"), [("UTC", "00"), ("EST5EDT", "19"), ("<+03>-3", "03"), (None, None)]
)
@each_isolation
def test_dates_are_in_the_hosts_time_zone(
    zone: str | None, hour: str | None, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    if zone is None:
        monkeypatch.delenv("TZ", raising=False)
    else:
        monkeypatch.setenv("TZ", zone)
    time.tzset()
    expected = time.strftime("%H", time.localtime(0))

    async def main() -> Any:
        async with engine_host(
            "llmspell_lua.guest",
            "worker",
            requires=("lupa", "llmspell_lua"),
            isolation=isolation,
        ) as host:
            first = await host.run("return os.date('%H', 0)")
            assert await host.run("return os.date('%H', 0)") == first
            return first

    try:
        assert asyncio.run(main()) == expected
        assert hour in (None, expected)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_limits_still_end_a_script_in_their_own_way() -> None:
    async def end(source: str) -> str:
        settings = {
            "security": {"profile": "high", "limits": {"cpu_s": 0.3, "wall_s": 3, "memory_mb": 16}}
        }
        async with script_runtime(settings=settings) as runtime:
            with pytest.raises(ScriptError) as caught:
                await run_source(runtime, source)
            return caught.value.code

    async def main() -> None:
        assert await end("while true do end") == "script.cpu_limit"
        assert await end("local t = {} while true do t[#t + 1] = ('x'):rep(1e5) .. #t end") == (
            "script.memory_limit"
        )
        assert await end("return ('x'):rep(1e5):find(('x*'):rep(30) .. 'y')") in (
            "script.cpu_limit",
            "script.wall_limit",
        )

    asyncio.run(main())


def test_a_worker_says_which_layers_hold_it() -> None:
    async def held(isolation: str) -> list[str]:
        session = WorkerSession(
            Process("llmspell_lua.guest", ("lupa", "llmspell_lua")),
            EngineHost(),
            {"isolation": isolation},
        )
        try:
            return await session.started()
        finally:
            session.close()

    async def main() -> None:
        assert await held("process") == ["rlimits"]
        assert {one.name for one in layers()} <= {*await held("worker")}
        assert await held("worker") == await held("sandbox")

    asyncio.run(main())


def test_a_worker_that_dies_before_it_is_ready_is_an_error() -> None:
    async def main() -> None:
        session = WorkerSession(Process("json", ()), EngineHost(), {})
        with pytest.raises(ScriptError) as caught:
            await session.started()
        assert caught.value.code == "script.crashed"
        with pytest.raises(ScriptError):
            await session.started()

    asyncio.run(main())
