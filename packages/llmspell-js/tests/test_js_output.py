"""Standard streams, `console`, `args`, `process`, and the parts of the web platform."""

# ruff: noqa: E501 - the long lines are JavaScript
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import CARRIERS, EngineHost, engine_host, manifest
from llmspell_core.errors import ScriptError

LIBRARIES = ["console", "timers", "TextEncoder", "URL"]


@pytest.fixture(params=CARRIERS)
def play(request: pytest.FixtureRequest) -> Callable[..., Any]:
    def run(body: Callable[[EngineHost], Awaitable[Any]] | str, **options: Any) -> Any:
        async def main() -> Any:
            async with engine_host(
                "llmspell_js.guest",
                request.param,
                requires=("_quickjs", "llmspell_js"),
                **{"globals": [manifest("Tool", "give")], "libraries": LIBRARIES, **options},
            ) as host:
                if isinstance(body, str):
                    return await asyncio.wait_for(host.run(body, "spell.js"), 20)
                return await asyncio.wait_for(body(host), 20)

        return asyncio.run(main())

    return run


def printed(play: Callable[..., Any], source: str) -> dict[str, str]:
    async def body(host: EngineHost) -> dict[str, str]:
        await host.run(source, "spell.js")
        return host.output

    found: dict[str, str] = play(body)
    return found


# -- output --------------------------------------------------------------------------------------


