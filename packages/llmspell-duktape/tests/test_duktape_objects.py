"""What the host shows to ES5.1: globals, host objects, results, builders, guest methods."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import EngineHost, engine_host, manifest
from llmspell_core.errors import ScriptError

pytest.importorskip("pyduktape2")

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
            "methods": {"next_item": {"aliases": [], "guest": False}},
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


def play(body: Callable[[EngineHost], Awaitable[Any]] | str, **options: Any) -> Any:
    async def main() -> Any:
        async with engine_host(
            "llmspell_duktape.guest",
            "worker",
            requires=("pyduktape2", "llmspell_duktape"),
            **{"globals": [AGENT, INDEXED], **options},
        ) as host:
            prepare(host)
            if isinstance(body, str):
                return await asyncio.wait_for(host.run(body, "spell.js"), 20)
            return await asyncio.wait_for(body(host), 20)

    return asyncio.run(main())


def prepare(host: EngineHost) -> None:
    def stream(*_: Any) -> Any:
        items = iter([1, 2, 3])
        return host.give(8, "stream", {"id": "s", "name": "s"}, next_item=lambda: next(items, None))

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


def failing(source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        play(source, **options)
    return caught.value


# -- globals -------------------------------------------------------------------------------------


def test_globals_list_their_methods_and_hide_the_hidden() -> None:
    names = ["builder", "list_all", "new", "profile", "result", "rows"]
    source = """
        var found = [], name;
        for (name in Tools) found.push(name);
        return [Object.keys(Agent).sort(), found.sort(),
          typeof Agent.build, typeof Agent, String(Agent), Agents === Agent, Agent.profile,
          "new" in Agent, "nope" in Agent, Agent.nope === undefined, "" + Tools, typeof Tools]
    """
    assert play(source) == [
        names, ["execute", "list"], "function", "function", "Agent", True, "low", True, False,
        True, "Tools", "object",
    ]  # fmt: skip


def test_a_global_is_called_and_constructed() -> None:
    source = """
        return [Agent.new("x"), Agent({}), new Agent({}), Agent.create({}), new Agent].map(String)
    """
    assert play(source) == ["agent(writer)"] * 5
    assert play("return [typeof Agent.listAll, typeof Agent.list, Agent.new === Agent.create]") == [
        "function", "function", True,
    ]  # fmt: skip


def test_nothing_of_the_host_answers_then() -> None:
    source = """
        return [Agent, Tools, Async, JSON, Tools.x, new Agent({}), Agent.builder(), Agent.result()]
          .map(function (one) { return typeof one.then; })
    """
    assert play(source) == ["undefined"] * 8


@pytest.mark.parametrize(
    "source",
    [
        "Agent.new = 1",
        "Agent.other = 1",
        "delete Agent.new",
        "Agent.new().name = 'x'",
        "Agent.new().other = 'x'",
        "Agent.builder().name = 'x'",
        "Tools['x'].name = 1",
        "Async.spawn = 1",
        "'use strict'; Async.queue().push = 1",
        "'use strict'; Logger.new('x').info = 1",
        "'use strict'; stdout.write = 1",
    ],
)
def test_what_the_host_shows_is_read_only(source: str) -> None:
    message = failing(source).message
    assert any(word in message for word in ("read-only", "writable", "extensible")), message


def test_what_a_script_defines_on_a_global_changes_no_call() -> None:
    source = """
        Object.keys(Agent);
        try { Object.defineProperty(Agent, "new", {value: 1}) } catch (e) {}
        try { Object.defineProperty(Agent, "result", {get: function () { return 1 }}) } catch (e) {}
        try { Object.setPrototypeOf(Agent, {create: 1}) } catch (e) {}
        return [typeof Agent.new, typeof Agent.result, typeof Agent.create]
    """
    assert play(source) == ["function"] * 3


def test_unknown_methods_of_an_index_name_the_nearest() -> None:
    error = failing("Tools.exeute('x')")
    assert (error.code, error.hint) == ("name.not_found", 'did you mean "execute"?')
    assert error.source == "spell.js:1"
    assert "newt" in failing("Agent.newt()").message


# -- host objects --------------------------------------------------------------------------------


def test_methods_of_objects_are_bound() -> None:
    source = """
        var a = Agent.new({}), f = a.execute;
        return [a.execute("x"), f("x", 2), f(), a.run("y"), a.addTool(1), a.add_tool(2)]
    """
    assert play(source) == [["x"], ["x", 2], [], ["y"], ["added", 1], ["added", 2]]


def test_an_object_has_fields_and_prints_as_type_and_name() -> None:
    source = """
        var a = Agent.new({});
        return [String(a), a.id, a.name, a.type, a.modelName, a.model_name, a.nothing === undefined,
          Object.keys(a), JSON.parse(JSON.stringify(a)), a === Agent.new({}), "id" in a]
    """
    fields = {"id": "a-1", "name": "writer", "type": "agent", "model_name": "m"}
    assert play(source) == [
        "agent(writer)", "a-1", "writer", "agent", "m", "m", True, list(fields), fields, True, True,
    ]  # fmt: skip


def test_objects_go_back_as_their_handle() -> None:
    async def body(host: EngineHost) -> None:
        await host.run(
            "Agent.new({a: Agent.new(), by_name: Tools.poet, list: [Tools['x y']]})", "spell.js"
        )
        assert host.methods["seen"]() == [
            {"a": {"$h": 7}, "by_name": {"$h": "Tools\0poet"}, "list": [{"$h": "Tools\0x y"}]}
        ]
        assert await host.run("return JSON.encode(Agent.new())") == (
            '{"id":"a-1","name":"writer","type":"agent","model_name":"m"}'
        )

    play(body)


def test_an_index_gives_an_object_at_once_that_is_bound_late() -> None:
    source = """
        var f = Tools["poet"].execute;
        return [Tools.poet.name, String(Tools["poet"]), Tools.poet.execute("x"), f("y"),
          Tools.poet === Tools.poet, Tools.then, Tools.toJSON, typeof Tools.poet.getSchema]
    """
    assert play(source) == [
        "poet", "tool(poet)", ["poet", "x"], ["poet", "y"], True, None, None, "function",
    ]  # fmt: skip


def test_what_iterates_has_next_and_for_each() -> None:
    source = """
        var found = [], s = Agent.list(), item;
        while ((item = s.next()) !== null) found.push(item);
        Agent.new().stream("x").forEach(function (one, i) { found.push([one, i]) });
        return found
    """
    assert play(source) == [1, 2, 3, [1, 0], [2, 1], [3, 2]]


def test_lost_handles_are_dropped_once_for_each_time_they_came() -> None:
    async def body(host: EngineHost) -> None:
        await host.run("(function () { var a = Agent.new({}), b = Agent.new({}) })()")
        await host.run("return 1")
        assert host.dropped == [7, 7]
        await host.run("kept = Agent.new({})")
        await host.run("return 1")
        assert host.dropped == [7, 7]
        assert await host.run("return kept.execute(1)") == [1]
        await host.run("kept = null")
        await host.run("return 1")
        assert host.dropped == [7, 7, 7]

    play(body)


def test_a_method_keeps_its_object_alive() -> None:
    async def body(host: EngineHost) -> None:
        await host.run("f = Agent.new({}).execute")
        await host.run("return 1")
        assert host.dropped == []
        assert await host.run("return f(1)") == [1]
        await host.run("f = null")
        await host.run("return 1")
        assert host.dropped == [7]

    play(body)


def test_what_waits_keeps_its_objects_alive() -> None:
    async def body(host: EngineHost) -> Any:
        return await host.run(
            "var a = Agent.new({}), ring = {a: Agent.new({})}; ring.ring = ring;"
            "Async.sleep(5); for (var i = 0; i < 300; i++) Agent.list();"
            "return [a.execute(1), ring.a.execute(2)]"
        )

    assert play(body) == [[1], [2]]


def test_many_objects_of_one_run_are_let_go() -> None:
    async def body(host: EngineHost) -> None:
        handles = iter(range(100, 2000))
        host.methods["Agent.new"] = lambda: host.give(
            next(handles), "agent", {"id": "x", "name": "n"}
        )
        await host.run("for (var i = 0; i < 1000; i++) Agent.new(); Agent.result()")
        assert len(host.dropped) > 500

    play(body)


def test_results_read_in_both_spellings_and_through_their_field() -> None:
    source = """
        var r = Agent.result(), rows = Agent.rows();
        return [r.finishReason, r.finish_reason, r.user_name, r.userName, r.text,
          r.other === undefined, Object.keys(r), r.hasOwnProperty("result"), rows[0].xY,
          String(rows[0]), "" + rows, r.toString(), JSON.stringify(rows)]
    """
    assert play(source) == [
        "stop", "stop", "ann", "ann", 1, True, ["finish_reason", "result"], True, 1, "a", "a",
        "[object Object]", '[{"name":"a","x_y":1}]',
    ]  # fmt: skip
    assert play("var r = Agent.result(); r.mine = 1; return r").keys() == {
        "finish_reason", "result", "mine",
    }  # fmt: skip


# -- builders ------------------------------------------------------------------------------------


def test_a_builder_collects_and_builds_with_one_call() -> None:
    source = """
        var b = Agent.builder();
        var first = b.name("x").systemPrompt("y").tool("t1").tool({name: "t2"});
        b.hook("before", "f").parallel();
        return [first === b, String(b), b.build()]
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


