"""`Gate`: input guardrails that run beside the first model request, and the model behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from llmspell_core.provider import Provider

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmspell_agents.targets import Target
    from llmspell_core.context import ExecutionContext
    from llmspell_core.provider import Capabilities, ModelDelta, ModelRequest, ModelResponse


class GateClosed(Exception):  # noqa: N818 - control flow: no hook may stand in for it
    """The request was made for nothing: the input was blocked, or is another one now."""


class Gate:
    """Waits for a check of the input; nothing of a model's answer is seen before it has passed.

    Args:
        check: the check; its result is the input to go on with, None for the one there was
    """

    def __init__(self, check: Coroutine[Any, Any, Any]) -> None:
        self.task = asyncio.ensure_future(check)

    def over(self, targets: list[Target]) -> list[Target]:
        """The same models, behind this gate."""
        return [replace(one, provider=GatedProvider(one.provider, self)) for one in targets]

    async def passed(self) -> None:
        """Return when the input may be answered. Raises `GateClosed` when it may not."""
        await asyncio.wait([self.task])
        self.check()

    def check(self) -> None:
        """Raise `GateClosed` when the check is done and the input may not be answered."""
        if self.task.done() and (
            self.task.cancelled() or self.task.exception() or self.task.result() is not None
        ):
            raise GateClosed

    async def close(self) -> None:
        """End the check, when nobody waits for it any more."""
        await _ended(self.task)
        if not self.task.cancelled():
            # Looked at, so that nobody is warned of an error that came too late to matter.
            self.task.exception()


class GatedProvider(Provider):
    """A provider whose answers wait for a gate; when it closes, the request is broken off."""

    def __init__(self, inner: Provider, gate: Gate) -> None:
        super().__init__(inner.config, inner.runtime)
        self.inner = inner
        self.gate = gate
        self.name = inner.name
        self.local = inner.local  # type: ignore[misc]

    def capabilities(self, model: str) -> Capabilities:
        return self.inner.capabilities(model)

    async def complete(self, request: ModelRequest, ctx: ExecutionContext) -> ModelResponse:
        answer = asyncio.ensure_future(self.inner.complete(request, ctx))
        try:
            response: ModelResponse = await self._beside(answer)
            await self.gate.passed()
        except GateClosed:
            _waste(answer, request)
            raise
        finally:
            await _ended(answer)
        return response

    async def stream(
        self, request: ModelRequest, ctx: ExecutionContext
    ) -> AsyncIterator[ModelDelta]:
        source = cast("AsyncGenerator[ModelDelta, None]", self.inner.stream(request, ctx))
        async with aclosing(source):
            first = asyncio.ensure_future(anext(source, None))
            try:
                delta = await self._beside(first)
                await self.gate.passed()
            finally:
                await _ended(first)
            if delta is not None:
                yield delta
                async for delta in source:
                    yield delta

    async def _beside(self, work: asyncio.Future[Any]) -> Any:
        """What the work gives, unless the gate closes before."""
        await asyncio.wait({work, self.gate.task}, return_when=asyncio.FIRST_COMPLETED)
        self.gate.check()
        return await work


async def _ended(work: asyncio.Future[Any]) -> None:
    if not work.done():
        work.cancel()
        await asyncio.wait([work])


def _waste(answer: asyncio.Future[ModelResponse], request: ModelRequest) -> None:
    """Tokens of an answer that nobody will see are paid for like all others."""
    if answer.done() and not answer.cancelled() and answer.exception() is None:
        request.wasted.append(answer.result().usage)
