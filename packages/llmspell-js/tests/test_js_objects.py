"""What the host shows to JavaScript: globals, host objects, results, builders, guest methods."""

# ruff: noqa: E501 - the long lines are JavaScript
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import CARRIERS, EngineHost, engine_host, manifest
from llmspell_core.errors import ScriptError

AGENT = {
    "name": "Agent",
    "aliases": ["Agents"],
    "kind": "table",
    "call": "new",
    "doc": "Not for engines.",
    "values": {"profile": "low"},
    "methods": {
        "new": {"aliases": ["create"], "guest": False, "doc": "A new one."},
        "build": {"aliases": [], "guest": False, "hidden": True},
        "list_all": {"aliases": ["list"], "guest": False},
        "result": {"aliases": [], "guest": False},
        "rows": {"aliases": [], "guest": False},
    },
    "builders": {
        "builder": {
            "setters": {
                "name": ["set", "name"],
                "system_prompt": ["set", "system_prompt"],
                "tool": ["append", "tools"],
                "hook": ["put", "hooks"],
                "parallel": ["flag:parallel", "type"],
            },
            "build": "build",
            "finish": {"register": "new"},
            "config": "AgentConfig",
        }
    },
    "objects": {
        "agent": {
            "doc": "",
            "methods": {
                "execute": {"aliases": ["run"], "guest": False},
                "add_tool": {"aliases": [], "guest": False},
                "stream": {"aliases": [], "guest": False},
            },
            "builders": {},
            "iterate": None,
        },
        "stream": {
            "methods": {
                "next_item": {"aliases": [], "guest": False},
                "close": {"aliases": [], "guest": False},
            },
            "iterate": "next_item",
        },
    },
    "types": {},
}
INDEXED = {
    **manifest("Tools", "list", "execute"),
    "index": "tool",
    "objects": {"tool": {"methods": {"execute": {}, "get_schema": {}}}},
}


@pytest.fixture(params=CARRIERS)
def play(request: pytest.FixtureRequest) -> Callable[..., Any]:
    def run(body: Callable[[EngineHost], Awaitable[Any]] | str, **options: Any) -> Any:
        async def main() -> Any:
            async with engine_host(
                "llmspell_js.guest",
                request.param,
                requires=("_quickjs", "llmspell_js"),
                **{"globals": [AGENT, INDEXED], **options},
            ) as host:
                prepare(host)
                if isinstance(body, str):
                    return await asyncio.wait_for(host.run(body, "spell.js"), 20)
                return await asyncio.wait_for(body(host), 20)

        return asyncio.run(main())

    return run


def prepare(host: EngineHost) -> None:
    def stream(*_: Any) -> Any:
        items = iter([1, 2, 3])

        def close() -> None:
            host.methods["closed"] = lambda: True

        return host.give(
            8, "stream", {"id": "s", "name": "s"}, next_item=lambda: next(items, None), close=close
        )

    def new(*args: Any) -> Any:
        host.methods["seen"] = lambda: list(args)

        def add_tool(tool: Any) -> Any:
            return ["added", tool]

        fields = {"id": "a-1", "name": "writer", "type": "agent", "model_name": "m"}
        return host.give(
            7,
            "agent",
            fields,
            execute=lambda *given: list(given),
            add_tool=add_tool,
            stream=stream,
        )

    host.methods.update(
        {
            "Agent.new": new,
            "Agent.build": lambda config: config,
            "Agent.list_all": stream,
            "Agent.rows": lambda: [{"$r": [{"name": "a", "x_y": 1}, "", "name"]}],
            "Agent.result": lambda: {
                "$r": [
                    {"finish_reason": "stop", "result": {"user_name": "ann", "text": 1}},
                    "result",
                ]
            },
            "Tools\0poet.execute": lambda *given: ["poet", *given],
        }
    )


def failing(play: Callable[..., Any], source: str) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        play(source)
    return caught.value


# -- globals -------------------------------------------------------------------------------------


