"""A worker that somebody else has taken over: it speaks the protocol by hand, and breaks it.

The whole host stands behind it, under `medium`: what such a worker says is Python in the place of
a script, run by a guest that has given its powers away. Each ends in a documented code within a
second, and leaves neither process nor descriptor behind; the host runs the next script.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from llmspell_bridge import runtime as runtime_module
from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_core.errors import LLMSpellError
from llmspell_core.script.engine import EngineInfo

pytestmark = pytest.mark.skipif(os.name != "posix", reason="looks at processes as POSIX shows them")

GUEST = """
import json
import signal
import socket
import time

from llmspell_bridge.worker.frames import encode


class Session:
    def __init__(self, channel):
        self.channel = channel
        self.functions = {}

    def run(self, call_id, source, name, mode):
        sock = self.channel._sock

        def raw(data):
            # What the host does not take any more is for nobody.
            try:
                sock.sendall(data)
            except OSError:
                pass

        def say(*frame):
            raw(encode(*frame))

        def flood(*frame):
            data = encode(*frame) * 500
            while True:
                sock.sendall(data)

        def framed(text):
            data = text if isinstance(text, bytes) else text.encode()
            raw(len(data).to_bytes(4, "little") + data)

        def read():
            return sock.recv(1 << 16)

        def end(value="null"):
            say("done", call_id, True, value)
            say("idle", self.channel.started)

        exec(source, {**globals(), **locals()})

    def invoke(self, call_id, function, args):
        self.channel.done(call_id, True, args)
        self.channel.idle()

    def answer(self, call_id, ok, value):
        pass

    def cancel(self, call_id):
        pass

    def release(self, functions):
        pass


def create(channel, options):
    return Session(channel)
"""


class TakenOver:
    """An engine whose workers do what they like."""

    info = EngineInfo(
        name="taken-over",
        language="lua",
        level="none",
        extensions=(".lua",),
        guest="hostile_guest",
        requires=("hostile_guest",),
        async_style="none",
        limits=(),
    )

    def available(self) -> str | None:
        return None

    def complete(self, _source: str) -> bool:
        return True


@pytest.fixture(autouse=True)
def taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hostile_guest.py").write_text(GUEST)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(runtime_module, "load_engine", lambda _name: TakenOver())
    monkeypatch.chdir(tmp_path)


LIMITS = {"wall_s": 1, "memory_mb": 64, "host_calls": 500, "output_mb": 1, "value_mb": 1}
#: Of the wall limit, where nothing else ends it, and of the end itself on a busy machine.
SOON_S = 3.0


class Outcome:
    """What became of a run, and what it left behind."""

    def __init__(self) -> None:
        self.code = ""
        self.message = ""
        self.value: Any = None
        self.took_s = 0.0
        self.held_s = 0.0
        self.stdout = ""


async def outcome(runtime: ScriptRuntime, source: str) -> Outcome:
    """Run Python in a worker; its end, how long it took and for how long the loop stood still."""
    made, streams = Outcome(), CapturedStreams()
    beat = asyncio.create_task(_beat(made))
    begun = time.monotonic()
    try:
        result = await asyncio.wait_for(
            runtime.run(ScriptSource(source, "spell.lua"), streams=streams), 20
        )
        made.code, made.value = "ok", result.value
        if result.unhandled:
            made.code = result.unhandled[0].code
    except LLMSpellError as error:
        made.code, made.message = error.code, error.message
    finally:
        made.took_s = time.monotonic() - begun
        beat.cancel()
    made.stdout = streams.stdout
    return made


async def _beat(made: Outcome) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.01)
        made.held_s = max(made.held_s, time.monotonic() - before)


def run(source: str, **limits: Any) -> Outcome:
    """One hostile run and a good one after it, in one host that is as before in the end."""

    async def main() -> Outcome:
        settings = {"security": {"limits": {**LIMITS, **limits}}}
        async with ScriptRuntime(settings) as runtime:
            assert (await outcome(runtime, "end('1')")).value == 1
            with nothing_left():
                found = await outcome(runtime, source)
                await asyncio.sleep(0)
            after = await outcome(runtime, 'end(\'["still", "here"]\')')
            assert after.value == ["still", "here"]
            return found

    return asyncio.run(main())


@contextmanager
def nothing_left() -> Iterator[None]:
    before = _descriptors(), _children()
    yield
    until = time.monotonic() + 1
    while (_descriptors() > before[0] or _children() - before[1]) and time.monotonic() < until:
        gc.collect()
        time.sleep(0.01)
    assert _children() - before[1] == set()
    assert _descriptors() <= before[0]


def _descriptors() -> int:
    for folder in ("/proc/self/fd", "/dev/fd"):
        if Path(folder).is_dir():
            return len([*Path(folder).iterdir()])
    return 0


def _children() -> set[str]:
    found = set()
    for task in Path("/proc/self/task").glob("*/children"):
        found |= set(task.read_text().split())
    return found


# -- what breaks the protocol ----------------------------------------------------------------------

BROKEN = {
    "a call under a number in use": """
