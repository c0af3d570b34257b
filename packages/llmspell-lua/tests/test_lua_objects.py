"""What the host shows to Lua: globals, host objects, results, builders, guest methods."""

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
    "index": "agent",
    "doc": "Not for engines.",
    "methods": {
        "new": {"aliases": ["create"], "guest": False, "doc": "A new one."},
        "build": {"aliases": [], "guest": False, "hidden": True},
        "list_all": {"aliases": ["list"], "guest": False},
        "result": {"aliases": [], "guest": False},
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


@pytest.fixture(params=CARRIERS)
def play(request: pytest.FixtureRequest) -> Callable[..., Any]:
    def run(body: Callable[[EngineHost], Awaitable[Any]] | str, **options: Any) -> Any:
        async def main() -> Any:
            async with engine_host(
                "llmspell_lua.guest",
                request.param,
                requires=("lupa", "llmspell_lua"),
                **{"globals": [AGENT], **options},
            ) as host:
                prepare(host)
                if isinstance(body, str):
                    return await asyncio.wait_for(host.run(body), 20)
                return await asyncio.wait_for(body(host), 20)

        return asyncio.run(main())

    return run


def prepare(host: EngineHost) -> None:
    def new(*args: Any) -> Any:
        host.methods["seen"] = lambda: list(args)

        def add_tool(tool: Any) -> Any:
            return ["added", tool]

        fields = {"id": "a-1", "name": "writer", "type": "agent", "model_name": "m"}
        return host.give(7, "agent", fields, execute=lambda *given: list(given), add_tool=add_tool)

    items = iter([1, 2, 3])
    host.methods.update(
        {
            "Agent.new": new,
            "Agent.build": lambda config: config,
            "Agent.list_all": lambda: host.give(
                8, "stream", {"id": "s", "name": "s"}, next_item=lambda: next(items, None)
            ),
            "Agent.result": lambda: {
                "$r": [
                    {"finish_reason": "stop", "result": {"user_name": "ann", "text": 1}},
                    "result",
                ]
            },
            "Agent\0poet.execute": lambda *given: ["poet", *given],
        }
    )


# -- globals -------------------------------------------------------------------------------------


def test_globals_list_their_methods_and_hide_the_hidden(play: Callable[..., Any]) -> None:
    source = "local t = {} for name in pairs(Agent) do t[#t + 1] = name end table.sort(t) return t"
    assert play(source) == ["builder", "list_all", "new", "result"]
    assert play("return type(Agent.build)") == "function"
    assert play("return {type(Agent), tostring(Agent), Agents == Agent}") == [
        "table",
        "Agent",
        True,
    ]


def test_a_global_is_called_by_its_names(play: Callable[..., Any]) -> None:
    assert play("return Agent.new('x').name .. Agent{}.name .. Agent.create{}.name") == "writer" * 3
    assert play("return {type(Agent.listAll), type(Agent.list), Agent.new == Agent.create}") == [
        "function", "function", True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        "Agent.new = 1",
        "Agent.other = 1",
        "Agent.new().name = 'x'",
        "Agent.builder().name = 'x'",
        "io.stdout.write = print",
        "JSON.parse = print",
        "setmetatable(Agent, {})",
        "setmetatable(Agent.new(), nil)",
        "getmetatable('').__index = {}",
        "setmetatable(select(2, pcall(Agent.result, 0)), {}) setmetatable(Async.queue(), {})",
    ],
)
def test_what_the_host_shows_is_read_only(play: Callable[..., Any], source: str) -> None:
    with pytest.raises(ScriptError) as caught:
        play(source)
    assert any(word in caught.value.message for word in ("read-only", "protected", "index"))


def test_unknown_methods_name_the_nearest(play: Callable[..., Any]) -> None:
    with pytest.raises(ScriptError) as caught:
        play("Agent.result_()")
    assert caught.value.code == "name.not_found"
    assert caught.value.hint == 'did you mean "result"?'


# -- host objects --------------------------------------------------------------------------------


def test_methods_of_objects_are_bound(play: Callable[..., Any]) -> None:
    source = """
        local a = Agent.new{}
        local f = a.execute
        return {a:execute("x"), a.execute("x", 2), f(), a:run("y"), a:addTool(1)}
    """
    assert play(source) == [["x"], ["x", 2], [], ["y"], ["added", 1]]


def test_an_object_has_fields_and_prints_as_type_and_name(play: Callable[..., Any]) -> None:
    source = """
        local a, t = Agent.new{}, {}
        for key, value in pairs(a) do t[key] = value end
        return {tostring(a), a.id, a.name, a.type, a.modelName, a.nothing == nil, t.model_name,
          a == Agent.new{}}
    """
    assert play(source) == ["agent(writer)", "a-1", "writer", "agent", "m", True, "m", True]


