"""What a JavaScript spell cannot reach, and how one that takes too much ends."""

# ruff: noqa: E501 - the long lines are JavaScript
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import CARRIERS, EngineHost, engine_host, manifest
from llmspell_core.errors import ScriptError

TOOL = manifest("Tool", "add", "slow_add", "echo", "each")
MEDIUM = ["console", "timers", "TextEncoder", "URL"]
LIMITS = {"memory_mb": 32, "cpu_s": 0.3, "tasks": 100, "value_mb": 4}


@pytest.fixture(params=CARRIERS)
def play(request: pytest.FixtureRequest) -> Callable[..., Any]:
    def run(body: Callable[[EngineHost], Awaitable[Any]] | str, **options: Any) -> Any:
        async def main() -> Any:
            async with engine_host(
                "llmspell_js.guest",
                request.param,
                requires=("_quickjs", "llmspell_js"),
                **{"globals": [TOOL], "libraries": MEDIUM, "limits": LIMITS, **options},
            ) as host:
                prepare(host)
                if isinstance(body, str):
                    return await asyncio.wait_for(host.run(body, "spell.js"), 30)
                return await asyncio.wait_for(body(host), 30)

        return asyncio.run(main())

    return run


def prepare(host: EngineHost) -> None:
    async def slow_add(a: int, b: int) -> int:
        await asyncio.sleep(0.001)
        return a + b

    async def each(items: list[Any], function: Any) -> list[Any]:
        return [await function(item) for item in items]

    host.methods["Tool.add"] = lambda a, b: a + b
    host.methods["Tool.slow_add"] = slow_add
    host.methods["Tool.echo"] = lambda value=None: value
    host.methods["Tool.each"] = each