say("call", 7, "Async", "sleep", "[5000]", 0)
say("call", 7, "Tool", "exists", "[]", 0)
""",
    "the end of what was never started": 'say("done", call_id + 1, True, "null")',
    "two ends": 'end(); say("call", 1, "Async", "sleep", "[50]", 0)\nend()',
    "an answer, which is the host's": 'say("answer", 1, True, "null")',
    "a run, which is the host's": 'say("run", 5, "return 1", "x", "script")',
    "an unknown frame": 'say("eval", "import os")',
    "the name of an attribute": 'say("__class__", 1)',
    "a method of the channel that is no frame": 'say("crashed", "x")',
    "ready twice": 'say("ready", []); say("ready", ["seccomp"])',
    "ready again": 'say("ready", ["landlock", "seccomp"])',
    "a frame of 2 GiB": 'raw((2**31 - 1).to_bytes(4, "little") + b"[")',
    "a frame larger than values may be": 'raw((9 << 20).to_bytes(4, "little"))',
    "an empty frame": "raw(bytes(4))",
    "no JSON": 'framed("[done")',
    "no UTF-8": r'framed(b"[\"\xff\xfe\"]")',
    "no array": """framed('{"done": 1}')""",
    "an empty array": 'framed("[]")',
    "JSON as deep as it gets": 'framed("[" * 500_000)',
    "JSON as deep as it gets, closed": 'framed("[" * 200_000 + "]" * 200_000)',
    "an endless number": """framed('["done", ' + "9" * 1_000_000 + ', true, "1"]')""",
    "NaN": """framed('["idle", NaN]')""",
    "a boolean for a number": 'say("call", True, "Tool", "exists", "[]", 0)',
    "a fraction for a number": 'say("idle", 1.0)',
    "a list for a text": 'say("write", "stdout", ["x"])',
    "too many fields": 'say("idle", 1, 2)',
    "an unknown stream": 'say("write", "stdnull", "x")',
    "a handle that is no number": 'say("drop", ["x"])',
    "a handle that is a boolean": 'say("drop", [True])',
    "a host object that was never given": 'say("call", 1, 4711, "execute", "[]", 0); time.sleep(9)',
    "a host object that was never given, below zero":
        'say("call", 1, -1, "execute", "[]", 0); time.sleep(9)',
    "a host object that was never given, among arguments": """
