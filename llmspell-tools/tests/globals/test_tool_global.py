from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_core.account import Account
from llmspell_core.errors import LLMSpellError, ScriptError, ToolFailed, ToolRetry, ValidationError
from llmspell_core.extensions import extension_names
from llmspell_core.runtime import Runtime
from llmspell_core.script.manifest import compile_manifest
from llmspell_core.tool import Tool, ToolResult
from llmspell_tools.globals.script_tool import ScriptTool
from llmspell_tools.globals.tool import ToolFilter, ToolGlobal
from llmspell_tools.script_tool import ToolConfig

BUILT_IN = sorted(extension_names("tools"))


def within(work: Callable[[ToolGlobal], Awaitable[None]], **settings: Any) -> None:
    async def main() -> None:
        async with Runtime(settings) as runtime:
            await work(ToolGlobal(runtime.context(overlay=runtime.base.child(), language="lua")))

    asyncio.run(main())


def define(tools: ToolGlobal, name: str, execute: Any, **more: Any) -> ScriptTool:
    cfg = ToolConfig.model_validate({"name": name, "execute": execute, **more})
    return tools.create(cfg)


async def double(params: dict[str, Any]) -> Any:
    return params["input"] * 2


def test_a_tool_is_run_by_name_and_as_an_object() -> None:
    async def work(tools: ToolGlobal) -> None:
        result = await tools.execute("calculator", {"input": "6 * 7"})
        assert result.output == 42
        assert result.metadata["tool"] == "calculator"
        assert result.metadata["operation"] == "evaluate"
        assert (await tools.execute("hash_calculator", {"input": "a"})).success
        got = tools.get("calculator")
        assert (await got.execute({"input": "1 + 1"})).output == 2
        assert (await tools.execute(got, {"input": "1 + 2"})).output == 3
        indexed = tools.index("text_manipulator")
        assert isinstance(indexed, ScriptTool)
        assert (await indexed.execute({"operation": "trim", "input": " x "})).output == "x"
        assert indexed.get_schema() == tools.schema("text-manipulator")

    within(work)


def test_a_tool_object_tells_what_it_is() -> None:
    async def work(tools: ToolGlobal) -> None:
        fields = tools.get("calculator").script_fields()
        assert fields.keys() >= {
            "id", "name", "type", "description", "version", "category", "schema", "security_level",
        }  # fmt: skip
        assert (fields["name"], fields["type"]) == ("calculator", "tool")
        assert fields["schema"]["properties"]["input"]["description"]

    within(work)


def test_unknown_tools_and_wrong_parameters_are_thrown_and_collected() -> None:
    async def work(tools: ToolGlobal) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await tools.execute("calculatr", {})
        assert caught.value.code == "tool.not_found"
        assert caught.value.hint == 'did you mean "calculator"?'
        for look in (tools.get, tools.index, tools.schema):
            with pytest.raises(LLMSpellError, match="unknown tool"):
                look("calculatr")
        with pytest.raises(ValidationError, match="a tool's name or a tool object is expected"):
            await tools.execute(42, {})
        failed = await tools.try_("calculator", {"input": "1 +"})
        assert failed.success is False
        assert failed.error is not None
        assert failed.error["code"] == "input.invalid"
        assert failed.text == failed.error["message"]
        assert failed.metadata["tool"] == "calculator"
        assert (await tools.try_("nope")).error["code"] == "tool.not_found"  # type: ignore[index]
        assert (await tools.try_("calculator", {"input": "1"})).output == 1

    within(work)


def test_tools_are_listed_searched_and_discovered() -> None:
    async def work(tools: ToolGlobal) -> None:
        rows = [row.data for row in tools.list_()]
        assert [row["name"] for row in rows] == BUILT_IN
        assert rows[0].keys() == {"name", "description", "category", "version", "security_level"}
        assert all(row["description"] for row in rows)
        assert tools.list_()[0].prints == "name"
        assert {"data", "fs", "util", "web"} <= set(tools.categories())
        assert "http-requester" in [row.data["name"] for row in tools.list_("web")]
        assert "file-search" in [row.data["name"] for row in tools.search("regular file")]
        assert tools.search("nothing like it") == []
        safe = tools.discover(ToolFilter(max_security_level="safe"))
        assert "file-operations" not in [row.data["name"] for row in safe]
        both = tools.discover(ToolFilter(category="util", query="time zone"))
        assert [row.data["name"] for row in both] == ["datetime-handler"]
        assert len(tools.discover()) == len(BUILT_IN)
        assert tools.exists("uuid_generator")
        assert not tools.exists("nope")

    within(work)


