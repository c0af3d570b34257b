"""Lists of tools import none: other spells wait in the same event loop."""

from __future__ import annotations

import asyncio
import sys

from llmspell_core.extensions import Extensions
from llmspell_core.runtime import Runtime
from llmspell_core.tool import Tool
from llmspell_core.tool_cards import ToolCard, card_data, cards
from llmspell_tools.globals.tool import ToolGlobal

LISTING = """
import asyncio, sys
from llmspell_core.runtime import Runtime
from llmspell_tools.globals.tool import ToolGlobal, ToolFilter
async def main():
    async with Runtime({}) as runtime:
        tools = ToolGlobal(runtime.context(overlay=runtime.base.child()))
        assert len(tools.list_()) > 40 and tools.search("sql") and tools.categories()
        assert tools.discover(ToolFilter(max_security_level="safe"))
asyncio.run(main())
kinds = ("ai", "communication", "data", "document", "fs", "media", "system", "util", "web")
kinds = tuple(f"llmspell_tools.{kind}." for kind in kinds)
print([name for name in sys.modules if name.startswith(kinds)])
"""


async def _run(source: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", source, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


def test_listing_searching_and_discovering_import_no_tool() -> None:
    assert asyncio.run(_run(LISTING)) == "[]\n"


def test_a_card_says_what_the_tool_says() -> None:
    async def main() -> None:
        async with Runtime({}) as runtime:
            found = {one.name: one for one, _ in cards(runtime.base.tools)}
            extensions = Extensions("tools")
            for name in ("calculator", "csv-analyzer"):
                card, tool = found[name], extensions[name].load()()
                assert isinstance(card, ToolCard)
                assert card_data(tool) == {**card_data(card), "name": name}  # type: ignore[arg-type]

    asyncio.run(main())


def test_a_tool_that_is_loaded_or_made_by_a_script_is_shown_itself() -> None:
    class Own(Tool):
        name = "own"
        description = "Mine."

    async def main() -> None:
        async with Runtime({}) as runtime:
            overlay = runtime.base.child()
            overlay.tools.register("own", Own(), source="script")
            calculator = overlay.tools.get("calculator")
            found = {one.name: one for one, _ in cards(overlay.tools)}
            assert found["calculator"] is calculator
            assert found["own"].description == "Mine."
            rows = ToolGlobal(runtime.context(overlay=overlay)).list_("custom")
            assert [row.data["name"] for row in rows] == ["own"]

    asyncio.run(main())