def test_objects_go_back_as_their_handle(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        await host.run("Agent.new({Agent.new(), by_name = Agent.poet, [3] = Agent['x y']})")
        assert host.methods["seen"]() == [
            {"1": {"$h": 7}, "3": {"$h": "Agent\0x y"}, "by_name": {"$h": "Agent\0poet"}}
        ]
        assert await host.run("return JSON.parse(JSON.stringify(Agent.new())).name") == "writer"

    play(body)


def test_an_index_gives_an_object_at_once_that_is_bound_late(play: Callable[..., Any]) -> None:
    assert play("return {Agent.poet.name, tostring(Agent['poet']), Agent.poet:execute('x')}") == [
        "poet", "agent(poet)", ["poet", "x"],
    ]  # fmt: skip


def test_an_object_that_iterates_works_in_a_for_loop(play: Callable[..., Any]) -> None:
    assert play("local t = {} for item in Agent.list() do t[#t + 1] = item end return t") == [
        1,
        2,
        3,
    ]


def test_lost_handles_are_dropped_once_for_each_time_they_came(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        await host.run("do local a, b = Agent.new{}, Agent.new{} end")
        await host.run("collectgarbage() collectgarbage()")
        await host.run("return 1")
        assert host.dropped == [7, 7]

    play(body)


def test_results_read_in_both_spellings_and_through_their_field(play: Callable[..., Any]) -> None:
    source = """
        local r, keys = Agent.result(), {}
        for key in pairs(r) do keys[#keys + 1] = key end
        table.sort(keys)
        return {
          r.finishReason, r.finish_reason, r.user_name, r.userName, r.text, r.other == nil, keys}
    """
    assert play(source) == ["stop", "stop", "ann", "ann", 1, True, ["finish_reason", "result"]]
    assert play("local r = Agent.result() r.mine = 1 return r").keys() == {
        "finish_reason", "result", "mine",
    }  # fmt: skip


def test_a_result_may_print_as_one_of_its_fields(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        host.methods["Agent.result"] = lambda: {
            "$r": [{"name": "ann", "full_name": "x"}, "", "name"]
        }
        return await host.run(
            "local r = Agent.result() return {tostring(r), r.fullName, r[1] == nil}"
        )

    assert play(body) == ["ann", "x", True]


# -- builders ------------------------------------------------------------------------------------


def test_a_builder_collects_and_builds_with_one_call(play: Callable[..., Any]) -> None:
    source = """
        local b = Agent.builder()
        local first = b:name("x"):systemPrompt("y"):tool("t1"):tool{name = "t2"}
        b.hook("before", "f"):parallel()
        return {first == b, tostring(b), b:build()}
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
    assert play("return Agent.builder('n', {tools = JSON.array{}}):tool('t'):build()") == {
        "name": "n", "tools": ["t"],
    }  # fmt: skip
    assert play("return Agent:builder():name('n'):register().name") == "writer"


def test_an_unknown_setter_names_the_nearest(play: Callable[..., Any]) -> None:
    with pytest.raises(ScriptError) as caught:
        play("Agent.builder():system_promt('x')")
    assert caught.value.code == "input.invalid"
    assert caught.value.hint == 'did you mean "system_prompt"?'


# -- guest methods -------------------------------------------------------------------------------

UTILS = manifest("Utils", "env", guest=("uuid", "hash", "now", "slug", "truncate", "template"))


def test_utils_are_answered_without_the_host(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        values = await host.run(
            "return {#Utils.uuid(), Utils.hash('abc'), Utils.hash('abc', 'md5'),"
            " Utils.now() > 1.6e12,"
            " Utils.slug('Hällo, Wörld!'), Utils.truncate('abcdefgh', 5), Utils.truncate('ab', 5),"
            " Utils.template('{{a}} {{b.c}} {{d}} {{e}', {a = 1, b = {c = 'x'}}),"
            r" Utils.hash('\xff')}"
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
        assert caught.value.source == "spell.lua:1"


def test_log_records_come_in_batches_with_their_fields(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        await host.run(
            "Logger.debug('no') Logger.info('one', {n = 1}) "
            "local l = Logger.new{name = 'mine', fields = {a = 1}} l:warn('two', {b = 2}) "
            "l:child('sub'):error('three') l:with_context({c = 3}):info('four') "
            "Logger.set_level('debug') Debug.log('five') Logger.set_correlation_id('id') "
            "Logger.info('six', {f = print})"
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


def test_debug_helps_without_the_host(play: Callable[..., Any]) -> None:
    source = """
        local t = Debug.timer("x") t.stop()
        return {
          Debug.dump({a = {1, 2}, b = "x"}), Debug.stack_trace(), Debug.memory_stats().used_kb > 10,
          Debug.performance_report().x.count, Debug.get_level(), Debug.is_enabled("debug")}
    """
    assert play(source) == [
        '{\n  a = {\n    [1] = 1,\n    [2] = 2\n  },\n  b = "x"\n}',
        "spell.lua:4: in main chunk", True, 1, "info", False,
    ]  # fmt: skip


def test_timers_of_loggers_measure(play: Callable[..., Any]) -> None:
    source = """
        local t = Logger.new("x"):timer("work")
        Async.sleep(10)
        return {t:lap() > 5, t:elapsed() > 5, t:stop() > 5}
    """
    assert play(source) == [True, True, True]


def test_a_batch_of_a_logger_waits_for_flush(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> int:
        await host.run("b = Logger.new('x'):batch() b:info('1') b:info('2')")
        assert host.logs == []
        await host.run("b:flush()")
        return len(host.logs)

    assert play(body) == 2


def test_an_object_of_another_global_can_stand_inside_of_a_value(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        host.methods["Shop.open"] = lambda: {
            "before": ["a", "b"],
            "clerk": host.give(7, "agent", {"id": "a-1", "name": "ada"}, execute=lambda: "done"),
            "later": {"text": "\u00e9\\n", "n": 5},
        }
        return await host.run(
            "local s = Shop.open()"
            " return {s.before[2], tostring(s.clerk), s.clerk:run(), s.later.text, s.later.n}"
        )

    found = play(body, globals=[manifest("Shop", "open"), AGENT])
    assert found == ["b", "agent(ada)", "done", "\u00e9\\n", 5]
