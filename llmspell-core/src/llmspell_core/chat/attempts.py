"""`Attempts`: a request to a service, when it may go, tried again while that may help."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, TypeVar

from llmspell_core.chat.breaker import Breaker
from llmspell_core.chat.limits import RateLimits, Sent
from llmspell_core.chat.retry import pause
from llmspell_core.errors import ProviderError
from llmspell_core.provider import (
    EmbeddingRequest,
    EmbeddingResponse,
    ModelDelta,
    ModelRequest,
    ModelResponse,
    ProviderConfig,
    RetryPolicy,
)

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

_Answer = TypeVar("_Answer", ModelResponse, EmbeddingResponse)
_Request = ModelRequest | EmbeddingRequest
#: Of a text, roughly; only until the service says what it counted.
_CHARACTERS_A_TOKEN = 4


class Attempts:
    """The rules of one provider; whatever client it uses tries only once.

    They hold for all runs of the process together: rate limits, and a breaker for each model.
    """

    def __init__(self, config: ProviderConfig) -> None:
        self._name = config.name
        self._policy = RetryPolicy(max_attempts=config.max_retries + 1)
        self._limits = RateLimits(config.name, config.requests_per_minute, config.tokens_per_minute)
        self._breakers: dict[str, Breaker] = {}

    async def whole(
        self,
        request: _Request,
        ctx: ExecutionContext,
        ask: Callable[[], Awaitable[_Answer]],
    ) -> _Answer:
        """What `ask` gives, asked again as the policy says."""
        attempt = 1
        with self._breaker(request.model):
            while True:
                try:
                    sent = await self._admitted(request, ctx)
                    answer = await ask()
                    self._limits.used(sent, answer.usage.total_tokens)
                    return answer
                except ProviderError as error:
                    if not await self._again(error, attempt, request, ctx):
                        raise
                attempt += 1

    async def streamed(
        self,
        request: ModelRequest,
        ctx: ExecutionContext,
        ask: Callable[[], AsyncGenerator[ModelDelta, None]],
    ) -> AsyncGenerator[ModelDelta, None]:
        """The pieces that `ask` gives, asked again as long as none was handed out."""
        attempt, handed_out = 1, False
        with self._breaker(request.model):
            while True:
                try:
                    sent = await self._admitted(request, ctx)
                    async with aclosing(ask()) as deltas:
                        async for delta in deltas:
                            if delta.response is not None:
                                self._limits.used(sent, delta.response.usage.total_tokens)
                            handed_out = True
                            yield delta
                    return
                except ProviderError as error:
                    # What was handed out cannot be taken back: a second answer may differ.
                    if handed_out or not await self._again(error, attempt, request, ctx):
                        raise
                attempt += 1

    async def _admitted(self, request: _Request, ctx: ExecutionContext) -> Sent | None:
        return await self._limits.admit(_guess(request), ctx.remaining_ms)

    async def _again(
        self, error: ProviderError, attempt: int, request: _Request, ctx: ExecutionContext
    ) -> bool:
        policy = None
        if isinstance(request, ModelRequest):
            policy = request.retry
            if request.fallback_left and error.code == "provider.rate_limit":
                # Another model can answer now, this one only later.
                return False
        return await pause(error, attempt, policy or self._policy, ctx)

    @contextmanager
    def _breaker(self, model: str) -> Iterator[None]:
        breaker = self._breakers.setdefault(model, Breaker(f"{self._name}/{model}"))
        breaker.enter()
        try:
            yield
        except BaseException as error:
            breaker.leave(error)
            raise
        breaker.leave(None)


def _guess(request: _Request) -> int:
    """The tokens that a request and its answer will take, roughly."""
    if isinstance(request, EmbeddingRequest):
        return sum(map(len, request.inputs)) // _CHARACTERS_A_TOKEN
    told = sum(len(message.text) for message in request.messages)
    return told // _CHARACTERS_A_TOKEN + (request.max_tokens or 0)
