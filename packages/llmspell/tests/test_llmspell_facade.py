"""`import llmspell`: run scripts, and use agents, tools and workflows, from Python."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import llmspell
from llmspell import Agent, LLMSpellError, Workflow, tool
from llmspell_core.testing import FakeOpenAI, scripted_runtime, tool_call

#: No files and variables of whoever runs the tests.
SETTINGS: dict[str, Any] = {"state": {"backend": "memory"}}


@tool
async def stock(item: str) -> int:
    """How many of ITEM are in the store."""
    return {"kettles": 7}.get(item, 0)


def test_run_gives_value_output_and_exit_code(tmp_path: Path) -> None:
    script = tmp_path / "report.lua"
    script.write_text(
        "print(args[1], args.city) io.stderr:write('note')\nreturn { text = stdin.text() }",
        encoding="utf-8",
    )
    result = llmspell.run(
        script, args=["2026-11"], params={"city": "Oslo"}, stdin="data", settings=SETTINGS
    )
    assert result.value == {"text": "data"}
    assert (result.stdout, result.stderr) == ("2026-11\tOslo\n", "note")
    assert result.exit_code is None
    assert llmspell.run("x", source="os.exit(4)", settings=SETTINGS).exit_code == 4


@pytest.mark.parametrize("profile", ["low", "medium"])
def test_source_runs_without_a_file(profile: str) -> None:
    result = llmspell.run(
        "inline", source="return 6 * 7, Security.profile", profile=profile, settings=SETTINGS
    )
    assert result.value == 42


def test_errors_say_where(tmp_path: Path) -> None:
    with pytest.raises(LLMSpellError, match="boom") as caught:
        llmspell.run("x.lua", source="\nerror({ code = 'mine', message = 'boom' })")
    assert (caught.value.code, caught.value.source) == ("mine", "x.lua:2")
    with pytest.raises(LLMSpellError, match="no such script") as caught:
        llmspell.run(tmp_path / "gone.lua")
    assert caught.value.code == "script.not_found"
    with pytest.raises(LLMSpellError) as caught:
        llmspell.run("x", source="while true do end", timeout_ms=200, settings=SETTINGS)
    assert caught.value.code == "script.timeout"


def test_run_inside_a_loop_says_what_to_do() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match=r"await llmspell\.arun"):
            llmspell.run("x", source="return 1")

    asyncio.run(main())


def test_arun_runs_many_at_once_with_a_model() -> None:
    async def main() -> tuple[list[Any], int]:
        async with FakeOpenAI("Hello.", latency_ms=100) as server:
            settings = {**SETTINGS, "providers": {"fake": {"base_url": server.base_url}}}
            source = "return Agent.new{}:execute(args[1]).text"
            results = await asyncio.gather(
                *(
                    llmspell.arun(
                        "ask", source=source, args=[str(n)], model="fake/m", settings=settings
                    )
                    for n in range(3)
                )
            )
            return [one.value for one in results], len(server.requests)

    assert asyncio.run(main()) == (["Hello."] * 3, 3)


def test_an_agent_uses_a_python_function() -> None:
    async def main() -> None:
        replies = (tool_call("stock", item="kettles"), "We have 7.")
        async with scripted_runtime(*replies) as (runtime, provider):
            agent = Agent("Answer briefly.", model="scripted/any", tools=[stock])
            answer = await agent.execute("Do we have kettles?", runtime.context())
            assert answer.text == "We have 7."
            assert [call.name for call in answer.tool_calls] == ["stock"]
            provider.assert_all_used()

    asyncio.run(main())


def test_a_workflow_runs_tools_and_functions() -> None:
    async def main() -> Any:
        async with scripted_runtime() as (runtime, _):
            report = Workflow(
                "report",
                [
                    {"name": "count", "tool": stock, "input": {"item": "{{input.item}}"}},
                    {"name": "double", "execute": lambda ctx: ctx.steps["count"].output * 2},
                ],
            )
            return await report.execute({"item": "kettles"}, runtime.context())

    output = asyncio.run(main())
    assert output.success
    assert output.data == 14


def test_importing_it_imports_nothing_else() -> None:
    code = (
        "import sys, llmspell; before = set(sys.modules)\n"
        "assert not before & {'pydantic', 'click', 'llmspell_bridge', 'llmspell_agents'}, before\n"
        "assert llmspell.__version__\n"
        "assert set(llmspell.__all__) <= set(dir(llmspell)) | set(llmspell._WHERE)\n"
        "for name in llmspell.__all__: getattr(llmspell, name)\n"
        "try: llmspell.nothing\n"
        "except AttributeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "module 'llmspell' has no attribute 'nothing'\n", done.stderr
