"""The engine where QuickJS exports nothing: what still holds, and what says that it does not."""

# ruff: noqa: E501 - the long lines are JavaScript
from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_bridge.worker.testing import EngineHost, engine_host, manifest
from llmspell_core.errors import ScriptError
from llmspell_js import capi

GLOBALS = [manifest("Tool", "add", "slow_add", "fail"), manifest("Utils", guest=("slug",))]


@pytest.fixture(autouse=True)
def _no_capi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capi, "available", lambda: False)


def run(source: str, **options: Any) -> tuple[Any, EngineHost]:
    async def main() -> tuple[Any, EngineHost]:
        async with engine_host(
            "llmspell_js.guest",
            "process",
            **{"globals": GLOBALS, "libraries": ["timers", "URL"], **options},
        ) as host:

            async def slow_add(a: int, b: int) -> int:
                await asyncio.sleep(0.001)
                return a + b

            def fail() -> None:
                raise ScriptError("no such tool", code="tool.not_found")

            host.methods.update(
                {"Tool.add": lambda a, b: a + b, "Tool.slow_add": slow_add, "Tool.fail": fail}
            )
            value = await asyncio.wait_for(host.run(source, "spell.js"), 20)
            await host.wait_idle()
            return value, host

    return asyncio.run(main())


def failing(source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        run(source, **options)
    return caught.value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 1", None),
        ("return await Tool.slow_add(1, await Tool.add(1, 1))", 3),
        ("const p = Async.all([() => 1, async () => { await Async.sleep(1); return 2 }]); return p", [1, 2]),
        ("return new URL('/x', 'http://a/b').href", "http://a/x"),
        ("return [typeof SharedArrayBuffer, Object.keys(Tool)]", ["undefined", ["add", "slow_add", "fail"]]),
    ],
)  # fmt: skip
def test_scripts_run(source: str, value: Any) -> None:
    assert run(source)[0] == value


def test_output_and_timers_work() -> None:
    _, host = run("setTimeout(() => print('timer'), 1); console.log({ a: 1 })")
    assert host.output["stdout"] == "{ a: 1 }\ntimer\n"


@pytest.mark.parametrize(
    ("source", "code", "place"),
    [
        ("\nnull.x", "script.error", "spell.js:2"),
        ("\nasync function f() {\n  await Tool.fail() }\nf()", "tool.not_found", "spell.js:3"),
        ("let x = ;", "script.syntax", "spell.js:1"),
        ("import x from './y.js'", "script.syntax", "spell.js:1"),
        ("process.exit(3)", "script.exit", "spell.js:1"),
        ("\nUtils.slug('a b')", "engine.unsupported", "spell.js:2"),
    ],
)
def test_errors_keep_code_and_place(source: str, code: str, place: str) -> None:
    error = failing(source)
    assert (error.code, error.source) == (code, place)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("for (;;);", "script.cpu_limit"),
        ("await null; for (;;);", "script.cpu_limit"),
        ("await Tool.slow_add(1, 1); for (;;) { try { for (;;); } catch {} }", "script.cpu_limit"),
        ("const f = () => Promise.resolve().then(f); await f()", "script.cpu_limit"),
        ("const t = []; for (;;) t.push({})", "script.memory_limit"),
        ("Error.prototype.toString = () => { for (;;); }; for (;;);", "script.cpu_limit"),
        (
            "Object.prototype[Symbol.toPrimitive] = () => { for (;;); }; for (;;);",
            "script.cpu_limit",
        ),
        ("throw { get stack() { for (;;); } }", "script.cpu_limit"),
    ],
)
def test_limits_hold(source: str, code: str) -> None:
    # Chains of promises take memory as well: on a fast machine more than the other limit has.
    memory_mb = 32 if code == "script.memory_limit" else 512
    assert failing(source, limits={"cpu_s": 0.3, "memory_mb": memory_mb}).code == code
