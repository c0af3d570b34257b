"""The worker process: what it holds, how it starts and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from llmspell_bridge.worker.process import Process, folders
from llmspell_bridge.worker.proxy import WorkerProcess, WorkerSession
from llmspell_bridge.worker.testing import EngineHost, engine_host, manifest
from llmspell_core.errors import ExtensionError, ScriptError
from llmspell_core.script.engine import EngineInfo

pytestmark = pytest.mark.skipif(os.name != "posix", reason="looks at the process as POSIX shows it")

PROBE = """
import json


class Session:
    def __init__(self, channel, options):
        self.channel = channel

    def run(self, call_id, source, name, mode):
        found = {}
        exec(source, found)
        self.channel.done(call_id, True, json.dumps(found["value"]))
        self.channel.idle()

    def idle(self):
        return True

    def close(self):
        pass


def create(channel, options):
    return Session(channel, options)
"""


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs Python in a worker whose guest is a probe, and gives the value of `value`.

    Without the sandbox, which would not let it look around.
    """
    (tmp_path / "probe_guest.py").write_text(PROBE)
    monkeypatch.syspath_prepend(tmp_path)

    def run(source: str, **options: Any) -> Any:
        async def main() -> Any:
            async with engine_host(
                "probe_guest", "worker", requires=("probe_guest",), isolation="process", **options
            ) as host:
                return await host.run(source)

        return asyncio.run(main())

    return run


def lua(body: Callable[[EngineHost], Awaitable[Any]], **options: Any) -> Any:
    async def main() -> Any:
        async with engine_host(
            "llmspell_lua.guest",
            "worker",
            requires=("lupa", "llmspell_lua"),
            **{"globals": [manifest("Tool", "add")], **options},
        ) as host:
            host.methods["Tool.add"] = lambda a, b: a + b
            return await asyncio.wait_for(body(host), 30)

    return asyncio.run(main())


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# -- what it holds -------------------------------------------------------------------------------


def test_a_worker_imports_nothing_of_ours_but_what_it_runs_with() -> None:
    names = _modules_of_a_lua_worker()
    ours = {name for name in names if name.startswith("llmspell")}
    assert ours == {
        "llmspell_bridge",
        "llmspell_bridge.worker",
        "llmspell_bridge.worker.frames",
        "llmspell_bridge.worker.limits",
        "llmspell_bridge.worker.loop",
        "llmspell_core",
        "llmspell_core.script",
        "llmspell_core.script.compact",
        "llmspell_core.script.jsontext",
        "llmspell_lua",
        "llmspell_lua.guest",
        "llmspell_lua.compiled",
        "llmspell_lua.link",
        "llmspell_lua.room",
    }
    assert not names & {
        "site",
        "typing",
        "re",
        "json",
        "socket",
        "subprocess",
        "asyncio",
        "pathlib",
    }


def _modules_of_a_lua_worker() -> set[str]:
    from llmspell_bridge.worker.process import MAIN

    probe = "sys.modules[guest].create(type('C', (), {'call': None}), {}); print(*sys.modules)"
    program = MAIN.read_text().replace("    serve(", f"    {probe}\n    sys.exit()\n    serve(")
    paths = folders(("lupa", "llmspell_lua"))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-E", "-c", program, "0", "llmspell_lua.guest", *paths],
        capture_output=True, text=True, check=True, env={},
    )  # fmt: skip
    return set(done.stdout.split())


def test_a_worker_inherits_neither_files_nor_environment(probe: Callable[..., Any]) -> None:
    os.environ["LLMSPELL_TEST_SECRET"] = "x"
    try:
        with Path(os.devnull).open() as inheritable:
            os.set_inheritable(inheritable.fileno(), True)
            names, files = probe(
                "import os\n"
                "links = [f'/proc/self/fd/{n}' for n in range(256)]\n"
                "open_ = [os.readlink(n) for n in links if os.path.lexists(n)]\n"
                "value = [sorted(os.environ), open_]"
            )
    finally:
        del os.environ["LLMSPELL_TEST_SECRET"]
    assert set(names) <= {"TZ", "LC_CTYPE"}
    assert [one for one in files if one != "/dev/null"] == [one for one in files if "socket" in one]
    assert sum("socket" in one for one in files) == 1