def test_a_script_defines_a_tool_for_its_own_run() -> None:
    async def work(tools: ToolGlobal) -> None:
        made = define(
            tools,
            "word_count",
            lambda params: len(params["text"].split()),
            description="Counts words",
            parameters={"text": "string", "limit": "integer?"},
            aliases="wc",
        )
        assert made.script_fields()["name"] == "word-count"
        assert (await tools.execute("word-count", {"text": "a b c"})).output == 3
        assert (await tools.execute("wc", {"text": "a b"})).text == "2"
        assert "word-count" in [row.data["name"] for row in tools.list_("custom")]
        base = tools.ctx.overlay.parent
        assert base is not None
        assert not base.tools.has("word-count")
        define(tools, "word-count", lambda params: "new", parameters={"text": "string"})
        assert (await tools.execute("word-count", {"text": ""})).output == "new"
        assert (await made.execute({"text": "x"})).output == 1
        assert tools.unregister("word-count") is True
        assert tools.unregister("word-count") is False
        assert not tools.exists("word-count")

    within(work)


def test_parameters_of_a_script_tool_are_checked_and_completed() -> None:
    seen: list[Any] = []

    async def work(tools: ToolGlobal) -> None:
        define(
            tools,
            "t",
            seen.append,
            parameters={
                "n": "integer",
                "tags": "list?",
                "who": {"type": "string", "default": "me"},
            },
        )
        await tools.execute("t", {"n": 3.0, "tags": {}})
        assert seen == [{"n": 3, "tags": [], "who": "me"}]
        assert isinstance(seen[0]["n"], int)
        with pytest.raises(ValidationError) as caught:
            await tools.execute("t", {"n": "x", "tags": "y"})
        assert {one["field"] for one in caught.value.details["errors"]} == {"n", "tags"}
        with pytest.raises(ValidationError, match='t: tgas is unknown, did you mean "tags"'):
            await tools.execute("t", {"tgas": []})

    within(work)


def test_a_full_schema_is_taken_as_it_is() -> None:
    async def work(tools: ToolGlobal) -> None:
        schema = {
            "type": "object",
            "properties": {"a": {"type": "object", "properties": {"b": {"type": "array"}}}},
            "required": ["a"],
        }
        made = define(tools, "t", lambda params: params, parameters=schema)
        assert made.get_schema() == schema
        assert (await made.execute({"a": {"b": {}}, "more": 1})).output == {
            "a": {"b": []},
            "more": 1,
        }
        with pytest.raises(ValidationError, match="a is required"):
            await made.execute({})
        with pytest.raises(ValidationError, match="tool u: parameters: properties/a/type"):
            define(tools, "u", len, parameters={"type": "object", "properties": {"a": {"type": 3}}})

    within(work)


def test_a_handler_may_return_a_result_of_its_own() -> None:
    async def work(tools: ToolGlobal) -> None:
        async def returning(value: Any) -> ToolResult:
            return await define(tools, "t", lambda params: value).execute({})

        made = await returning({"success": True, "result": {"n": 1}, "output": 1, "text": "one"})
        assert (made.result, made.output, made.text) == ({"n": 1}, 1, "one")
        assert (await returning({"success": True, "n": 1})).result == {"n": 1}
        assert (await returning({"success": True, "text": "done"})).output == "done"
        assert (await returning({"success": "yes"})).result == {"success": "yes"}
        assert (await returning(None)).text == ""
        for value in (
            {"success": False, "error": "no luck"},
            {"success": False, "error": {"message": "no luck", "details": {"a": 1}}},
            {"success": False, "message": "no luck"},
        ):
            with pytest.raises(ToolFailed, match="no luck"):
                await returning(value)
        with pytest.raises(ToolFailed, match="t failed"):
            await returning({"success": False})

    within(work)


def test_signals_reach_the_caller_as_what_they_are() -> None:
    async def work(tools: ToolGlobal) -> None:
        def retry(params: dict[str, Any]) -> Any:
            tools.retry("use a number")

        async def failed(params: dict[str, Any]) -> Any:
            # As it comes back through an engine.
            raise ScriptError("out of stock", code="tool.failed", source="spell.lua:3")

        with pytest.raises(ToolRetry, match="use a number"):
            await define(tools, "a", retry).execute({})
        with pytest.raises(ToolFailed, match="out of stock") as caught:
            await define(tools, "b", failed).execute({})
        assert caught.value.source == "spell.lua:3"

        def broken(params: dict[str, Any]) -> Any:
            raise ScriptError("attempt to index nil", source="spell.lua:9")

        with pytest.raises(ScriptError, match="attempt to index nil"):
            await define(tools, "c", broken).execute({})

    within(work)


