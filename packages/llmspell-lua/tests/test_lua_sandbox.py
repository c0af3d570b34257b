"""What a Lua script cannot reach, and how one that takes too much ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import CARRIERS, EngineHost, engine_host, manifest
from llmspell_core.errors import ScriptError

TOOL = manifest("Tool", "add", "slow_add", "give", "echo")
MEDIUM = ["base", "string", "table", "math", "utf8", "coroutine", "os", "io", "dofile"]
LIMITS = {"memory_mb": 32, "cpu_s": 0.4, "tasks": 100, "value_mb": 4}


@pytest.fixture(params=CARRIERS)
def play(request: pytest.FixtureRequest) -> Callable[..., Any]:
    def run(body: Callable[[EngineHost], Awaitable[Any]] | str, **options: Any) -> Any:
        async def main() -> Any:
            async with engine_host(
                "llmspell_lua.guest",
                request.param,
                requires=("lupa", "llmspell_lua"),
                **{"globals": [TOOL], "libraries": MEDIUM, "limits": LIMITS, **options},
            ) as host:
                prepare(host)
                if isinstance(body, str):
                    return await asyncio.wait_for(host.run(body), 30)
                return await asyncio.wait_for(body(host), 30)

        return asyncio.run(main())

    return run


def prepare(host: EngineHost) -> None:
    async def slow_add(a: int, b: int) -> int:
        await asyncio.sleep(0.001)
        return a + b

    host.methods["Tool.add"] = lambda a, b: a + b
    host.methods["Tool.slow_add"] = slow_add
    host.methods["Tool.echo"] = lambda value=None: value


def failing(play: Callable[..., Any], source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        play(source, **options)
    return caught.value


# -- reach ---------------------------------------------------------------------------------------

NAMES = """
    ARGS Async Debug JSON Logger Tool _G _VERSION arg args assert collectgarbage coroutine
    dofile error getmetatable io ipairs load loadfile math next os pairs pcall print
    rawequal rawget rawlen rawset require select setmetatable stderr stdin stdout string
    table tonumber tostring type utf8 xpcall