def test_a_builder_starts_from_arguments_and_ends_by_other_methods() -> None:
    source = """
        var tools = [];
        var built = Agent.builder("n", {tools: tools}).tool("t").build();
        return [built, tools.length, Agent.builder().name("n").register().name]
    """
    assert play(source) == [{"name": "n", "tools": ["t"]}, 0, "writer"]


def test_an_unknown_setter_names_the_nearest() -> None:
    error = failing("Agent.builder().system_promt('x')")
    assert (error.code, error.hint) == ("input.invalid", 'did you mean "system_prompt"?')


# -- guest methods -------------------------------------------------------------------------------

UTILS = manifest("Utils", "env", guest=("uuid", "hash", "now", "slug", "truncate", "template"))


def test_utils_are_answered_at_once_without_the_host() -> None:
    async def body(host: EngineHost) -> Any:
        values = await host.run(
            "var other = 0; Async.spawn(function () { other = 1 });"
            "return [Utils.uuid().length, Utils.hash('abc'), Utils.hash('abc', 'md5'),"
            " Utils.now() > 1.6e12,"
            " Utils.slug('Hällo, Wörld!'), Utils.truncate('abcdefgh', 5), Utils.truncate('ab', 5),"
            " Utils.template('{{a}} {{b.c}} {{d}} {{e}', {a: 1, b: {c: 'x'}}),"
            " Utils.hash(new Uint8Array([255])), other]"
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
        0,
    ]


