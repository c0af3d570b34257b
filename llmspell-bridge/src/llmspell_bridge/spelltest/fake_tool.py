"""`FakeTool`: stands in for a tool while a test runs, and answers what the test wrote down."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from llmspell_bridge.spelltest.replies import tool_error
from llmspell_core.cassette.forms import plain
from llmspell_core.errors import ToolError
from llmspell_core.tool import Tool

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext


class FakeTool(Tool):
    """Its name, schema, policy and approvals are the real tool's; only the work is not done.

    Args:
        inner: the real tool
        answers: one a call, in order; or a function that gives them all
    """

    def __init__(self, inner: Tool, answers: list[Any] | Any) -> None:
        super().__init__(inner.name, inner.description)
        self.inner = inner
        self.calls: list[dict[str, Any]] = []
        self._always = answers if callable(answers) else None
        self._answers = [] if callable(answers) else list(answers)

    @property
    def remaining(self) -> int:
        """How many answers nobody has asked for yet."""
        return max(0, len(self._answers) - len(self.calls))

    async def run_tool(self, params: Any, ctx: ToolContext) -> Any:
        arguments = plain(params)
        number = len(self.calls)
        self.calls.append(arguments)
        if self._always is not None:
            return await self._answer(self._always, arguments, params, ctx)
        if number >= len(self._answers):
            raise ToolError(
                f"call {number + 1} of {self.name}, but only {len(self._answers)} are written down",
                hint="give Test.fake_tool another answer, or a function",
            )
        return await self._answer(self._answers[number], arguments, params, ctx)

    async def _answer(
        self, answer: Any, arguments: dict[str, Any], params: Any, ctx: ToolContext
    ) -> Any:
        if callable(answer):
            answer = await answer(arguments)
        if not isinstance(answer, dict):
            return answer
        if delay := answer.get("delay_ms"):
            await asyncio.sleep(float(delay) / 1000)
        if answer.get("real") is True:
            return await self.inner.run_tool(params, ctx)
        if isinstance(answer.get("error"), str):
            raise tool_error(answer)
        return answer.get("result", answer)