"""
DOCUMENTED = set(NAMES.split())


def test_the_globals_are_the_documented_ones_and_no_others(play: Callable[..., Any]) -> None:
    source = "local t = JSON.array{} for name in pairs(_G) do t[#t + 1] = name end return t"
    assert set(play(source)) == DOCUMENTED
    assert DOCUMENTED - set(play(source, libraries=["os"])) == {"dofile", "loadfile"}


def test_libraries_hold_what_a_profile_allows(play: Callable[..., Any]) -> None:
    source = "local t = {} for name in pairs(%s) do t[#t + 1] = name end table.sort(t) return t"
    assert play(source % "os") == ["clock", "date", "difftime", "exit", "getenv", "time"]
    assert play(source % "io", libraries=[]) == [
        "flush", "lines", "read", "stderr", "stdin", "stdout", "type", "write",
    ]  # fmt: skip
    assert "dump" not in play(source % "string")


@pytest.mark.parametrize(
    "source",
    [
        "return python",
        "return debug",
        "return package",
        "return string.dump",
        "return os.execute or os.remove or os.rename or os.tmpname",
        "return io.popen or io.tmpfile",
        "return getmetatable('') or nil",
        "return getmetatable(print)",
        "return getmetatable(Tool.add)",
        "return load(string.char(27) .. 'Lua')",
        "return (load('\\27Lua', 'x', 'b'))",
    ],
)
def test_this_is_out_of_reach(play: Callable[..., Any], source: str) -> None:
    assert play(source) in (None, False)


WALK = """
    local seen, found, queue = {}, {}, {}
    local function reach(value, place)
      local kind = type(value)
      if kind == "userdata" then found[#found + 1] = place end
      if (kind == "table" or kind == "function" or kind == "thread") and not seen[value] then
        seen[value] = true
        queue[#queue + 1] = { value, place }
      end
    end
    local function reach_all(place, ...)
      for i = 1, select("#", ...) do reach((select(i, ...)), place) end
    end
    local function walk(value, place)
      reach_all("the metatable of " .. place, getmetatable(value))
      if type(value) ~= "table" then return end
      for k, v in next, value do
        reach(k, "a key of " .. place)
        reach(v, place .. "." .. tostring(k))
      end
      -- What its own pairs, its fields and calls of it give, whatever raw access hides.
      local ok, iterate, state, first = pcall(pairs, value)
      if ok then
        reach_all("the iterator of " .. place, iterate, state, first)
        local k, v = first, nil
        for _ = 1, 200 do
          ok, k, v = pcall(iterate, state, k)
          if not ok or k == nil then break end
          reach(k, "a key of " .. place)
          reach(v, place .. "." .. tostring(k))
        end
      end
      for _, name in ipairs{ "__index", "__gc", "co", "front", "handle", "lua", "host" } do
        local known, field = pcall(function() return value[name] end)
        reach_all(place .. "." .. name, known and field or nil, not known and field or nil)
      end
    end
    reach(_G, "_G")
    reach_all("a string", getmetatable(""), (""):gmatch("."))
    for _, value in ipairs{ 1, true, print, coroutine.create(print) } do
      reach_all(type(value), getmetatable(value))
    end
    -- What host calls give, and how they fail.
    reach_all("a result", Tool.add(1, 2), Tool.slow_add(1, 2), Tool.echo{ { 1 } }, Tool.give())
    for i, call in ipairs{
      function() Tool.add("\\xff", {}) end, function() Tool.add(print) end,
      function() Tool.none() end,
      function() Tool.echo(coroutine.create(print)) end, function() Tool.slow_add() end,
      function() local t = {} t[1] = t Tool.echo(t) end, function() Utils.hash("x", "none") end,
      function() JSON.parse("{") end, function() load("\\27") end, function() error() end,
      function() require("os") end, function() io.open("\\0", "r") end, function() Agent.none() end,
      function() string.rep() end, function() local function f() return 1 + f() end f() end,
    } do
      reach_all("error " .. i, select(2, pcall(call)))
      xpcall(call, function(...) reach_all("handler " .. i, ...) end)
      local task = Async.spawn(call)
      reach(task, "task " .. i)
      reach_all("error of task " .. i, select(2, pcall(task.await, task)))
    end
    reach_all("async", Async.promise(print), Async.queue(), Async.all_settled{ error, print })
    reach_all("io", io.lines, io.stdin, io.stdout:write(""), io.open and pcall(io.open, "none"))
    reach_all("running", coroutine.running())
    reach_all("JSON", JSON.null, JSON.array{}, JSON.parse('{"$h":1,"$f":1,"$":{"$e":1}}'))
    reach_all("Logger", Logger.new("x"), Logger.new("x"):timer("t"), Logger.new("x"):batch())
    local at = 0
    while at < #queue do
      at = at + 1
      walk(queue[at][1], queue[at][2])
    end
    return { JSON.array(found), at }
"""


@pytest.mark.parametrize("libraries", [MEDIUM, ["base", "string", "table", "math", "utf8"]])
def test_a_walk_over_all_that_can_be_reached_finds_no_python_object(
    play: Callable[..., Any], libraries: list[str]
) -> None:
    async def body(host: EngineHost) -> Any:
        host.methods["Tool.give"] = lambda: host.give(1, "agent", {"name": "a"})
        return await host.run(WALK)

    utils = manifest("Utils", guest=["hash"])
    found, walked = play(body, globals=[TOOL, utils], libraries=libraries, limits={})
    assert found == []
    assert walked > 200


def test_finalizers_are_refused(play: Callable[..., Any]) -> None:
    assert "__gc" in failing(play, "setmetatable({}, {__gc = print})").message


def test_a_script_that_overwrites_the_library_breaks_only_itself(play: Callable[..., Any]) -> None:
    source = """
        for name in pairs(_G) do if name ~= "Tool" and name ~= "_G" then _G[name] = nil end end
        return Tool.slow_add(1, Tool.add(1, 1)) .. ("x"):upper()
    """
    assert play(source) == "3X"
    assert (
        play(
            "coroutine.yield = nil string.find = nil table.concat = nil return Tool.slow_add(1, 2)"
        )
        == 3
    )


def test_modules_are_off_but_for_our_own(play: Callable[..., Any]) -> None:
    assert failing(play, "require('socket')").code == "module.denied"
    assert play("return require('llmspell').Tool == Tool") is True


def test_modules_of_the_policy_are_loaded_through_the_host(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        host.methods["modules.load"] = lambda name, caller: {
            "name": f"lib/{name}.lua",
            "source": "loads = (loads or 0) + 1"
            " return {name = ..., fail = function()\n error('x') end}",
        }
        return await host.run(
            "local m = require('m') local n = require('m') local _, e = pcall(m.fail)"
            " return {m == n, m.name, loads, e}"
        )

    assert play(body, modules=True) == [True, "m", 1, "lib/m.lua:2: x"]


def test_the_environment_is_what_the_policy_names(play: Callable[..., Any]) -> None:
    options = {"env": {"A": "1", "GONE": None}}
    assert play("return {os.getenv('A'), os.getenv('GONE') == nil, os.getenv('PATH') == nil}",
                **options) == ["1", True, True]  # fmt: skip


def test_arguments_by_position_and_name(play: Callable[..., Any]) -> None:
    args = {"script": "x.lua", "positional": ["a", "b"], "named": {"n": "1", "flag": True}}
    source = "return {args[0], args[1], arg[2], ARGS.n, args.flag, args.none == nil, #args}"
    assert play(source, args=args) == ["x.lua", "a", "b", "1", True, True, 2]


def test_a_seed_makes_random_numbers_repeatable(play: Callable[..., Any]) -> None:
    source = "return {math.random(1000), math.random(1000)}"
    assert play(source, seed="00ff") == play(source, seed="00ff")


@pytest.mark.parametrize(("code", "status"), [("3", 3), ("true", 0), ("false", 1), ("", 0)])
def test_exit_ends_the_run_and_cannot_be_caught(
    play: Callable[..., Any], code: str, status: int
) -> None:
    source = f"print('out') pcall(function() pcall(os.exit{'(' + code + ')'}) end) print('no')"

    async def body(host: EngineHost) -> None:
        with pytest.raises(ScriptError) as caught:
            await host.run(source)
        assert caught.value.code == "script.exit"
        assert caught.value.details == {"code": status}
        assert host.output["stdout"] == "out\n"
        assert host.session.idle()

    play(body)


def test_what_a_task_keeps_is_no_field_of_what_the_script_holds(play: Callable[..., Any]) -> None:
    source = """
        local task = Async.spawn(function() Async.sleep(1) return 1 end)
        local fields = next(task) ~= nil
        rawset(task, "waiters", { function() while true do end end })
        return {fields, (pcall(function() task.other = {} end)), task:await(), tostring(task)}
    """
    assert play(source) == [False, False, 1, "task(done)"]


def test_results_have_no_metatable_for_scripts_and_take_theirs(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        host.methods["Tool.give"] = lambda: {"$r": [{"out": {"my_name": 1}}, "out", ""]}
        return await host.run("""
            local one, other = Tool.give(), Tool.give()
            local hidden = getmetatable(one) == nil
            setmetatable(one, { __index = function() return "own" end })
            return {hidden, one.myName, other.myName}
        """)

    assert play(body) == [True, "own", 1]


LARGE = [
    "error(('x'):rep(2^23))",
    "error(('\\xff'):rep(2^23))",
    "error({message = ('x'):rep(2^23), code = 'own', details = {}})",
    "error(setmetatable({}, {__tostring = function() return ('x'):rep(2^23) end}))",
    "error((':1: '):rep(2^20))",
    "load('local function f(n) if n > 0 then return 1 + f(n - 1) end error({}) end f(20)',"
    " '@' .. ('n'):rep(2^20))()",
]


@pytest.mark.parametrize("source", LARGE)
def test_an_error_that_is_too_large_is_shortened(play: Callable[..., Any], source: str) -> None:
    error = failing(play, source, limits={"memory_mb": 64, "value_mb": 1, "cpu_s": 5})
    assert error.code in ("script.error", "own")
    assert len(error.message) <= 1 << 20
    assert len(error.stack or "") < 1 << 16


def test_log_records_of_any_size_and_kind_are_written(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        await host.run("""
            Logger.info(("\\u{e9}"):rep(2^22))
            Logger.info(("\\xff"):rep(2^16 + 1), { [("k"):rep(2^22)] = ("\\xff"):rep(2^22) })
            local unwritable = setmetatable({}, { __tostring = error })
            Logger.info(unwritable, { unwritable, print, 0/0 })
            for i = 1, 100 do Logger.warn(("y"):rep(60000), { i = i }) end
        """)
        assert [len(one["message"]) < 70000 for one in host.logs] == [True] * 103
        assert host.logs[0]["message"].startswith("\u00e9\u00e9")
        assert host.logs[0]["message"].endswith("... (8323072 more bytes)")

    logger = manifest("Logger", guest=["info", "warn"])
    limits = {"value_mb": 1, "memory_mb": 128}
    play(body, globals=[TOOL, logger], limits=limits, log_level="info")


# -- files through the gate ----------------------------------------------------------------------


def test_files_go_through_the_host(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        files: dict[str, str] = {"a.txt": "one\ntwo\n"}
        opened: list[list[Any]] = []
        log: list[Any] = []

        def open_(path: str, mode: str) -> int:
            if path.startswith("/"):
                raise ScriptError("outside", code="policy.denied")
            if mode == "r" and path not in files:
                raise ScriptError(
                    f"{path}: no such file", code="file.not_found", details={"errno": 2}
                )
            opened.append([path, 0])
            return len(opened)

        def read(number: int, how: Any) -> str | None:
            path, at = opened[number - 1]
            rest = files[path][at:]
            if how == "a":
                taken = rest
            elif not rest:
                return None
            else:
                taken = rest.partition("\n")[0] + "\n"
            opened[number - 1][1] += len(taken)
            return taken if how in ("a", "L") else taken[:-1]

        def write(number: int, text: str) -> None:
            path = opened[number - 1][0]
            files[path] = files.get(path, "") + text

        host.methods.update(
            {
                "io.open": open_,
                "io.read": read,
                "io.write": write,
                "io.close": log.append,
                "io.flush": log.append,
                "io.seek": lambda *given: list(given)[-1],
                "modules.file": lambda path, caller: {
                    "name": f"{caller}/{path}",
                    "source": "#! x\nreturn ..., 7" if path == "m.lua" else 1 / 0,
                },
            }
        )
        value = await host.run("""
            local f = assert(io.open("a.txt"))
            local t = {f:read(), f:read("L"), f:read() == nil, io.type(f), tostring(f)}
            f:close()
            t[#t + 1] = io.type(f)
            for line in io.lines("a.txt") do t[#t + 1] = line end
            local w <close> = io.open("b.txt", "w")
            t[#t + 1] = w:write("x", 1, 2.5) == w
            local _, message, errno = io.open("none")
            t[#t + 1] = message
            t[#t + 1] = errno
            t[#t + 1] = select(2, pcall(io.open, "/etc/passwd")).code
            t[#t + 1] = select(2, dofile("m.lua"))
            t[#t + 1] = loadfile("m.lua")(5)
            t[#t + 1] = select(2, pcall(f.read, f))
            return t
        """)
        assert files["b.txt"] == "x12.5"
        assert log == [1, 2, 3]
        return value

    assert play(body) == [
        "one", "two\n", True, "file", "file (open)", "closed file", "one", "two", True,
        "none: no such file", 2, "policy.denied", 7, 5,
        "spell.lua:15: attempt to use a closed file",
    ]  # fmt: skip


def test_without_io_no_file_is_read(play: Callable[..., Any]) -> None:
    assert failing(play, "io.lines('a')", libraries=[]).code == "policy.denied"
    assert play("return io.open == nil and dofile == nil", libraries=[]) is True


def test_the_profile_none_has_the_real_libraries(play: Callable[..., Any]) -> None:
    source = "return {type(debug.traceback), type(package.path), type(os.execute), type(io.popen)}"
    assert play(source, libraries=["all"]) == ["function", "string", "function", "function"]


# -- limits --------------------------------------------------------------------------------------

LOOPS = [
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "while true do xpcall(function() while true do end end, function() while true do end end) end",
    "local c = coroutine.wrap(function() while true do end end) c()",
    "while true do pcall(coroutine.wrap(function() while true do end end)) end",
    "local c = coroutine.create(function() while true do end end)"
    " while true do coroutine.resume(c) end",
    "Async.all{function() while true do end end, function() Async.sleep(1) end}",
    "while true do local t = Async.spawn(function() while true do end end) pcall(t.await, t) end",
    "while true do Async.yield() end",
    "while true do load(function() while true do end end) end",
    "local t = setmetatable({}, {__index = function(t, k) while true do end end}) return t.x",
    "error(setmetatable({}, {__tostring = function() while true do end end}))",
    "do local x <close> = setmetatable({}, {__close = function() while true do end end})"
    " while true do end end",
    "local q = Async.queue() while true do pcall(q.pop, q) end",
    "while true do pcall(table.sort, {3, 2, 1}, function() while true do end end) end",
    "while true do coroutine.wrap(function() for i = 1, 99000 do end end)() end",
    "local p = Async.promise(function(r) r() end)"
    " local function again() p = p:next(again) end again() while true do Async.yield() end",
]


@pytest.mark.parametrize("source", LOOPS)
def test_an_endless_script_ends_at_its_limit_and_cannot_catch_it(
    play: Callable[..., Any], source: str
) -> None:
    async def body(host: EngineHost) -> None:
        with pytest.raises(ScriptError) as caught:
            await host.run(source)
        assert caught.value.code == "script.cpu_limit"
        assert host.session.idle()
        with pytest.raises(ScriptError):
            await host.run("return 1")

    play(body)


def test_instructions_are_bounded(play: Callable[..., Any]) -> None:
    error = failing(play, "\nwhile true do end", limits={"instructions": 1_000_000})
    assert (error.code, error.source) == ("script.instructions_limit", "spell.lua:2")


@pytest.mark.parametrize(
    "source",
    [
        "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end",
        "local s = ('x'):rep(1e9) return #s",
        "while true do pcall(string.rep, 'x', 1e9) end",
        "local t = {} while true do pcall(function() for i = 1, 1e9 do t[#t + 1] = {} end end) end",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} for i = 1, 1e9 do t[i] = coroutine.create(print) end",
        "return table.concat({('x'):rep(1e6)}, '', 1, 1):rep(1e3)",
        "local s = ('x'):rep(1e6) return (s:gsub('.', function() return s end))",
        "print(('x'):rep(2^24), ('x'):rep(2^24))",
    ],
)
def test_a_memory_bomb_ends_the_script_and_cannot_be_caught(
    play: Callable[..., Any], source: str
) -> None:
    error = failing(play, source, limits={"memory_mb": 32, "cpu_s": 20})
    assert error.code == "script.memory_limit"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("local function f() return 1 + f() end f()", "stack overflow"),
        ("local m = {} local t = setmetatable({}, m) m.__index = t return t.x", "'__index' chain"),
        ("local t = {} t = setmetatable(t, {__index = function(_, k) return t[k] end}) return t.x",
         "C stack overflow"),
        ("local s = ('('):rep(1e5) assert(load('return ' .. s))", "C stack overflow"),
        ("local f = function() end for i = 1, 300 do local g = f f = function()"
         " return pcall(g) end end return f()", None),
        ("local function f() return pcall(f) end return f()", None),
        ("local co = coroutine.wrap(function(f) f(f) end) local function f(g)"
         " coroutine.wrap(function() g(g) end)() end f(f)", None),
        ("return JSON.parse(('['):rep(1e6))", "nested deeper"),
        ("return JSON.parse(('{\"a\":'):rep(1e5))", "nested deeper"),
        ("return ('x'):rep(100):find(('('):rep(1000))", None),
        ("return string.format('%99999d', 1)", None),
        ("return table.unpack({}, 1, 1e8)", "too many results"),
        ("return select(2, pcall(error))", None),
        ("local t = {} for i = 1, 300 do t = {t} end Tool.echo(t)", "nested deeper"),
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
            if error.code.startswith("script.") and error.code != "script.error":
                return
        else:
            assert message is None
        assert await host.run("return Tool.add(1, 2)") == 3

    play(body, limits={"memory_mb": 256, "cpu_s": 20, "value_depth": 64})


def test_each_run_of_a_session_has_the_whole_budget(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        work = "local t = os.clock() while os.clock() - t < 0.2 do end return 1"
        for _ in range(4):
            assert await host.run(work) == 1

    play(body)


def test_what_is_read_only_of_errors_cannot_be_changed(play: Callable[..., Any]) -> None:
    source = """
        local _, e = pcall(Tool.add)
        return {getmetatable(e), (pcall(setmetatable, e, {}))}
    """
    assert play(source) == [False, False]