say("call", 1, "Tool", "register", '[{"$h": 99}]', 0); time.sleep(9)
""",
    "a host object that was never given, as a result": """end('{"$h": 99}')""",
    "half of a frame and the end": 'raw(encode("done", 1, True, "null")[:-3]); sock.close()',
    "half of a length": "raw(b'xx'); sock.close()",
}  # fmt: skip


@pytest.mark.parametrize("source", BROKEN.values(), ids=[*BROKEN])
def test_what_breaks_the_protocol_ends_the_worker(source: str) -> None:
    found = run(source)
    if source is BROKEN["two ends"] and found.code == "ok":
        # The first end may have closed the session before the second one came.
        return
    assert (found.code, found.took_s < 1) == ("script.protocol", True), vars(found)
    assert found.held_s < 1


# -- floods and silence ----------------------------------------------------------------------------

SLOW = {
    "an endless frame": (
        'raw((3 << 20).to_bytes(4, "little") + b"[")\nwhile True: raw(b" "); time.sleep(0.01)',
        {"script.wall_limit", "script.protocol"},
    ),
    "half of a frame, and nothing more": (
        'raw((1 << 10).to_bytes(4, "little")); time.sleep(60)',
        {"script.wall_limit"},
    ),
    "nothing at all": ("time.sleep(60)", {"script.wall_limit"}),
    "a loop": ("while True: pass", {"script.wall_limit", "script.cpu_limit"}),
    "a stop of its own": (
        "signal.raise_signal(signal.SIGSTOP); time.sleep(60)",
        {"script.wall_limit", "script.crashed"},
    ),
    "a flood of calls": (
        "n = 0\nwhile True:\n    n += 1\n    say('call', n, 'Tool', 'exists', '[\"x\"]', 0)",
        {"script.host_calls_limit"},
    ),
    "a flood of calls that wait": (
        'n = 0\nwhile True:\n    n += 1\n    say("call", n, "Async", "sleep", "[60000]", 0)',
        {"script.wall_limit", "script.protocol"},
    ),
    "a flood of answers that nobody reads": (
        'n = 0\nwhile True:\n    n += 1\n    say("call", n, "Async", "nothing" * 1000, "[]", 0)',
        {"script.protocol", "script.wall_limit"},
    ),
    "a flood of large calls": (
        'n = 0\ntext = json.dumps(["x" * 900_000])\n'
        'while True:\n    n += 1\n    say("call", n, "Async", "sleep", text, 0)',
        {"script.wall_limit", "script.protocol", "script.host_calls_limit"},
    ),
    "a flood of output": ('flood("write", "stdout", "x" * 1000)', {"script.output_limit"}),
    "a flood of logs": (
        'flood("log", json.dumps([{"level": "trace", "message": "x"}]))',
        {"script.wall_limit"},
    ),
    "a flood of drops": ('flood("drop", [*range(100)])', {"script.wall_limit"}),
    "a flood of places": ('flood("busy", "spell.lua:1" * 1000)', {"script.wall_limit"}),
    "a flood of idleness": ('flood("idle", 1)', {"script.wall_limit"}),
    "a flood of cancellations": ('flood("cancel", 10**30)', {"script.wall_limit"}),
    "a flood of failures": (
        'flood("unhandled", json.dumps({"message": "x" * 1000}))',
        {"script.wall_limit"},
    ),
    "a flood of failures with markers": (
        """flood("unhandled", json.dumps({"message": "x", "details": {"a": [{"$f": 1}] * 50}}))""",
        {"script.wall_limit"},
    ),
}


@pytest.mark.parametrize(("source", "codes"), SLOW.values(), ids=[*SLOW])
def test_floods_and_silence_end_at_a_limit_and_keep_nobody_waiting(
    source: str, codes: set[str]
) -> None:
    found = run(source)
    assert found.code in codes, vars(found)
    assert found.took_s < SOON_S
    assert found.held_s < 1


# -- what is allowed, but made up ------------------------------------------------------------------

FORGED = {
    "functions that do not exist": """end('[{"$f": 99}, {"$f": 99}]')""",
    "a function for everything": """end('{"$f": 1}')""",
    "an error in data": """end('{"$e": {"message": "x", "code": 5, "details": [1]}}')""",
    "an error that is none": """end('{"$e": 5}')""",
    "a result that is none": """end('{"$r": 5}')""",
    "a result of results": """end('{"$r": [{"$r": [{}]}, 7, [1]]}')""",
    "bytes that are none": """end('{"$b": "@@@"}')""",
    "bytes of another type": """end('{"$b": {"$b": "eA=="}}')""",
    "an escape of nothing": """end('{"$": 5}')""",
    "escapes in escapes": """end('{"$": ' * 30 + "1" + "}" * 30)""",
    "an unknown marker": """end('{"$x": 1}')""",
    "a handle of a list": """end('{"$h": [1, "Agent", {"id": 1}]}')""",
    "a handle of a boolean": """end('{"$h": true}')""",
    "a handle as text": """end('{"$h": "Tool"}')""",
    "a function below zero": """end('{"$f": -1}')""",
    "a function of a text": """end('{"$f": "os.system"}')""",
    "a function of a fraction": """end('{"$f": 1.5}')""",
    "a value that is no JSON": """end('{')""",
    "a value beyond 64 bits": """end('[' + '9' * 400 + ', 1e999, -1e999]')""",
    "a value of thousands of digits": """end('9' * 5000)""",
    "a value too deep": """end('[' * 900 + ']' * 900)""",
    "a value deeper than any stack": """end('[' * 100000 + ']' * 100000)""",
    "a value too large": """end('"' + 'x' * (2 << 20) + '"')""",
    "half of a character": r"""end('"\\ud800"')""",
    "an error of wrong types": """
say("done", call_id, False,
    '{"message": 5, "code": [], "hint": {}, "details": 7, "retryable": "x"}')
""",
    "an error that is a list": """say("done", call_id, False, '[1]')""",
    "an error that is nothing": """say("done", call_id, False, 'null')""",
    "an error with a stack of its own": """
say("done", call_id, False, json.dumps({"message": "x" * 10**6, "stack": ["y"] * 10**4,
    "source": "../../etc/passwd:1"}))
""",
    "an exit of another type": """
say("done", call_id, False, '{"code": "script.exit", "message": "", "details": {"code": "x"}}')
""",
    "an exit beyond all": """
say("done", call_id, False, '{"code": "script.exit", "message": "", "details": {"code": 1e300}}')
""",
    "the host's own codes": """
say("done", call_id, False, '{"code": "policy.file", "message": "allowed", "details": {}}')
""",
    "logs that are none": """say("log", "{"); say("log", "[5]"); say("log", "7"); end()""",
    "logs of wrong types": """
