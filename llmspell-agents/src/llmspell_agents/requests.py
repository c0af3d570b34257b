"""`ModelCaller`: one model request with its hooks, events, fallbacks, money and tracing."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from llmspell_agents.llm_hooks import Again, LLMHooks
from llmspell_agents.reasoning import with_own_only
from llmspell_core.account import limit_error
from llmspell_core.errors import HookError, LLMSpellError, ProviderError
from llmspell_core.messages import Usage
from llmspell_core.provider import ModelDelta, ModelRequest, ModelResponse, RetryPolicy
from llmspell_core.telemetry.models import Untraced, chat_request

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmspell_agents.targets import Target
    from llmspell_core.context import ExecutionContext

log = logging.getLogger("llmspell.agents")

MAX_HOOK_RETRIES = 3
#: Failures of one model that another one may not have.
_FALL_BACK = frozenset(
    {
        "provider.rate_limit",
        "provider.timeout",
        "provider.connection",
        "provider.server",
        "provider.context_length",
        "provider.bad_response",
        "provider.circuit_open",
    }
)


@dataclass(slots=True)
class ModelCaller:
    """Asks the models of one agent's run. `target` is the one that answered last."""

    name: str
    id: str
    targets: list[Target]
    ctx: ExecutionContext
    retry: RetryPolicy | None = None
    #: What requests have used that gave no answer: failed attempts, and answers thrown away.
    wasted: Usage = field(default_factory=Usage.model_construct)
    target: Target = field(init=False)
    _asked: bool = False
    hooks: LLMHooks = field(init=False)
    #: Which request of the run is under way, from 1.
    iteration: int = 0

    def __post_init__(self) -> None:
        self.target = self.targets[0]
        self.hooks = LLMHooks(self.name, self.id, self.ctx)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """One whole answer; its first request is charged to the account by the caller."""
        self._asked = False
        for self.hooks.attempt in range(1, MAX_HOOK_RETRIES + 2):
            try:
                early = await self.hooks.before(request, self.target.full_name)
                if early is not None:
                    return early
                return await self._complete(request)
            except Again as again:
                await asyncio.sleep(again.delay_ms / 1000)
        raise self._too_often()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelDelta, None]:
        """The answer piece by piece; the last delta has the response.

        Hooks may change a whole answer, so with any that do more than look on it is handed out
        when they are done.
        """
        if self.hooks.watched():
            response = await self.complete(request)
            yield ModelDelta(response.text, response.reasoning)
            yield ModelDelta(response=response)
            return
        self._asked = False
        for self.hooks.attempt in range(1, MAX_HOOK_RETRIES + 2):
            try:
                async with aclosing(self._stream_once(request)) as deltas:
                    async for delta in deltas:
                        yield delta
                return
            except Again as again:
                await asyncio.sleep(again.delay_ms / 1000)
        raise self._too_often()

    async def _stream_once(self, request: ModelRequest) -> AsyncGenerator[ModelDelta, None]:
        early = await self.hooks.before(request, self.target.full_name)
        if early is not None:
            yield ModelDelta(early.text)
            yield ModelDelta(response=early)
            return
        started = self._requested(request)
        handed_out = False
        try:
            async with aclosing(self._deltas(request)) as deltas:
                async for delta in deltas:
                    if delta.response is not None:
                        self._completed(delta.response, started)
                        duration = (time.perf_counter() - started) * 1000
                        model = self.target.full_name
                        await self.hooks.after(request, delta.response, model, duration)
                    elif delta.text:
                        self._emit("llm.chunk", text=delta.text)
                    yield delta
                    handed_out = True
        except LLMSpellError as error:
            self._failed(error, started)
            # What was handed out cannot be taken back, so no hook can stand in for it.
            if handed_out:
                raise
            stand_in = await self.hooks.failed(request, error, self.target.full_name)
            if stand_in is None:
                raise
            yield ModelDelta(stand_in.text)
            yield ModelDelta(response=stand_in)

    async def _complete(self, request: ModelRequest) -> ModelResponse:
        started = self._requested(request)
        try:
            response = await self._ask(request)
        except LLMSpellError as error:
            self._failed(error, started)
            stand_in = await self.hooks.failed(request, error, self.target.full_name)
            if stand_in is None:
                raise
            return stand_in
        self._completed(response, started)
        duration = (time.perf_counter() - started) * 1000
        try:
            return await self.hooks.after(request, response, self.target.full_name, duration)
        except BaseException:
            self._waste([response.usage])
            raise

    async def _ask(self, request: ModelRequest) -> ModelResponse:
        for index, target in enumerate(self.targets):
            self.target = target
            sent = self._for(index, request)
            try:
                with self._traced(sent) as traced:
                    response = await target.provider.complete(sent, traced.ctx)
                    traced.answered(response)
                    return response
            except ProviderError as error:
                if not self._may_fall_back(error, index):
                    raise
            finally:
                if sent.wasted:
                    self._waste(sent.wasted)
        raise self._too_often()  # pragma: no cover - the last target returns or raises

    async def _deltas(self, request: ModelRequest) -> AsyncGenerator[ModelDelta, None]:
        for index, target in enumerate(self.targets):
            self.target = target
            sent = self._for(index, request)
            handed_out = False
            try:
                with self._traced(sent, stream=True) as traced:
                    source = cast(
                        "AsyncGenerator[ModelDelta, None]",
                        target.provider.stream(sent, traced.ctx),
                    )
                    async with aclosing(source):
                        async for delta in source:
                            handed_out = True
                            if delta.response is not None:
                                traced.answered(delta.response)
                                # Before the answer is handed out: who gets it may count.
                                self._waste(sent.wasted)
                            else:
                                traced.chunk()
                            yield delta
                return
            except ProviderError as error:
                if not self._may_fall_back(error, index, handed_out=handed_out):
                    raise
                if handed_out:
                    # The other model answers from the beginning.
                    yield ModelDelta(restart=True)
            finally:
                if sent.wasted:
                    self._waste(sent.wasted)

    def _for(self, index: int, request: ModelRequest) -> ModelRequest:
        target = self.targets[index]
        return ModelRequest(
            model=target.model,
            messages=with_own_only(request.messages, target),
            tools=request.tools,
            tool_choice=request.tool_choice,
            temperature=_first(request.temperature, target.temperature),
            max_tokens=_first(request.max_tokens, target.max_tokens),
            schema=request.schema,
            grammar=request.grammar,
            stop=request.stop,
            timeout_ms=self.ctx.model_timeout_ms(),
            settings={**target.settings, **request.settings},
            reasoning=request.reasoning,
            retry=self.retry,
            fallback_left=index + 1 < len(self.targets),
        )

    def _may_fall_back(self, error: ProviderError, index: int, *, handed_out: bool = False) -> bool:
        if error.code not in _FALL_BACK or index + 1 == len(self.targets):
            return False
        # Each model that is asked counts as a request of its own.
        if self.ctx.account.before_request():
            return False
        self.ctx.account.charge_request()
        after = self.targets[index + 1].full_name
        log.warning("%s: %s; asking %s instead", self.name, error, after)
        if self.ctx.run_events is not None:
            self.ctx.run_events.fallback(
                self.target.full_name, after, error.to_dict(), restarted=handed_out
            )
        self._emit(
            "llm.fallback",
            model=self.target.full_name,
            to=after,
            error=error.to_dict(),
            restarted=handed_out,
        )
        return True

    def _waste(self, usages: list[Usage]) -> None:
        """Charge what gave no answer: it is paid for all the same."""
        for usage in usages:
            self.target.add_cost(usage, self.ctx.runtime)
            self.wasted.add(usage)
            self.ctx.account.charge_usage(usage)
        usages.clear()

    def _requested(self, request: ModelRequest) -> float:
        if self._asked:
            # A hook wants another attempt: the model sees one more request.
            if hit := self.ctx.account.before_request():
                raise limit_error(hit)
            self.ctx.account.charge_request()
        self._asked = True
        self.iteration += 1
        self._emit(
            "llm.requested",
            model=self.target.full_name,
            messages=len(request.messages),
            tools=len(request.tools),
        )
        return time.perf_counter()

    def _completed(self, response: ModelResponse, started: float) -> None:
        usage = response.usage
        self.target.add_cost(usage, self.ctx.runtime)
        self._emit(
            "llm.completed",
            model=self.target.full_name,
            finish_reason=response.finish_reason,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=usage.cost_usd,
            tool_calls=len(response.tool_calls),
            duration_ms=(time.perf_counter() - started) * 1000,
        )

    def _failed(self, error: LLMSpellError, started: float) -> None:
        self._emit(
            "llm.completed",
            model=self.target.full_name,
            finish_reason="error",
            error=error.to_dict(),
            duration_ms=(time.perf_counter() - started) * 1000,
        )

    def _emit(self, type_: str, **data: Any) -> None:
        data["name"] = self.name
        data["id"] = self.id
        data["run_id"] = self.ctx.run_id
        self.ctx.events.emit(
            type_, data, correlation_id=self.ctx.correlation_id, language=self.ctx.language
        )

    def _traced(self, request: ModelRequest, *, stream: bool = False) -> Untraced:
        return chat_request(
            self.ctx, self.target.provider, request, stream=stream, iteration=self.iteration
        )

    def _too_often(self) -> HookError:
        return HookError(
            f"{self.name}: hooks asked for more than {MAX_HOOK_RETRIES} retries",
            code="hook.retries",
        )


def _first(one: Any, other: Any) -> Any:
    return other if one is None else one
