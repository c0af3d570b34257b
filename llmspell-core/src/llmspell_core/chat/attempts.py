"""`Attempts`: a request to a service, tried again while that may help."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from llmspell_core.chat.retry import pause
from llmspell_core.errors import ProviderError
from llmspell_core.provider import ModelDelta, ProviderConfig, RetryPolicy

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

_Answer = TypeVar("_Answer")


class Attempts:
    """The rules of one provider for trying again; whatever client it uses tries only once."""

    def __init__(self, config: ProviderConfig) -> None:
        self._policy = RetryPolicy(max_attempts=config.max_retries + 1)

    async def whole(
        self,
        ask: Callable[[], Awaitable[_Answer]],
        ctx: ExecutionContext,
        policy: RetryPolicy | None = None,
    ) -> _Answer:
        """What `ask` gives, asked again as the policy says."""
        attempt = 1
        while True:
            try:
                return await ask()
            except ProviderError as error:
                if not await pause(error, attempt, policy or self._policy, ctx):
                    raise
            attempt += 1

    async def streamed(
        self,
        ask: Callable[[], AsyncGenerator[ModelDelta, None]],
        ctx: ExecutionContext,
        policy: RetryPolicy | None = None,
    ) -> AsyncGenerator[ModelDelta, None]:
        """The pieces that `ask` gives, asked again as long as none was handed out."""
        attempt, handed_out = 1, False
        while True:
            try:
                async with aclosing(ask()) as deltas:
                    async for delta in deltas:
                        handed_out = True
                        yield delta
                return
            except ProviderError as error:
                # What was handed out cannot be taken back: a second answer may differ.
                if handed_out or not await pause(error, attempt, policy or self._policy, ctx):
                    raise
            attempt += 1