say("log", '[{"level": 5, "message": [], "logger": {}, "fields": 7}, null, "x"]'); end()
""",
    "failures that are none": """say("unhandled", "{"); say("unhandled", "5"); end()""",
    "a place with orders to the terminal": r"""say("busy", "\x1b[2J\n" * 10**4); time.sleep(60)""",
    "origins that do not exist": """
say("call", 1, "Tool", "exists", '["x"]', 10**30); say("call", 2, "Tool", "exists", "[]", -5); end()
""",
    "numbers of calls beyond 64 bits": """
say("call", 10**300, "Tool", "exists", '["x"]', 0); say("cancel", -10**300); end()
""",
    "an idleness beyond 64 bits": """say("idle", 10**400); end()""",
    "a drop of everything": """say("drop", [*range(-1000, 1000), 10**40]); end()""",
}


@pytest.mark.parametrize("source", FORGED.values(), ids=[*FORGED])
def test_what_is_made_up_is_data_or_a_documented_error(source: str) -> None:
    found = run(source)
    known = ("script.", "limit.", "value.", "policy.", "event.", "error")
    assert found.code == "ok" or found.code.startswith(known), vars(found)
    assert found.code != "script.crashed", vars(found)
    assert found.took_s < SOON_S
    assert "Traceback" not in found.message
    assert len(found.message) < 5_000_000


METHODS = [
    ("Tool", "__init__"), ("Tool", "__class__"), ("Tool", "script_methods"), ("Tool", "_names"),
    ("Tool", ""), ("Tool", "list\\0"), ("__builtins__", "eval"), ("os", "system"), ("", ""),
    ("Tool\\0calculator", "__class__"), ("Tool\\0../../x", "execute"), ("Tool\\0", "execute"),
    ("State\\0x", "get"), ("modules", "__init__"), ("modules", "free"), ("io", "close_all"),
    ("io", "_open"), ("stdin", "ctx"), ("Async", "clock"), ("Security", "policy"),
    ("Config", "settings"), ("x" * 10_000, "y" * 10_000),
]  # fmt: skip


@pytest.mark.parametrize(("target", "method"), METHODS)
def test_only_declared_methods_of_declared_globals_can_be_called(target: str, method: str) -> None:
    found = run(
        f'say("call", 1, "{target}", "{method}", "[]", 0)\n'
        "answer = json.loads(read()[4:])\n"
        "end(json.dumps(answer[2:]))"
    )
    if found.code == "ok":
        called, text = found.value
        assert called is False
        assert "error" in text or "unknown" in text or "code" in text
        assert len(text) < 2000
    else:
        assert found.code == "script.protocol", vars(found)
        assert "unknown" in found.message or "cannot be indexed" in found.message
    assert len(found.message) < 2000


# -- the end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); end(); time.sleep(60)",
        "end()\nwhile True: pass",
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); end(); time.sleep(60)",
        "end(); sock.close(); time.sleep(60)",
        "end(); raw(b'x' * 1000)",
    ],
)
def test_a_worker_that_does_not_leave_is_gone_all_the_same(source: str) -> None:
    found = run(source)
    assert found.code in ("ok", "script.protocol", "script.crashed"), vars(found)
    assert found.took_s < SOON_S


@pytest.mark.parametrize("at", ["0", "3", "10", "30", "-1"])
def test_a_worker_may_close_at_any_time(at: str) -> None:
    source = (
        'data = encode("call", 1, "Async", "sleep", "[10]", 0) + encode("write", "stdout", "x")\n'
        f"raw(data[:{at}]); sock.close(); time.sleep(60)"
    )
    found = run(source)
    assert found.code in ("script.protocol", "script.crashed"), vars(found)
    assert found.took_s < SOON_S


def test_handles_and_functions_are_of_one_session() -> None:
    """A handle that one worker was given says nothing in the mouth of another."""

    async def main() -> list[Outcome]:
        async with ScriptRuntime({"security": {"limits": LIMITS}}) as runtime:
            owner = (
                'say("call", 1, "Tool", "get", \'["calculator"]\', 0)\n'
                "read(); time.sleep(0.5); end()"
            )
            thief = (
                "time.sleep(0.2)\n"
                'for n in range(1, 50): say("call", n, n, "execute", \'[{"input": "1"}]\', 0)\n'
                "time.sleep(9)"
            )
            return list(await asyncio.gather(outcome(runtime, owner), outcome(runtime, thief)))

    owner, thief = asyncio.run(main())
    assert owner.code == "ok"
    assert thief.code == "script.protocol"
    assert "unknown handle" in thief.message
