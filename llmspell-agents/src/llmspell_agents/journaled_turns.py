"""The model requests of a journaled run: read where recorded, else made and recorded."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from llmspell_agents.journaled import plain
from llmspell_core.errors import JournalError, LLMSpellError, ProviderError
from llmspell_core.journal.recording import charge, own_account, spent
from llmspell_core.journal.signing import canonical
from llmspell_core.messages import ToolCall, Usage
from llmspell_core.provider import ModelDelta, ModelRequest, ModelResponse

if TYPE_CHECKING:
    from llmspell_agents.requests import ModelCaller
    from llmspell_core.account import Account
    from llmspell_core.journal.recording import Step


class JournaledModels:
    """A `ModelCaller` whose answers are recorded, with what it spends beside them.

    That are attempts which failed, and requests to other models; the answer itself is charged by
    whoever asked. A failure is recorded, too, once the run has gone on after it: had it not, the
    request shall be made again.
    """

    def __init__(self, models: ModelCaller, step: Step) -> None:
        self._models = models
        self._step = step
        self._ctx = models.ctx

    def __getattr__(self, name: str) -> Any:
        return getattr(self._models, name)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """As of `ModelCaller`."""
        place, seen = self._step.next_turn(), _seen(request)
        known = self._known(place, seen)
        if known is not None:
            return known
        with self._asking(place, seen) as account:
            response = await self._models.complete(request)
        await self._record(place, seen, response, account)
        return response

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelDelta, None]:
        """As of `ModelCaller`; a recorded answer has no pieces: they were handed out before."""
        place, seen = self._step.next_turn(), _seen(request)
        known = self._known(place, seen)
        if known is not None:
            if not known.tool_calls and self._step.depth == 1:
                # The run's answer: the process ended before anybody could be given it.
                self._step.recording.go_live()
                yield ModelDelta(known.text, known.reasoning)
            yield ModelDelta(response=known)
            return
        with self._asking(place, seen) as account:
            async with aclosing(self._models.stream(request)) as deltas:
                async for delta in deltas:
                    if delta.response is not None:
                        # Written down before anybody acts upon it.
                        await self._record(place, seen, delta.response, account)
                    yield delta

    @contextmanager
    def _asking(self, place: str, seen: str) -> Iterator[Account]:
        """A request that is really made, and the account that counts what it spends."""
        recording = self._step.recording
        recording.go_live()
        account = own_account(self._ctx.account)
        self._models.ctx = self._ctx.child(account=account)
        try:
            yield account
        except LLMSpellError as error:
            data = {"seen": seen, "failed": plain(error.to_dict()), "spent": spent(account)}
            recording.write_next("turn", place, data)
            raise

    def _known(self, place: str, seen: str) -> ModelResponse | None:
        data = self._step.recording.known("turn", place)
        if data is None:
            return None
        if data["seen"] != seen:
            raise JournalError(
                "the paused run cannot go on: what its agents are shown is no longer what it was",
                code="journal.diverged",
                hint="files, functions and agents that the run reads must give what they gave "
                "before; start it anew",
                details={"place": place},
            )
        if "spent" in data:
            charge(self._ctx.account, data["spent"])
        if "failed" in data:
            raise _failure_of(data["failed"])
        return response_of(data["response"])

    async def _record(
        self, place: str, seen: str, response: ModelResponse, account: Account
    ) -> None:
        data = {"seen": seen, "response": plain(asdict(response)), "spent": spent(account)}
        await self._step.recording.write("turn", place, data)


def response_of(data: dict[str, Any]) -> ModelResponse:
    """A recorded answer of a model."""
    made = ModelResponse(**data)
    made.tool_calls = [ToolCall.model_validate(one) for one in data["tool_calls"]]
    made.usage = Usage.model_validate(data["usage"])
    return made


def _failure_of(data: dict[str, Any]) -> LLMSpellError:
    kind = ProviderError if data["code"].startswith("provider.") else LLMSpellError
    return kind(**data)


def _seen(request: ModelRequest) -> str:
    """What the model is shown, without system texts: they may have been improved meanwhile."""
    shown = [
        [
            one.role,
            one.text,
            one.tool_call_id,
            [[call.id, call.name, call.arguments] for call in one.tool_calls],
        ]
        for one in request.messages
        if one.role != "system"
    ]
    return hashlib.sha256(canonical(plain(shown))).hexdigest()
