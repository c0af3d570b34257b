"""What a history of 10,000 messages costs before it can be sent: CPU ms, the best of some rounds.

    python benchmarks/history_view.py [--json] [--quick]

Half of the messages are calls and results. `repaired and viewed` is what the first request of a
conversation does: every message is looked at and sized, and old turns are left out; `viewed again`
is what the next request does. The broken history lacks every seventh message. For comparison the
body of all messages is written as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable

from measuring import report, rounds

from llmspell_agents.history.repair import repaired
from llmspell_agents.history.settings import ContextChoice
from llmspell_agents.history.summary import Summarizer
from llmspell_agents.history.view import ContextView, ViewState
from llmspell_agents.targets import Target
from llmspell_core.chat.wire import request_body
from llmspell_core.context import ExecutionContext
from llmspell_core.messages import Message, ToolCall
from llmspell_core.provider import Capabilities, ModelRequest, ModelResponse
from llmspell_core.runtime import Runtime
from llmspell_core.testing import ScriptedProvider

MESSAGES = 10_000
CHOICE = ContextChoice.model_validate({"strategy": "truncate"})


def history() -> list[Message]:
    """Questions, calls, results and answers by turns, and a question at the end."""
    made: list[Message] = []
    for number in range(MESSAGES // 4):
        call = ToolCall(id=f"c{number}", name="stock", arguments={"item": "kettle", "n": number})
        made += [
            Message(role="user", content=f"How many kettles are in store {number}?"),
            Message(role="assistant", tool_calls=[call]),
            Message(role="tool", content="7 kettles. " * 30, tool_call_id=call.id),
            Message(role="assistant", content=f"There are 7 in store {number}."),
        ]
    return [*made[:-1], Message(role="user", content="And now?")]


def view_of(provider: ScriptedProvider, ctx: ExecutionContext, state: ViewState) -> ContextView:
    """The view of a run that asks this provider."""

    async def nothing(request: ModelRequest) -> ModelResponse:
        return ModelResponse()

    summarizer = Summarizer("bench", nothing, ctx.account, lambda: 0)
    target = Target(provider, "m")
    return ContextView("bench", "bench", target, ctx, CHOICE, summarizer, state)


async def best_ms(work: Callable[[], Awaitable[object]]) -> float:
    """CPU ms of one call in the quickest round."""
    found = []
    for _ in range(rounds(15)):
        gc.collect()
        started = time.process_time()
        await work()
        found.append(time.process_time() - started)
    return min(found) * 1000


async def main() -> dict[str, float]:
    """All figures."""
    sound = history()
    broken = [one for index, one in enumerate(sound) if index % 7 or index == len(sound) - 1]
    async with Runtime({"state": {"backend": "memory"}}) as runtime:
        provider = ScriptedProvider(capabilities=Capabilities(max_context_tokens=200_000))
        runtime.add_provider(provider)
        ctx = runtime.context()
        state = ViewState()

        async def asked(request: ModelRequest) -> ModelResponse:
            return ModelResponse()

        async def seen(messages: list[Message], kept: ViewState) -> None:
            request = ModelRequest("m", repaired(messages))
            await view_of(provider, ctx, kept).answered(request, asked)

        async def plain() -> None:
            await seen(sound, ViewState())

        async def mended() -> None:
            await seen(broken, ViewState())

        async def again() -> None:
            await seen(sound, state)

        await again()

        async def written() -> None:
            json.dumps(request_body(ModelRequest("m", sound), stream=False))

        return {
            "(written as JSON), ms": await best_ms(written),
            "sound, repaired and viewed, ms": await best_ms(plain),
            "broken, repaired and viewed, ms": await best_ms(mended),
            "sound, viewed again, ms": await best_ms(again),
        }


if __name__ == "__main__":
    report(asyncio.run(main()))