def test_what_is_built_in_stays() -> None:
    async def work(tools: ToolGlobal) -> None:
        for change in (
            lambda: define(tools, "calculator", len),
            lambda: define(tools, "mine", len, aliases=["calculator"]),
            lambda: tools.unregister("calculator"),
        ):
            with pytest.raises(LLMSpellError) as caught:
                change()
            assert caught.value.code == "tool.reserved"
        assert tools.unregister("nothing") is False

    within(work)


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"execute": len}, "name is required"),
        ({"name": "x"}, "execute is required"),
        ({"name": "x", "execute": 3}, "execute must be a function"),
        ({"name": "x", "execute": len, "security_level": "wild"}, "security_level must be 'safe'"),
        ({"name": "x", "execute": len, "descripton": ""}, 'did you mean "description"'),
        ({"name": "x", "execute": len, "parameters": {"a": "strng"}}, 'unknown type "strng"'),
        ({"name": "x y!", "execute": len}, "is no name for a tool"),
        ({"name": "", "execute": len}, "is no name for a tool"),
    ],
)
def test_mistakes_in_a_definition_name_the_field(cfg: dict[str, Any], message: str) -> None:
    async def work(tools: ToolGlobal) -> None:
        with pytest.raises(ValidationError) as caught:
            tools.register(cfg)
        assert message in caught.value.message

    within(work)


def test_a_script_tool_has_a_deadline_and_an_account() -> None:
    async def work(tools: ToolGlobal) -> None:
        async def slow(params: dict[str, Any]) -> Any:
            await asyncio.sleep(5)

        with pytest.raises(LLMSpellError) as caught:
            await define(tools, "slow", slow, timeout_ms=30).execute({})
        assert caught.value.code == "tool.timeout"
        inner = define(tools, "outer", lambda params: tools.execute("calculator", {"input": "1"}))
        assert isinstance(tools.ctx.account, Account)
        assert (await inner.execute({})).output == 1

    within(work)


def test_a_pipe_hands_each_output_on_with_its_type() -> None:
    async def work(tools: ToolGlobal) -> None:
        pipe = tools.pipe(
            [
                {"tool": "text-manipulator", "params": {"operation": "uppercase"}},
                {"tool": tools.get("text-manipulator"), "params": {"operation": "split"}},
                lambda parts: {"success": True, "output": len(parts), "result": parts},
                define(tools, "double", double, parameters={"input": "integer"}),
                lambda n: f"{n} - 2",
                "calculator",
            ]
        )
        result = await pipe.execute({"input": "a b c"})
        assert result.output == 4
        assert result.result["expression"] == "6 - 2"
        steps = [one["tool"] for one in result.metadata["steps"]]
        assert steps == ["text-manipulator"] * 2 + ["function", "double", "function", "calculator"]
        assert result.metadata["tool"] == "pipe"

    within(work)


def test_a_pipe_is_a_tool_like_any_other() -> None:
    async def work(tools: ToolGlobal) -> None:
        made = tools.pipe({"name": "shout_hash", "description": "d", "steps": [
            {"tool": "text-manipulator", "params": {"operation": "uppercase"}}, "hash-calculator",
        ]})  # fmt: skip
        tools.register(made)
        assert (await tools.execute("shout-hash", {"input": "a"})).output == (
            await tools.execute("hash-calculator", {"input": "A"})
        ).output
        schema = made.get_schema()
        assert "operation" not in schema["required"]
        assert made.script_fields()["security_level"] == "safe"
        risky = tools.pipe(["text-manipulator", "file-operations"])
        assert risky.component.security_level == "restricted"
        assert risky.component.destructive
        nested = tools.pipe([made, lambda digest: digest[:8]])
        assert len((await nested.execute({"input": "a"})).output) == 8

    within(work)


def test_a_pipe_finds_where_an_output_goes() -> None:
    async def work(tools: ToolGlobal) -> None:
        one = define(tools, "one", lambda p: p, parameters={"path": "string"})
        two = define(tools, "two", lambda p: p, parameters={"a": "string", "b": "string"})
        assert (await tools.pipe([lambda p: "x", one]).execute({})).output == {"path": "x"}
        table = tools.pipe([lambda p: {"a": "1"}, {"tool": two, "params": {"b": "2"}}])
        assert (await table.execute({})).output == {"a": "1", "b": "2"}
        with pytest.raises(ToolFailed, match="two has no parameter input"):
            await tools.pipe([lambda p: "x", two]).execute({})
        keep = tools.pipe([lambda p: 1, {"tool": "calculator", "input": "5"}])
        assert (await keep.execute({})).output == 5

    within(work)