def test_globals_list_their_methods_and_hide_the_hidden(play: Callable[..., Any]) -> None:
    assert play("return Object.keys(Agent)") == [
        "new", "list_all", "result", "rows", "builder", "profile",
    ]  # fmt: skip
    assert play("const found = []; for (const name in Tools) found.push(name); return found") == [
        "list", "execute",
    ]  # fmt: skip
    source = """
        return [typeof Agent.build, typeof Agent, String(Agent), Agents === Agent, Agent.profile,
          "new" in Agent, "nope" in Agent, Agent.nope === undefined, `${Tools}`, typeof Tools]
    """
    assert play(source) == [
        "function", "function", "Agent", True, "low", True, False, True, "Tools", "object",
    ]  # fmt: skip


def test_a_global_is_called_and_constructed(play: Callable[..., Any]) -> None:
    source = """
        const made = [Agent.new("x"), Agent({}), new Agent({}), Agent.create({}), new Agent];
        return [made.every((one) => one instanceof Promise), ...(await Promise.all(made)).map(String)]
    """
    assert play(source) == [True, *["agent(writer)"] * 5]
    assert play("return [typeof Agent.listAll, typeof Agent.list, Agent.new === Agent.create]") == [
        "function", "function", True,
    ]  # fmt: skip


def test_nothing_of_the_host_is_taken_for_a_promise(play: Callable[..., Any]) -> None:
    source = """
        const a = await new Agent({}), b = Agent.builder();
        const all = [Agent, Tools, Async, JSON, Tools.x, a, b, await Agent.result()];
        for (const one of all) if (await one !== one) return "taken";
        return all.map((one) => typeof one.then)
    """
    assert play(source) == ["undefined"] * 8


@pytest.mark.parametrize(
    "source",
    [
        "Agent.new = 1",
        "Agent.other = 1",
        "delete Agent.new",
        "Object.defineProperty(Agent, 'new', {value: 1})",
        "Object.setPrototypeOf(Agent, null)",
        "Object.freeze(Agent)",
        "(await Agent.new()).name = 'x'",
        "(await Agent.new()).other = 'x'",
        "Agent.builder().name = 'x'",
        "Tools['x'].name = 1",
        "'use strict'; Async.spawn = 1",
        "'use strict'; Async.queue().push = 1",
    ],
)
def test_what_the_host_shows_is_read_only(play: Callable[..., Any], source: str) -> None:
    assert "read" in failing(play, source).message


def test_error_classes_of_the_host_are_read_only(play: Callable[..., Any]) -> None:
    source = """
        try { await Agent.rows(1) } catch (e) {
          const proto = Object.getPrototypeOf(e);
          return [Object.isFrozen(proto), Object.isFrozen(e.constructor)]
        }
    """
    assert play(source) == [True, True]


def test_unknown_methods_of_an_index_name_the_nearest(play: Callable[..., Any]) -> None:
    error = failing(play, "await Tools.exeute('x')")
    assert (error.code, error.hint) == ("name.not_found", 'did you mean "execute"?')
    assert error.source == "spell.js:1"
    assert ".newt is not a function" in failing(play, "Agent.newt()").message


# -- host objects --------------------------------------------------------------------------------


def test_methods_of_objects_are_bound(play: Callable[..., Any]) -> None:
    source = """
        const a = await Agent.new({});
        const f = a.execute;
        return Promise.all([a.execute("x"), f("x", 2), f(), a.run("y"), a.addTool(1), a.add_tool(2)])
    """
    assert play(source) == [["x"], ["x", 2], [], ["y"], ["added", 1], ["added", 2]]