def test_wrong_arguments_of_a_native_are_errors_of_the_script() -> None:
    for call in ("hash({})", "hash('a', 'rot13')", "truncate('a', 'b')", "slug()", "uuid(1, 2)"):
        error = failing(f"Utils.{call}", globals=[UTILS])
        assert error.code == "input.invalid"
        assert error.source == "spell.js:1"


def test_log_records_come_in_batches_with_their_fields() -> None:
    async def body(host: EngineHost) -> None:
        await host.run(
            "Logger.debug('no'); Logger.info('one', {n: 1});"
            "var l = Logger.new({name: 'mine', fields: {a: 1}}); l.warn('two', {b: 2});"
            "l.child('sub').error('three'); l.withContext({c: 3}).info('four');"
            "Logger.set_level('debug'); Debug.log('five'); Logger.set_correlation_id('id');"
            "Logger.info('six', {f: print})"
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
        assert host.logs[5]["fields"]["correlation_id"] == "id"

    play(body, log_level="info")


def test_debug_helps_without_the_host() -> None:
    source = """
        var t = Debug.timer("x"); t.stop();
        return [Debug.dump({a: [1, 2], b: "x"}), Debug.stack_trace(),
          Debug.performance_report().x.count, Debug.get_level(), Debug.is_enabled("debug"),
          Debug.getCapturedEntries().length]
    """
    assert play(source) == ["{ a: [ 1, 2 ], b: 'x' }", "at spell.js:3", 1, "info", False, 0]


def test_timers_of_loggers_measure() -> None:
    source = """
        var t = Logger.new("x").timer("work");
        Async.sleep(10);
        return [t.lap() > 5, t.elapsed() > 5, t.stop() > 5, String(t)]
    """
    assert play(source) == [True, True, True, "timer(work)"]


def test_a_batch_of_a_logger_waits_for_flush() -> None:
    async def body(host: EngineHost) -> int:
        await host.run("b = Logger.new('x').batch(); b.info('1'); b.info('2')")
        assert host.logs == []
        await host.run("b.flush()")
        return len(host.logs)

    assert play(body) == 2