def test_a_failing_step_ends_the_pipe() -> None:
    async def work(tools: ToolGlobal) -> None:
        called: list[Any] = []
        with pytest.raises(ToolFailed, match="division by zero"):
            await tools.pipe(["calculator", called.append]).execute({"input": "1/0"})
        assert called == []

    within(work)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "1 to 100 steps"),
        ("calculator", "a list of tools is expected"),
        (["calculatr"], 'unknown tool "calculatr"'),
        ([3], "Tool.pipe step 1: a tool's name or a tool object is expected, not 3"),
        ([{"params": {}}], "tool is required"),
        ([{"tool": "calculator", "parms": {}}], 'did you mean "params"?'),
        ([{"tool": "calculator", "params": "x"}], "params must be a table"),
        ({"steps": ["calculator"], "nam": "x"}, 'unknown field "nam"'),
    ],
)
def test_mistakes_in_a_pipe_are_found_when_it_is_made(steps: Any, message: str) -> None:
    async def work(tools: ToolGlobal) -> None:
        with pytest.raises(LLMSpellError) as caught:
            tools.pipe(steps)
        assert message in caught.value.message

    within(work)


def test_parallel_gives_a_map_of_results() -> None:
    async def work(tools: ToolGlobal) -> None:
        running = asyncio.Event()

        async def first(params: dict[str, Any]) -> Any:
            await asyncio.wait_for(running.wait(), 5)
            return 1

        async def second(params: dict[str, Any]) -> Any:
            running.set()
            return 2

        both = tools.parallel({"a": first, "b": second})
        assert (await both.execute({})).output == {"a": 1, "b": 2}
        steps = ["hash-calculator", {"tool": "hash-calculator", "params": {"algorithm": "md5"}}]
        made = await tools.parallel(steps).execute({"input": "x"})
        assert made.output.keys() == {"hash-calculator", "hash-calculator-2"}
        assert made.result["hash-calculator-2"]["result"]["algorithm"] == "md5"
        assert made.text.startswith("hash-calculator: ")

    within(work)


def test_parallel_runs_sequential_tools_alone_and_stops_at_a_failure() -> None:
    async def work(tools: ToolGlobal) -> None:
        active, most, cancelled = 0, 0, 0

        async def busy(params: dict[str, Any]) -> Any:
            nonlocal active, most
            active += 1
            most = max(most, active)
            await asyncio.sleep(0.01)
            active -= 1

        for name in ("s1", "s2"):
            define(tools, name, busy, sequential=True)
        await tools.parallel(["s1", "s2"]).execute({})
        assert most == 1

        async def waiting(params: dict[str, Any]) -> Any:
            nonlocal cancelled
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                cancelled += 1
                raise

        def failing(params: dict[str, Any]) -> Any:
            raise ToolFailed("no")

        with pytest.raises(ToolFailed, match="no"):
            await tools.parallel([failing, waiting]).execute({})
        assert cancelled == 1

    within(work)


def test_a_broken_plugin_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    async def work(tools: ToolGlobal) -> None:
        def broken() -> Tool:
            raise ImportError("no module named acme")

        base = tools.ctx.overlay.parent
        assert base is not None
        base.tools.add_lazy("acme", broken, source="acme-tools")
        with caplog.at_level(logging.WARNING, "llmspell.tools"):
            assert [row.data["name"] for row in tools.list_()] == BUILT_IN
        assert "acme-tools" in caplog.text

    within(work)


def test_the_declaration_is_complete() -> None:
    manifest = compile_manifest(ToolGlobal)
    assert manifest["aliases"] == ["Tools"]
    assert manifest["index"] == "tool"
    assert {
        "execute", "try", "get", "list", "search", "categories", "discover", "exists", "create",
        "register", "unregister", "pipe", "parallel", "from_template", "retry", "failed", "schema",
    } == manifest["methods"].keys()  # fmt: skip
    assert manifest["methods"]["execute"]["aliases"] == ["invoke"]
    assert manifest["objects"]["tool"]["methods"].keys() == {"execute", "get_schema"}
    for method in manifest["methods"].values():
        assert method["doc"]
        assert all(one["doc"] for one in method["params"])