def test_a_method_keeps_its_object_alive(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        await host.run("globalThis.f = (await Agent.new({})).execute")
        assert host.dropped == []
        assert await host.run("return f(1)") == [1]
        await host.run("f = null")
        assert host.dropped == [7]

    play(body)


def test_an_object_has_fields_and_prints_as_type_and_name(play: Callable[..., Any]) -> None:
    source = """
        const a = await Agent.new({});
        return [String(a), a.id, a.name, a.type, a.modelName, a.model_name, a.nothing === undefined,
          Object.keys(a), JSON.parse(JSON.stringify(a)), a === await Agent.new({}), {...a}.name, "id" in a]
    """
    fields = {"id": "a-1", "name": "writer", "type": "agent", "model_name": "m"}
    assert play(source) == [
        "agent(writer)", "a-1", "writer", "agent", "m", "m", True, list(fields), fields, True,
        "writer", True,
    ]  # fmt: skip


def test_objects_go_back_as_their_handle(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        await host.run(
            "const a = await Agent.new();"
            " await Agent.new({a, by_name: Tools.poet, list: [Tools['x y']]})"
        )
        assert host.methods["seen"]() == [
            {"a": {"$h": 7}, "by_name": {"$h": "Tools\0poet"}, "list": [{"$h": "Tools\0x y"}]}
        ]
        assert await host.run("return JSON.encode(await Agent.new())") == (
            '{"id":"a-1","name":"writer","type":"agent","model_name":"m"}'
        )

    play(body)


def test_an_index_gives_an_object_at_once_that_is_bound_late(play: Callable[..., Any]) -> None:
    source = """
        const f = Tools["poet"].execute;
        return [Tools.poet.name, String(Tools["poet"]), await Tools.poet.execute("x"), await f("y"),
          Tools.poet === Tools.poet, Tools.then, Tools.toJSON, typeof Tools.poet.getSchema]
    """
    assert play(source) == [
        "poet", "tool(poet)", ["poet", "x"], ["poet", "y"], True, None, None, "function",
    ]  # fmt: skip


def test_an_object_that_iterates_works_in_for_await(play: Callable[..., Any]) -> None:
    source = """
        const found = [], a = await new Agent({});
        for await (const item of a.stream("x")) found.push(item);
        const stream = await a.stream("x");
        for await (const item of stream) found.push(item);
        for await (const row of Agent.rows()) found.push(row.name);
        return found
    """
    assert play(source) == [1, 2, 3, 1, 2, 3, "a"]
    assert "cannot be iterated" in failing(play, "for await (const x of Agent.result()) x").message


def test_leaving_an_iteration_closes_it(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        assert await host.run("for await (const x of Agent.list()) return x") == 1
        assert host.methods["closed"]() is True

    play(body)


def test_lost_handles_are_dropped_once_for_each_time_they_came(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        await host.run("{ const a = await Agent.new({}), b = await Agent.new({}) }")
        await host.run("return 1")
        assert host.dropped == [7, 7]

    play(body)


def test_builders_and_tasks_are_freed(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        await host.run(
            "globalThis.gone = 0; globalThis.r = new FinalizationRegistry(() => { gone++ })"
        )
        await host.run(
            "for (let i = 0; i < 5; i++) { r.register(Agent.builder().name('x'));"
            " const t = Async.spawn(() => i); r.register(t); await t; r.register(Async.queue()) }"
            # Queues are cycles: they go when the engine looks for such.
            " for (let i = 0; i < 20000; i++) { const a = []; a.push(a) }"
        )
        return await host.run("return gone")

    assert play(body) == 15


def test_results_read_in_both_spellings_and_through_their_field(play: Callable[..., Any]) -> None:
    source = """
        const r = await Agent.result(), rows = await Agent.rows();
        return [r.finishReason, r.finish_reason, r.user_name, r.userName, r.text,
          r.other === undefined, Object.keys(r), r.hasOwnProperty("result"), rows[0].xY,
          String(rows[0]), `${rows}`, r.toString(), JSON.stringify(rows)]
    """
    assert play(source) == [
        "stop", "stop", "ann", "ann", 1, True, ["finish_reason", "result"], True, 1, "a", "a",
        "[object Object]", '[{"name":"a","x_y":1}]',
    ]  # fmt: skip
    assert play("const r = await Agent.result(); r.mine = 1; return r").keys() == {
        "finish_reason", "result", "mine",
    }  # fmt: skip


# -- builders ------------------------------------------------------------------------------------


def test_a_builder_collects_and_builds_with_one_call(play: Callable[..., Any]) -> None:
    source = """
        const b = Agent.builder();
        const first = b.name("x").systemPrompt("y").tool("t1").tool({name: "t2"});
        b.hook("before", "f").parallel();
        return [first === b, String(b), await b.build()]
    """
    same, text, config = play(source)
    assert same is True
    assert text == "builder(Agent.builder)"
    assert config == {
        "name": "x",
        "system_prompt": "y",
        "tools": ["t1", {"name": "t2"}],
        "hooks": {"before": "f"},
        "type": "parallel",
    }


def test_a_builder_starts_from_arguments_and_ends_by_other_methods(
    play: Callable[..., Any],
) -> None:
    source = """
        const tools = [];
        const built = await Agent.builder("n", {tools}).tool("t").build();
        return [built, tools.length, (await Agent.builder().name("n").register()).name]
    """
    assert play(source) == [{"name": "n", "tools": ["t"]}, 0, "writer"]


def test_an_unknown_setter_names_the_nearest(play: Callable[..., Any]) -> None:
    error = failing(play, "Agent.builder().system_promt('x')")
    assert (error.code, error.hint) == ("input.invalid", 'did you mean "system_prompt"?')


# -- guest methods -------------------------------------------------------------------------------

UTILS = manifest("Utils", "env", guest=("uuid", "hash", "now", "slug", "truncate", "template"))


def test_utils_are_answered_at_once_without_the_host(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        values = await host.run(
            "return [Utils.uuid().length, Utils.hash('abc'), Utils.hash('abc', 'md5'),"
            " Utils.now() > 1.6e12,"
            " Utils.slug('Hällo, Wörld!'), Utils.truncate('abcdefgh', 5), Utils.truncate('ab', 5),"
            " Utils.template('{{a}} {{b.c}} {{d}} {{e}', {a: 1, b: {c: 'x'}}),"
            " Utils.hash(new Uint8Array([255]))]"
        )
        assert host.origins == []
        return values

    assert play(body, globals=[UTILS]) == [
        36,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "900150983cd24fb0d6963f7d28e17f72",
        True,
        "hallo-world",
        "ab...",
        "ab",
        "1 x {{d}} {{e}",
        "a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89",
    ]


def test_wrong_arguments_of_a_native_are_errors_of_the_script(play: Callable[..., Any]) -> None:
    for call in ("hash({})", "hash('a', 'rot13')", "truncate('a', 'b')", "slug()", "uuid(1, 2)"):
        with pytest.raises(ScriptError) as caught:
            play(f"Utils.{call}", globals=[UTILS])
        assert caught.value.code == "input.invalid"
        assert caught.value.source == "spell.js:1"


def test_log_records_come_in_batches_with_their_fields(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        await host.run(
            "Logger.debug('no'); Logger.info('one', {n: 1}); "
            "const l = Logger.new({name: 'mine', fields: {a: 1}}); l.warn('two', {b: 2}); "
            "l.child('sub').error('three'); l.withContext({c: 3}).info('four'); "
            "Logger.setLevel('debug'); Debug.log('five'); Logger.setCorrelationId('id'); "
            "Logger.info('six', {f: () => 1})"
        )
        found = [
            (one["level"], one["message"], one.get("logger"), one.get("fields"))
            for one in host.logs
        ]
        assert found[:5] == [
            ("info", "one", None, {"n": 1}),
            ("warn", "two", "mine", {"a": 1, "b": 2}),
            ("error", "three", "mine.sub", {"a": 1}),
            ("info", "four", "mine", {"a": 1, "c": 3}),
            ("info", "five", "debug", None),
        ]
        assert host.logs[5]["fields"] == {"correlation_id": "id", "f": "[Function: f]"}

    play(body, log_level="info")


def test_debug_helps_without_the_host(play: Callable[..., Any]) -> None:
    source = """
        const t = Debug.timer("x"); t.stop();
        return [
          Debug.dump({a: [1, 2], b: "x"}), Debug.stack_trace(), Debug.memory_stats().used_kb >= 0,
          Debug.performanceReport().x.count, Debug.get_level(), Debug.is_enabled("debug")]
    """
    assert play(source) == [
        "{ a: [ 1, 2 ], b: 'x' }", "at spell.js:4:50", True, 1, "info", False,
    ]  # fmt: skip


def test_timers_of_loggers_measure(play: Callable[..., Any]) -> None:
    source = """
        const t = Logger.new("x").timer("work");
        await Async.sleep(10);
        return [t.lap() > 5, t.elapsed() > 5, t.stop() > 5]
    """
    assert play(source) == [True, True, True]


def test_a_batch_of_a_logger_waits_for_flush(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> int:
        await host.run("globalThis.b = Logger.new('x').batch(); b.info('1'); b.info('2')")
        assert host.logs == []
        await host.run("b.flush()")
        return len(host.logs)

    assert play(body) == 2
