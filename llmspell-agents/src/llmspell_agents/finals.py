"""What becomes of a response that gives its answer by calling a tool, other calls beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llmspell_core.messages import Message

if TYPE_CHECKING:
    from llmspell_agents.answering import Answering
    from llmspell_agents.loop import AgentLoop
    from llmspell_core.messages import AgentOutput, ToolCall
    from llmspell_core.provider import ModelResponse


@dataclass(slots=True)
class FinalCalls:
    """The final calls of one response, and the others in it."""

    loop: AgentLoop
    answering: Answering
    response: ModelResponse
    finals: list[ToolCall]

    @property
    def rest(self) -> list[ToolCall]:
        """The calls that give no answer."""
        finals = self.finals
        return [one for one in self.response.tool_calls if not any(one is own for own in finals)]

    async def output(self) -> AgentOutput | None:
        """The output that they give, or None when the model is asked for another one."""
        verdict = await self.answering.of_calls(self.finals)
        if verdict.complaint:
            return await self._refuse(verdict.complaint)
        response = self.response
        if await self._afterwards():
            # What it thought stands with the calls.
            response = replace(response, reasoning="", signature=None)
        return self.loop.answered(verdict, response, "stop")

    async def _refuse(self, why: str) -> AgentOutput | None:
        """Tell the model why its final calls are none, after the other calls have run."""
        loop = self.loop
        rest = [] if loop.allowance.tools_off else self.rest
        calls = self.response.tool_calls if rest else self.finals
        loop.note(self.response, calls)
        begin = len(loop.added)
        if rest:
            await loop.use_tools(rest)
        elif loop.guard is not None:
            loop.guard.reject(loop.added[-1:])
        loop.added += [
            Message(role="tool", content=why, tool_call_id=one.id) for one in self.finals
        ]
        order = {call.id: number for number, call in enumerate(calls)}
        loop.added[begin:] = sorted(
            loop.added[begin:], key=lambda one: order.get(one.tool_call_id or "", 0)
        )
        if loop.guard is not None and not rest:
            loop.guard.reject(loop.added[begin:])
        return loop.handed_over()

    async def _afterwards(self) -> bool:
        """What `end_strategy` makes of the calls beside a final answer: whether any was run.

        Hand-offs never are.
        """
        loop, rest = self.loop, self.rest
        takes = loop.transfers.takes if loop.transfers is not None else lambda _: False
        if self.answering.strategy == "early" or loop.allowance.tools_off:
            run = []
        else:
            run = [call for call in rest if not takes(call)]
        loop.records += [self.answering.skipped(call) for call in rest if call not in run]
        if run:
            loop.note(self.response, run)
            await loop.use_tools(run)
        return bool(run)