def test_output_comes_in_order_and_before_calls(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        seen: list[str] = []
        host.methods["Tool.give"] = lambda: seen.append(host.output["stdout"])
        await host.run(
            "print('a', 1, null, 2.5); stdout.write('b', 1).write('c'); const p = Tool.give();"
            " console.log('d', 1); await p; stderr.write('warn'); console.error('ing'); print('e')"
        )
        assert seen == ["a\t1\tnull\t2.5\nb1c"]
        assert host.output == {"stdout": "a\t1\tnull\t2.5\nb1cd 1\ne\n", "stderr": "warning\n"}
        assert [stream for stream, _ in host.writes] == ["stdout", "stdout", "stderr", "stdout"]

    play(body)


def test_output_of_a_busy_script_is_handed_over(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        host.busy = lambda place: host.methods.setdefault(place, list)  # type: ignore[attr-defined]
        _, end = host.start(
            "print('early');\nconst t = Date.now(); while (Date.now() - t < 300) {}\nprint('late')"
        )
        if host.session.__class__.__name__ == "WorkerSession":
            while not host.writes:
                await asyncio.sleep(0.001)
            assert not end.done()
        await end
        assert host.writes[0] == ("stdout", "early\n")
        assert host.output["stdout"] == "early\nlate\n"

    play(body)


def test_much_output_comes_in_blocks(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        await host.run("print('é'.repeat(3_000_000)); for (let i = 0; i < 20000; i++) print(i)")
        assert max(len(text) for _, text in host.writes) <= 1 << 20
        assert host.output["stdout"] == "é" * 3_000_000 + "\n" + "".join(
            f"{i}\n" for i in range(20000)
        )

    play(body)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("'text'", "text"),
        (
            "['a', \"it's\", 1, null, undefined, true]",
            "[ 'a', \"it's\", 1, null, undefined, true ]",
        ),
        ("{a: {b: {c: [1]}}, 'x-y': 1n}", "{ a: { b: { c: [ 1 ] } }, 'x-y': 1n }"),
        ("{a: 'x'.repeat(80)}", "{\n  a: '" + "x" * 80 + "'\n}"),
        ("[[[[[[[1]]]]]]]", "[ [ [ [ [ [Array] ] ] ] ] ]"),
        ("new Map([['k', new Set([1])]])", "Map(1) { 'k' => Set(1) { 1 } }"),
        ("() => 1, function f() {}, class A {}", "[Function (anonymous)] [Function: f] [class: A]"),
        ("new (class Point { x = 1 })", "Point { x: 1 }"),
        ("new Date(0), /x/g, Symbol('s'), -0", "1970-01-01T00:00:00.000Z /x/g Symbol(s) -0"),
        ("new Uint8Array(2), Promise.resolve(1)", "Uint8Array(2) [ 0, 0 ] Promise {}"),
        ("(() => { const a = {}; a.a = a; return a })()", "{ a: [Circular] }"),
        ("{get x() { return 1 }, [Symbol('s')]: 1}", "{ x: [Getter], [Symbol(s)]: 1 }"),
        ("Tool, Async", "Tool Async"),
        ("Array.from({length: 102}, () => 0).length", "102"),
        (
            "'%s is %d %i %j %% %o %x', 'a', '1', 2.5, {b: 1}, [1], 9",
            'a is 1 2 {"b":1} % [ 1 ] %x 9',
        ),
        ("Object.create(null), [], {}", "{} [] {}"),
    ],
)
def test_console_shows_values(play: Callable[..., Any], source: str, text: str) -> None:
    assert printed(play, f"console.log({source})")["stdout"] == text + "\n"


def test_console_shows_errors_with_their_stack(play: Callable[..., Any]) -> None:
    out = printed(play, "console.log(new Error('x'));\nconsole.error(new TypeError('t'))")
    assert out == {
        "stdout": "Error: x\n    at spell.js:1:17\n",
        "stderr": "TypeError: t\n    at spell.js:2:19\n",
    }


def test_console_has_its_usual_methods(play: Callable[..., Any]) -> None:
    source = """
        console.group("g"); console.info("a\\nb"); console.groupEnd(); console.debug("c");
        console.count(); console.count("x"); console.count();
        console.assert(true, "no"); console.assert(false, "yes", 1); console.warn("w");
        console.time("t"); console.timeEnd("t"); console.dir({a: 1});
    """
    out = printed(play, source)
    assert out["stderr"] == "Assertion failed yes 1\nw\n"
    lines = out["stdout"].splitlines()
    assert lines[:7] == ["g", "  a", "  b", "c", "default: 1", "x: 1", "default: 2"]
    assert lines[7].startswith("t: ")
    assert lines[8:] == ["{ a: 1 }"]


# -- input and arguments -------------------------------------------------------------------------


def test_stdin_as_text_lines_and_json(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        lines = ["one\n", "two\n"]

        async def read(how: Any) -> str | None:
            if how == "a":
                return '{"a": [1, 2]}'
            return lines.pop(0).removesuffix("\n") if lines else None

        host.methods["stdin.read"] = read
        source = "const t = []; for await (const line of stdin.lines()) t.push(line); return t"
        assert await host.run(source) == ["one", "two"]
        lines.extend(["three\n", "four\n"])
        assert await host.run("for await (const line of stdin) return line") == "three"
        assert await host.run("return stdin.read()") == "four"
        assert await host.run("return (await stdin.json()).a[1]") == 2
        assert await host.run("return stdin.text()") == '{"a": [1, 2]}'

    play(body)


def test_arguments_by_position_and_name(play: Callable[..., Any]) -> None:
    args = {"script": "x.js", "positional": ["a", "b"], "named": {"n": "1", "flag": True}}
    source = """
        return [args[0], args[1], arg[2], ARGS.n, args.flag, args.none === undefined, [...args],
          process.argv, args.constructor === undefined, Object.keys(args)]
    """
    assert play(source, args=args) == [
        "x.js", "a", "b", "1", True, True, ["a", "b"], ["llmspell", "x.js", "a", "b"], True,
        ["0", "1", "2", "n", "flag"],
    ]  # fmt: skip
    assert play("return [args[0], args[1]]") == [None, None]


def test_the_environment_is_what_the_policy_names(play: Callable[..., Any]) -> None:
    source = "return [process.env.A, 'GONE' in process.env, process.env.PATH, process.env.toString]"
    assert play(source, env={"A": "1", "GONE": None}) == ["1", False, None, None]


def test_a_seed_makes_random_numbers_repeatable(play: Callable[..., Any]) -> None:
    source = "return Array.from({length: 5}, () => Math.random())"
    first = play(source, seed="00ff")
    assert first == play(source, seed="00ff")
    assert first != play(source, seed="00fe")
    assert len(set(first)) == 5
    assert all(0 <= one < 1 for one in first)


@pytest.mark.parametrize(
    ("code", "status"),
    [("3", 3), ("true", 0), ("false", 1), ("", 0), ("'4'", 4), ("NaN", 0), ("{}", 0)],
)
def test_exit_ends_the_run_and_cannot_be_caught(
    play: Callable[..., Any], code: str, status: int
) -> None:
    async def body(host: EngineHost) -> None:
        with pytest.raises(ScriptError) as caught:
            await host.run(
                "print('out'); try { await null;"
                f" try {{ process.exit({code}) }} catch {{ print('no') }} }}"
                " finally { print('never') }"
            )
        assert caught.value.code == "script.exit"
        assert caught.value.details == {"code": status}
        assert host.output["stdout"] == "out\n"
        assert host.session.idle()

    play(body)


# -- the web platform ----------------------------------------------------------------------------

URLS = [
    ("http://EXAMPLE.com:80/a/../b?x=1#y", None, "http://example.com/b?x=1#y"),
    ("../c", "http://a.com/x/y/z", "http://a.com/x/c"),
    ("//h/p", "https://a", "https://h/p"),
    ("?q", "http://a/b?c#d", "http://a/b?q"),
    ("#f", "http://a/b?c#d", "http://a/b?c#f"),
    ("", "http://a/b?c#d", "http://a/b?c"),
    ("mailto:x@y", None, "mailto:x@y"),
    ("#f", "mailto:x@y", "mailto:x@y#f"),
    ("data:text/plain,hi there", None, "data:text/plain,hi there"),
    ("javascript:alert(1)", None, "javascript:alert(1)"),
    ("http://0x7f.1/", None, "http://127.0.0.1/"),
    ("http://256/", None, "http://0.0.1.0/"),
    ("http://1.2.3.4.5/", None, None),
    ("http://1.2.3.256/", None, None),
    ("http://[::1]:8080/", None, "http://[::1]:8080/"),
    ("http://[2001:DB8:0:0:1:0:0:1]/", None, "http://[2001:db8::1:0:0:1]/"),
    ("http://[::ffff:1.2.3.4]/", None, "http://[::ffff:102:304]/"),
    ("http://[1::2::3]/", None, None),
    ("http://münchen.de/ä?ö#ü", None, "http://xn--mnchen-3ya.de/%C3%A4?%C3%B6#%C3%BC"),
    ("http://日本語.jp/", None, "http://xn--wgv71a119e.jp/"),
    ("file:///C|/a/../..", None, "file:///C:/"),
    ("file:a", "file:///x/y", "file:///x/a"),
    ("file://localhost/a", None, "file:///a"),
    ("http://a b/", None, None),
    ("http://", None, None),
    ("http://a:99999/", None, None),
    ("http://a:x/", None, None),
    ("x", None, None),
    ("x", "mailto:a", None),
    ("http://user:p@ss@h:81/", None, "http://user:p%40ss@h:81/"),
    ("http://a/%2e%2E/b/./c", None, "http://a/b/c"),
    ("http:a", "http://b/c/", "http://b/c/a"),
    ("https:\\\\a\\b", None, "https://a/b"),
    ("foo://a/b/../c", None, "foo://a/c"),
    ("foo:/a//b", None, "foo:/a//b"),
    ("foo:///p", None, "foo:///p"),
    ("  http://a\n/b\t ", None, "http://a/b"),
    ("http://a/\"<>`{}|^'", None, "http://a/%22%3C%3E%60%7B%7D|%5E'"),
    ("http://a/?'\"<>", None, "http://a/?%27%22%3C%3E"),
]


def test_urls_are_read_as_browsers_do() -> None:
    async def main() -> list[Any]:
        async with engine_host("llmspell_js.guest", "process", libraries=LIBRARIES) as host:
            parse = await host.run(
                "return (text, base) => URL.parse(text, base ?? undefined)?.href ?? null"
            )
            return [await host.invoke(parse.handle, text, base) for text, base, _ in URLS]

    found = asyncio.run(main())
    assert dict(zip([one[:2] for one in URLS], found, strict=True)) == {
        one[:2]: one[2] for one in URLS
    }


def test_parts_of_a_url_can_be_set(play: Callable[..., Any]) -> None:
    source = """
        const u = new URL("https://u:p@a.com/p?x=1&y=2#h");
        const first = [u.origin, u.protocol, u.username, u.password, u.host, u.hostname, u.port,
          u.pathname, u.search, u.hash, String(u), JSON.stringify(u), u.searchParams === u.searchParams];
        u.searchParams.append("z", "a b&c"); u.port = "8080"; u.pathname = "/q r"; u.hash = "i";
        u.username = ""; u.password = ""; u.host = "b.org:99"; u.protocol = "http";
        const second = u.href;
        u.protocol = "mailto"; u.port = "x"; u.hostname = "bad host"; u.search = "?n"; u.hash = "";
        return [first, second, u.href, [...u.searchParams], URL.canParse("x")]
    """
    first, second, third, params, can = play(source)
    href = "https://u:p@a.com/p?x=1&y=2#h"
    assert first == [
        "https://a.com", "https:", "u", "p", "a.com", "a.com", "", "/p", "?x=1&y=2", "#h", href,
        f'"{href}"', True,
    ]  # fmt: skip
    assert second == "http://b.org:99/q%20r?x=1&y=2&z=a+b%26c#i"
    assert (third, params, can) == ("http://b.org:99/q%20r?n", [["n", ""]], False)
    with pytest.raises(ScriptError) as caught:
        play("new URL('x')")
    assert caught.value.message == 'TypeError: "x" is not a valid URL'


def test_search_parameters(play: Callable[..., Any]) -> None:
    source = """
        const p = new URLSearchParams("?a=1&b=%C3%A4+x&a=2&c");
        p.append("d", "=&"); p.delete("c"); p.set("a", 9); p.sort();
        return [String(p), p.get("b"), p.getAll("a"), p.has("zz"), p.size, [...p.keys()],
          String(new URLSearchParams({x: 1})), String(new URLSearchParams([["y", "2"]])), p.get("q")]
    """
    assert play(source) == [
        "a=9&b=%C3%A4+x&d=%3D%26", "ä x", ["9"], False, 3, ["a", "b", "d"], "x=1", "y=2", None,
    ]  # fmt: skip


def test_text_as_bytes_and_back(play: Callable[..., Any]) -> None:
    source = """
        const bytes = new TextEncoder().encode("aé€😀\\ud800");
        const read = (list, options) => new TextDecoder("utf-8", options).decode(new Uint8Array(list));
        const d = new TextDecoder();
        const parts = [[0xef, 0xbb], [0xbf, 0xe2, 0x82], [0xac]].map((one) => d.decode(new Uint8Array(one), {stream: true}));
        let refused; try { read([0xff], {fatal: true}) } catch (e) { refused = e.name }
        let unknown; try { new TextDecoder("x-y") } catch (e) { unknown = e.name }
        return [[...bytes], read(bytes), read([0xef, 0xbb, 0xbf, 97]), read([0xff, 97, 0xe2, 0x82]),
          read([0xed, 0xa0, 0x80]), [...parts, d.decode()], refused, unknown,
          new TextDecoder("utf-16le").decode(new Uint8Array([97, 0])), read([0xef, 0xbb, 0xbf], {ignoreBOM: true}),
          new TextEncoder().encodeInto("aé€", new Uint8Array(3)), atob(btoa("abc"))]
    """
    assert play(source) == [
        [97, 195, 169, 226, 130, 172, 240, 159, 152, 128, 239, 191, 189], "aé€😀\ufffd", "a",
        "\ufffda\ufffd", "\ufffd\ufffd\ufffd", ["", "", "€", ""], "TypeError", "RangeError", "a",
        "\ufeff", {"read": 2, "written": 3}, "abc",
    ]  # fmt: skip


def test_structured_clone_copies_what_data_is(play: Callable[..., Any]) -> None:
    source = """
        const a = {d: new Date(5), m: new Map([[1, {x: 1}]]), s: new Set([1]), r: /x/g,
          e: new TypeError("t", {cause: 1}), u: new Uint8Array([1, 2]).subarray(1), n: undefined, o: Object(1)};
        a.self = a;
        const c = structuredClone(a), buffer = new ArrayBuffer(2);
        const moved = structuredClone(buffer, {transfer: [buffer]});
        const refused = [() => 1, Symbol("s"), Promise.resolve(1), new WeakMap(), Tool].map((one) => {
          try { structuredClone([one]) } catch (e) { return e.name }
        });
        return [c !== a, c.self === c, c.d.getTime(), c.m.get(1).x, c.m.get(1) !== a.m.get(1), c.s.has(1),
          String(c.r), c.e instanceof TypeError, c.e.cause, [...c.u], "n" in c, moved.byteLength,
          buffer.byteLength, [...new Set(refused)]]
    """
    assert play(source) == [
        True, True, 5, 1, True, True, "/x/g", True, 1, [2], True, 2, 0, ["DataCloneError"],
    ]  # fmt: skip


def test_abort_signals(play: Callable[..., Any]) -> None:
    source = """
        const c = new AbortController();
        const seen = [];
        const never = () => seen.push("never");
        c.signal.addEventListener("abort", (e) => seen.push(e.type));
        c.signal.addEventListener("abort", never);
        c.signal.removeEventListener("abort", never);
        c.signal.onabort = () => seen.push("on");
        const any = AbortSignal.any([new AbortController().signal, c.signal]);
        c.abort(); c.abort();
        let thrown; try { c.signal.throwIfAborted() } catch (e) { thrown = e.name }
        let illegal; try { new AbortSignal() } catch (e) { illegal = e.name }
        return [seen, thrown, any.aborted, any.reason === c.signal.reason, AbortSignal.abort(5).reason,
          illegal, String(c.signal)]
    """
    assert play(source) == [
        ["on", "abort"], "AbortError", True, True, 5, "TypeError", "[object AbortSignal]",
    ]  # fmt: skip