def test_limits_hold_before_the_first_line(probe: Callable[..., Any]) -> None:
    source = (
        "import resource as r\n"
        "value = {n: r.getrlimit(getattr(r, 'RLIMIT_' + n)) for n in"
        " ('CORE', 'FSIZE', 'NOFILE', 'NPROC', 'AS', 'CPU')}"
    )
    limits = probe(source, limits={"memory_mb": 64, "cpu_s": 3})
    assert limits["CORE"] == limits["FSIZE"] == limits["NPROC"] == [0, 0]
    assert limits["NOFILE"] == [16, 16]
    assert limits["AS"][0] == (320 + 128) << 20
    soft, hard = limits["CPU"]
    assert 3 < soft < hard
    assert probe(source, limits={"cpu_s": 3}, long_lived=True)["CPU"][0] == -1


def test_interrupts_are_for_the_host(probe: Callable[..., Any]) -> None:
    blocked, session = probe(
        "import os, signal\n"
        "value = [2 in signal.pthread_sigmask(signal.SIG_BLOCK, []), os.getsid(0) == os.getpid()]"
    )
    assert blocked
    assert session


@pytest.mark.skipif(sys.platform != "linux", reason="Linux kills the children of a dead parent")
def test_a_worker_dies_with_its_host() -> None:
    program = (
        "import os, sys\n"
        "from llmspell_bridge.worker.process import Process\n"
        "p = Process('llmspell_lua.guest', ('lupa', 'llmspell_lua'))\n"
        "print(p.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    host = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert host.stdout is not None
    pid = int(host.stdout.readline())
    time.sleep(0.2)
    assert alive(pid)
    host.kill()
    host.communicate()
    for _ in range(200):
        if not alive(pid):
            break
        time.sleep(0.01)
    assert not alive(pid)


# -- start ---------------------------------------------------------------------------------------


def test_a_worker_may_be_started_before_its_options_are_known() -> None:
    info = EngineInfo(
        name="lua", language="Lua", level="5.4", extensions=(".lua",), guest="llmspell_lua.guest",
        requires=("lupa", "llmspell_lua"), async_style="coroutines", limits=(),
    )  # fmt: skip
    spare, unused = WorkerProcess(info), WorkerProcess(info)

    async def main() -> Any:
        host = EngineHost()
        host.session = await spare.start(host, {"args": {"positional": ["a"]}})
        value = await host.run("return args[1]")
        host.session.close()
        return value

    assert asyncio.run(main()) == "a"
    unused.kill()


def test_a_missing_module_of_an_engine_is_named() -> None:
    with pytest.raises(ExtensionError) as caught:
        Process("no_such_engine.guest", ("no_such_engine",))
    assert "no_such_engine" in str(caught.value)


def test_a_guest_that_cannot_start_is_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_guest.py").write_text("raise ImportError('no')\n")
    monkeypatch.syspath_prepend(tmp_path)

    async def main() -> None:
        async with engine_host("broken_guest", "worker", requires=("broken_guest",)) as host:
            with pytest.raises(ScriptError) as caught:
                await host.run("x")
            assert caught.value.code == "script.crashed"

    asyncio.run(main())


# -- end -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (signal.SIGKILL, "script.crashed"),
        (signal.SIGSEGV, "script.crashed"),
        (signal.SIGXCPU, "script.cpu_limit"),
    ],
)
def test_a_dead_worker_ends_what_is_open_and_the_host_goes_on(sent: int, code: str) -> None:
    async def body(host: EngineHost) -> None:
        _, end = host.start("while true do Async.sleep(1000) end")
        while not host.origins:
            await asyncio.sleep(0.001)
        session = host.session
        assert isinstance(session, WorkerSession)
        os.kill(session.pid, sent)
        with pytest.raises(ScriptError) as caught:
            await end
        assert caught.value.code == code
        assert host.cancelled == [1]
        assert host.crash is not None
        assert session.idle()
        with pytest.raises(ScriptError) as later:
            await host.run("return 1")
        assert later.value.code == "script.closed"

    lua(body)