def failing(play: Callable[..., Any], source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        play(source, **options)
    return caught.value


# -- reach ---------------------------------------------------------------------------------------

LANGUAGE = """
    AggregateError Array ArrayBuffer AsyncDisposableStack BigInt BigInt64Array BigUint64Array
    Boolean DataView Date DisposableStack Error EvalError FinalizationRegistry Float16Array
    Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array InternalError
    Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp
    Set String SuppressedError Symbol SyntaxError TypeError URIError Uint16Array Uint32Array
    Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet decodeURI decodeURIComponent encodeURI
    encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined unescape
"""
ALWAYS = "ARGS Async Debug Logger Tool arg args console print process stderr stdin stdout"
MORE = """
    AbortController AbortSignal DOMException TextDecoder TextEncoder URL URLSearchParams atob btoa
    clearImmediate clearInterval clearTimeout performance queueMicrotask setImmediate setInterval
    setTimeout structuredClone
"""


def test_the_globals_are_the_documented_ones_and_no_others(play: Callable[..., Any]) -> None:
    source = "return Object.getOwnPropertyNames(globalThis)"
    always = {*LANGUAGE.split(), *ALWAYS.split()}
    assert set(play(source)) == {*always, *MORE.split()}
    assert set(play(source, libraries=["console"])) == always


@pytest.mark.parametrize(
    "source",
    [
        "typeof require", "typeof WebAssembly", "typeof SharedArrayBuffer", "typeof Atomics",
        "typeof std", "typeof os", "typeof gc", "typeof navigator", "typeof fetch", "typeof Intl",
        "typeof process.binding", "typeof process.cwd", "typeof globalThis['llmspell:step']",
        "typeof Error.prepareStackTrace",
    ],
)  # fmt: skip
def test_this_is_out_of_reach(play: Callable[..., Any], source: str) -> None:
    assert play(f"return {source}") == "undefined"


def test_no_function_of_the_guest_is_ever_in_reach(play: Callable[..., Any]) -> None:
    source = """
        const seen = new Set(), found = [];
        const walk = (v, path) => {
          if ((typeof v !== "object" && typeof v !== "function") || v === null || seen.has(v)) return;
          seen.add(v);
          if (typeof v === "function" && v.name === "ask") found.push(path);
          for (const key of Reflect.ownKeys(v)) {
            let one; try { one = v[key] } catch { continue }
            walk(one, path + "." + String(key));
          }
          walk(Object.getPrototypeOf(v), path + ".__proto__");
        };
        walk(globalThis, "globalThis");
        try { await Tool.add("\\uffff", {}, () => 1) } catch (e) { walk(e, "error") }
        return [found, seen.size > 500]
    """
    assert play(source) == [[], True]


#: Overwrites every method of these globals, and puts accessors on the common prototypes.
HAVOC = """
    const { defineProperty } = Object, { ownKeys } = Reflect;
    const each = (list, run) => { for (let i = 0; i < list.length; i++) run(list[i]) };
    each(%s, (name) => {
      const C = globalThis[name];
      each([C, C?.prototype], (owner) => {
        if (!owner || owner === Object.prototype) return;
        each(ownKeys(owner), (key) => {
          try { if (key !== "prototype") owner[key] = () => { throw 1 } } catch {}
        });
      });
    });
    each(["$f", "$h", "$b", "$r", "$e", "$", "toJSON", "get", "set", "scope", "resolve", "reject",
        "weak", "task", "held", "text", "code", "message", "source", "stack", "name"], (key) => {
      defineProperty(Object.prototype, key, {
        __proto__: null, configurable: true, get() { throw 2 }, set() { throw 3 } });
    });
    each(["0", "1", "2"], (key) => {
      defineProperty(Array.prototype, key, {
        __proto__: null, configurable: true, get() { throw 4 }, set() { throw 5 } });
    });
    defineProperty(globalThis, "llmspell:step", {
      __proto__: null, configurable: true, set() { throw 6 }, get() { throw 7 } });
    setTimeout(() => print("timer"), 1);
"""
LEFT = ["JSON", "Map", "WeakMap", "Object", "Array", "Error", "String", "Symbol", "Reflect", "Proxy",
        "RegExp", "Number", "eval", "Function", "BigInt", "FinalizationRegistry", "WeakRef"]  # fmt: skip


def test_a_script_that_overwrites_the_language_breaks_only_itself(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        await host.run(HAVOC % LEFT + "JSON = Map = WeakMap = Object = undefined")
        await host.wait_idle()
        await host.run("""
            const sum = await Tool.slow_add(1, await Tool.add(1, 1));
            const list = await Tool.each(["a", "b"], async (x) => { await Tool.add(x, "c"); return x });
            print("sum", sum, typeof list, Tool.nope);
            console.log({ a: { b: sum } }, () => 1);
        """)
        assert host.output["stdout"] == (
            "timer\nsum\t3\tobject\tundefined\n{ a: { b: 3 } } [Function (anonymous)]\n"
        )
        error = await failure(host, "\n\nawait Tool.nope_at_all()")
        assert (error.message, error.source) == (
            "TypeError: .nope_at_all is not a function",
            "x.js:3",
        )
        error = await failure(host, "await Tool.add(new Date(NaN))")
        assert error.code == "value.not_json"
        error = await failure(host, "await new Promise(() => 1)")
        assert error.code == "async.deadlock"
        assert host.failures == []

    play(body)


async def failure(host: EngineHost, source: str) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        await host.run(source, "x.js")
    return caught.value


def test_a_script_without_promises_still_ends(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        havoc = HAVOC % [*LEFT, "Promise"] + (
            "defineProperty(Object.prototype, 'value', {__proto__: null, get() { throw 8 }, set() { throw 9 }});"
            " defineProperty(Object.prototype, 'then', {__proto__: null, get() { throw 8 }, set() { throw 9 }})"
        )
        for source in (havoc, "await Tool.add(1, 2)", "return Tool.add(1, 2)", "return 1"):
            try:
                await host.run(source)
            except ScriptError as error:
                assert error.code == "script.error"  # noqa: PT017 - some end well
        await host.wait_idle()

    play(body)


def test_markers_and_their_look_alikes_are_apart(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        got: list[Any] = []
        host.methods["Tool.echo"] = lambda *values: got.extend(values)
        for key in ("$f", "$h", "$b", "$r", "$e", "$", "$x"):
            await host.run(f"await Tool.echo({{'{key}': 1}}, [{{a: {{'{key}': [7]}}}}])")
            await host.run(f"Object.prototype['{key}'] = 1; await Tool.echo({{a: 1}}, {{}})")
            assert got == [{key: 1}, [{"a": {key: [7]}}], {"a": 1}, {}]
            got.clear()

    play(body)


def test_a_hostile_thenable_is_not_trusted(play: Callable[..., Any]) -> None:
    source = """
        await Promise.resolve(1).then(() => ({ then(resolve) { resolve(5); resolve(6); throw 7 } }));
        return { then(resolve, reject) { reject(new Error("mine")); resolve(1) } }
    """
    assert failing(play, source).message == "mine"
    assert failing(play, "return { get then() { throw new Error('getter') } }").message == "getter"


# -- limits --------------------------------------------------------------------------------------

LOOPS = [
    "for (;;);",
    "for (;;) { try { for (;;); } catch {} finally { for (;;); } }",
    "await null; for (;;);",
    "await Tool.slow_add(1, 1); for (;;);",
    "setTimeout(() => { for (;;); }, 1); await Async.sleep(50)",
    "await Tool.each([1], () => { for (;;); })",
    "await Async.all([() => { for (;;); }, () => Async.sleep(1)])",
    "const f = () => Promise.resolve().then(f); await f()",
    "const f = () => { queueMicrotask(f) }; f(); await Async.sleep(1)",
    "(async () => { for (;;) await null })(); await Async.sleep(5)",
    "for (;;) await Async.yield()",
    "for (;;) await Tool.add(1, 1)",
    "for (;;) { try { await Async.queue().pop() } catch {} }",
    "throw { toString() { for (;;); }, get message() { for (;;); } }",
    "throw { get stack() { for (;;); } }",
    "throw { get name() { for (;;); } }",
    "Error.prototype.toString = () => { for (;;); }; for (;;);",
    "Object.defineProperty(Error.prototype, 'stack', { get() { for (;;); } }); for (;;);",
    "Object.defineProperty(Error.prototype, 'message', { get() { for (;;); } }); for (;;);",
    "Error.prototype[Symbol.toPrimitive] = () => { for (;;); }; for (;;);",
    "Object.prototype[Symbol.toPrimitive] = () => { for (;;); }; for (;;);",
    "try { Object.setPrototypeOf(InternalError.prototype, { get name() { for (;;); } }) } catch {} for (;;);",
    "return { get a() { for (;;); } }",
    "return { toJSON() { for (;;); } }",
    "return new Proxy({}, { ownKeys() { for (;;); } })",
    "return { then() { for (;;); } }",
    "Tool.echo(new Proxy([], { get() { for (;;); } }))",
    "console.log({ get a() { for (;;); } }, new Proxy({}, { getPrototypeOf() { for (;;); } }))",
    "/(x+x+)+y/.test('x'.repeat(40))",
    "'x'.repeat(1e5).match(/(x*)*$^/)",
    "[1, 2, 3].sort(() => { for (;;); })",
    "'aaa'.replace(/a/g, () => { for (;;); })",
    "JSON.parse('[1]', () => { for (;;); })",
    "Array.from({ length: 1e9 }, (x) => x)",
    "new Array(1e9).fill().map((x) => x)",
    "new FinalizationRegistry(() => { for (;;); }).register({}); for (;;) await null",
    "function* g() { for (;;) yield 1 } for (const x of g());",
    "for await (const x of (async function* () { for (;;) yield 1 })());",
    "class A { static { for (;;); } }",
    "eval('for (;;);')",
    "new Function('for (;;);')()",
    "with_ = 1; for (let i = 0; ; i++) BigInt(i) ** 2n",
    "label: for (;;) continue label",
    "const o = {}; o.valueOf = () => { for (;;); }; return o + 1",
    "import('llmspell').then(() => { for (;;); }); await Async.sleep(50)",
    "export default (() => { for (;;); })()",
    "process.exit({ valueOf() { for (;;); }, toString() { for (;;); } })",
    "new Promise(() => { for (;;); })",
    "Promise.reject({ get message() { for (;;); } })",
    "const e = new Error(); Object.defineProperty(e, 'message', { get() { for (;;); } }); throw e",
]  # fmt: skip


@pytest.mark.parametrize("source", LOOPS)
def test_an_endless_script_ends_at_its_limit_and_cannot_catch_it(
    play: Callable[..., Any], source: str
) -> None:
    async def body(host: EngineHost) -> None:
        begun = asyncio.get_running_loop().time()
        with pytest.raises(ScriptError) as caught:
            await host.run(f"console.log('before');\n{source}", "spell.js")
        assert caught.value.code in ("script.cpu_limit", "script.memory_limit")
        assert host.output["stdout"].startswith("before\n")
        assert host.session.idle()
        with pytest.raises(ScriptError):
            await host.run("return 1")
        assert asyncio.get_running_loop().time() - begun < 20  # on a busy machine

    play(body)


def test_an_endless_description_of_a_rejection_ends_at_the_limit(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        # The run itself ends well: the limit is reached when the rejection is described.
        await host.run("Promise.reject({ get message() { for (;;); } }); await Async.sleep(1)")
        await host.wait_idle()
        while not host.failures:
            await asyncio.sleep(0.001)
        assert [one["code"] for one in host.failures] == ["script.cpu_limit"]
        assert host.session.idle()

    play(body)


def test_a_busy_script_is_named_where_it_is(play: Callable[..., Any]) -> None:
    error = failing(play, "\nfunction f() {\n  for (;;) Math.random();\n}\nf()")
    assert (error.code, error.source) == ("script.cpu_limit", "spell.js:3")


def test_instructions_are_bounded(play: Callable[..., Any]) -> None:
    error = failing(play, "\nfor (;;) Math.random()", limits={"instructions": 1_000_000})
    assert (error.code, error.source) == ("script.instructions_limit", "spell.js:2")


def test_each_run_of_a_session_has_the_whole_budget(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        work = "const t = Date.now(); while (Date.now() - t < 150) {} return 1"
        for _ in range(4):
            assert await host.run(work) == 1

    play(body)


MEMORY = [
    "const t = []; for (;;) t.push('x'.repeat(1000) + t.length)",
    "const t = []; for (;;) { try { for (;;) t.push({}) } catch {} }",
    "const t = []; for (;;) t.push(new Array(1000).fill(1))",
    "'x'.repeat(2 ** 30 - 25)",
    "const t = []; for (;;) t.push(new Uint8Array(100000))",
    "const m = new Map(); for (let i = 0; ; i++) m.set(i, { i })",
    "await null; const t = []; for (;;) t.push([])",
    "setTimeout(() => { const t = []; for (;;) t.push([]) }); await Async.sleep(50)",
    "const f = (x) => [f, x, ...Array(100)]; let t = []; for (;;) t = f(t)",
    "[...Array(1e9).keys()]",
    "const t = []; (function f() { t.push(Promise.resolve().then(f)); t.push(Promise.resolve().then(f)) })(); await Async.sleep(50)",
    "print('x'.repeat(2 ** 24), 'x'.repeat(2 ** 24))",
    "return 'x'.repeat(2 ** 25)",
    "const p = []; for (;;) p.push(new Promise(() => 1))",
    "const t = []; for (;;) t.push(() => t)",
    "const t = []; for (let i = 0; ; i++) t.push(Symbol(i))",
    "JSON.parse('[' + '1,'.repeat(1e7) + '1]')",
]  # fmt: skip


@pytest.mark.parametrize("source", MEMORY)
def test_a_memory_bomb_ends_the_script(play: Callable[..., Any], source: str) -> None:
    async def body(host: EngineHost) -> None:
        with pytest.raises(ScriptError) as caught:
            await host.run(source)
        assert caught.value.code in ("script.memory_limit", "limit.value_size")
        if caught.value.code == "script.memory_limit":
            with pytest.raises(ScriptError):
                await host.run("return 1")

    play(body, limits={"memory_mb": 32, "cpu_s": 20, "value_mb": 4})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("function f() { return 1 + f() } f()", "Maximum call stack size exceeded"),
        ("let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; return o", "nested deeper"),
        ("JSON.parse('['.repeat(1e5))", None),
        ("eval('('.repeat(1e5))", None),
        ("new RegExp('('.repeat(1e5))", None),
        ("let s = 'x'; for (;;) s += s", "string too long"),
        ("new ArrayBuffer(2 ** 31)", "invalid array buffer length"),
        ("let n = 9n; for (;;) n = n * n + 1n", "BigInt is too large"),
        ("let f = () => 1; for (let i = 0; i < 1e3; i++) f = f.bind(); return f()", None),
        ("let p = {}; for (let i = 0; i < 1e4; i++) p = new Proxy(p, {}); return p.x ?? null", None),
        ("let p = Promise.resolve(1); for (let i = 0; i < 1e4; i++) p = p.then((x) => x); return p", None),
        ("const o = { toString() { return '' + o } }; return '' + o", "Maximum call stack"),
        ("const e = new Error(); e.cause = e; throw e", ""),
        ("let e = 1; for (let i = 0; i < 1e4; i++) e = new Error('x', { cause: e }); throw e", "x"),
        ("return Reflect.construct(Array, [], new Proxy(Array, { get(t, k) { return t[k] } }))", None),
        ("[].concat.apply([], new Array(1e6))", None),
        ("Math.max(...new Array(1e6))", None),
        ("throw new Proxy(new Error('x'), {})", None),
        ("throw new Proxy({}, { get() { throw 1 } })", "an object was thrown"),
    ],
)  # fmt: skip
def test_what_is_too_deep_is_an_ordinary_error(
    play: Callable[..., Any], source: str, message: str | None
) -> None:
    async def body(host: EngineHost) -> None:
        try:
            await host.run(source)
        except ScriptError as error:
            assert message is None or message in error.message  # noqa: PT017 - some return
        else:
            assert message is None
        assert await host.run("return Tool.add(1, 2)") == 3

    play(body, limits={"memory_mb": 256, "cpu_s": 20, "value_depth": 64})


def test_without_limits_nothing_is_counted(play: Callable[..., Any]) -> None:
    source = "let n = 0; for (let i = 0; i < 1e6; i++) n += i; return n"
    assert play(source, limits={}) == 499999500000


# -- stopping from outside -----------------------------------------------------------------------


def test_an_interrupt_from_another_thread_ends_a_busy_script() -> None:
    import threading

    async def main() -> None:
        async with engine_host("llmspell_js.guest", "process", limits={}) as host:
            timer = threading.Timer(
                0.05,
                lambda: host.session.interrupt("script.wall_limit", "too long"),
            )
            timer.start()
            with pytest.raises(ScriptError) as caught:
                await host.run("for (;;) { try { for (;;); } catch {} }", "spell.js")
            assert (caught.value.code, caught.value.source) == ("script.wall_limit", "spell.js:1")
            timer.join()

    asyncio.run(main())


def test_an_interrupt_ends_a_script_that_waits() -> None:
    async def main() -> None:
        async with engine_host("llmspell_js.guest", "process", limits={}) as host:
            _, end = host.start("await Async.sleep(60000)")
            host.session.interrupt("script.wall_limit", "too long")
            with pytest.raises(ScriptError) as caught:
                await end
            assert caught.value.code == "script.wall_limit"
            assert host.cancelled

    asyncio.run(main())


def test_a_keyboard_interrupt_in_a_host_call_is_not_lost() -> None:
    async def main() -> None:
        async with engine_host("llmspell_js.guest", "process", globals=[TOOL]) as host:

            def interrupted() -> None:
                raise KeyboardInterrupt

            host.methods["Tool.echo"] = interrupted
            host._ends[1] = asyncio.get_running_loop().create_future()
            with pytest.raises(KeyboardInterrupt):
                host.session.run(
                    1, "try { await Tool.echo() } catch {} for (;;);", "x.js", "script"
                )

    asyncio.run(main())


def test_a_session_can_be_closed_while_it_runs() -> None:
    async def main() -> None:
        async with engine_host("llmspell_js.guest", "process", globals=[TOOL]) as host:
            host.methods["Tool.echo"] = host.session.close
            number, end = host.start("await Tool.echo(); for (;;);")
            assert host.session.idle()
            assert not end.done()
            host.session.cancel(number)
            host.session.run(7, "return 1", "x.js", "script")
            assert host.failures == []

    asyncio.run(main())


@pytest.mark.parametrize(
    "source",
    [
        "Promise.reject(new Error('kept'))",
        "await Tool.slow_add(1, 1)",
        "setInterval(() => 1, 1); await new Promise(() => 1)",
        "import('./nothing.js'); await Async.sleep(1000)",
        "const a = {}; a.a = a; globalThis.f = () => a; Tool.each([1], f); await Async.sleep(1000)",
        "globalThis.g = (async function* () { yield await Async.sleep(1000) })(); await g.next()",
    ],
)
def test_a_session_is_freed_whatever_it_still_holds(source: str) -> None:
    async def main() -> None:
        for _ in range(20):
            async with engine_host("llmspell_js.guest", "process", globals=[TOOL]) as host:
                prepare(host)
                host.start(source)
                await asyncio.sleep(0.001)

    asyncio.run(main())