def test_what_no_engine_can_interrupt_is_killed_with_the_last_known_line() -> None:
    async def body(host: EngineHost) -> None:
        bomb = (
            "for i = 1, 1e7 do local x = i end\n"
            "for i = 1, 1e7 do local x = i end\n"
            "return ('x'):rep(1e5):find(('x*'):rep(30) .. 'y')"
        )
        _, end = host.start(bomb)
        await asyncio.sleep(1)
        assert not end.done()
        host.session.interrupt("script.wall_limit", "the script ran longer than 1 s")
        with pytest.raises(ScriptError) as caught:
            await end
        assert caught.value.code == "script.wall_limit"
        assert str(caught.value.source).startswith("spell.lua:")

    lua(body)


def test_the_processor_time_of_a_worker_is_bounded_whatever_it_does() -> None:
    async def body(host: EngineHost) -> None:
        with pytest.raises(ScriptError) as caught:
            await host.run("return ('x'):rep(1e5):find(('x*'):rep(30) .. 'y')")
        assert caught.value.code == "script.cpu_limit"

    lua(body, limits={"cpu_s": 0.1, "memory_mb": 64})


@pytest.mark.parametrize("source", ["return 1", "Async.sleep(60000)", "while true do end"])
def test_a_closed_session_leaves_no_process_behind(source: str) -> None:
    async def body(host: EngineHost) -> int:
        await host.run("return 1")
        _, end = host.start(source)
        await asyncio.sleep(0.05)
        end.cancel()
        begun = time.monotonic()
        host.session.close()
        assert time.monotonic() - begun < 1
        session = host.session
        assert isinstance(session, WorkerSession)
        return session.pid

    pid = lua(body)
    assert not alive(pid)


def test_a_host_that_answers_late_is_not_heard_after_the_end() -> None:
    async def body(host: EngineHost) -> None:
        session = host.session
        session.close()
        session.answer(1, True, "null")
        session.release([1])
        session.cancel(1)
        session.close()
        assert session.idle()

    lua(body)


# -- traffic -------------------------------------------------------------------------------------


def test_large_values_pass_in_both_directions() -> None:
    async def body(host: EngineHost) -> None:
        host.methods["Tool.add"] = lambda text, more: text + more
        value = await host.run("return #Tool.add(('x'):rep(3e6), ('é'):rep(1e6))")
        assert value == 5_000_000

    lua(body)


def test_output_that_nobody_reads_holds_the_script_back() -> None:
    async def body(host: EngineHost) -> None:
        _, end = host.start("for i = 1, 2000 do print(('x'):rep(10000)) end return 'done'")
        time.sleep(0.5)  # the loop does not read meanwhile
        assert await end == "done"
        assert len(host.output["stdout"]) == 2000 * 10001

    lua(body)


class WithoutReaders(asyncio.SelectorEventLoop):
    """As the loop of Windows that can watch no sockets."""

    def add_reader(self, *_: Any) -> None:  # type: ignore[override]
        raise NotImplementedError


def test_loops_that_cannot_watch_sockets_use_threads() -> None:
    async def main() -> Any:
        async with engine_host(
            "llmspell_lua.guest", "worker", requires=("lupa", "llmspell_lua"),
            globals=[manifest("Tool", "add")],
        ) as host:  # fmt: skip
            host.methods["Tool.add"] = lambda a, b: a + b
            return await host.run("local n = 0 for i = 1, 50 do n = Tool.add(n, i) end return n")

    with asyncio.Runner(loop_factory=WithoutReaders) as runner:
        assert runner.run(main()) == 1275
