"""The hook points around a model request: before_llm_call, after_llm_call, llm_error."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError as PydanticError

from llmspell_agents.conversation import message_data, message_of
from llmspell_agents.history.repair import repaired
from llmspell_core.errors import HookError
from llmspell_core.hooks import HookContext, HookResult
from llmspell_core.messages import ContentPart
from llmspell_core.provider import ModelRequest, ModelResponse
from llmspell_core.schema import mistakes_text, pydantic_mistakes

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.errors import LLMSpellError
    from llmspell_core.messages import Message

BEFORE, AFTER, ERROR = "before_llm_call", "after_llm_call", "llm_error"


class Again(Exception):  # noqa: N818 - control flow of a `retry` answer
    """A hook asked for another attempt."""

    def __init__(self, delay_ms: float) -> None:
        self.delay_ms = delay_ms


@dataclass(slots=True)
class LLMHooks:
    """Runs them for the requests of one agent's run; a point without hooks costs a look-up."""

    name: str
    id: str
    ctx: ExecutionContext
    #: Which attempt this is, counted from 1: hooks may ask for another.
    attempt: int = 1

    def watched(self) -> bool:
        """Whether a hook may still change an answer that has come in full."""
        return self.ctx.hooks.decided(AFTER)

    async def before(self, request: ModelRequest, model: str) -> ModelResponse | None:
        """Let hooks see and change the request; a response when one replaces the call."""
        if not self.ctx.hooks.active(BEFORE):
            return None
        shown = [message_data(message) for message in request.messages]
        last = request.messages[-1].text if request.messages else ""
        seen = self._context(BEFORE, request, model, input=last, messages=shown)
        outcome = await self._run(BEFORE, seen)
        if outcome.kind == "replace":
            return as_response(outcome.result, model)
        # Made anew: a hook may have changed those that it was shown where they stand.
        shown = [message_data(message) for message in request.messages] if seen.messages else []
        if seen.messages and seen.messages != shown:
            request.messages = _changed(seen.messages, shown, request.messages)
        if isinstance(seen.input, str) and seen.input != last and request.messages:
            last_one = request.messages[-1]
            changed = last_one.model_copy(update={"content": seen.input})
            request.messages = [*request.messages[:-1], _with_media(changed, last_one)]
        request.messages = repaired(request.messages)
        return None

    async def after(
        self, request: ModelRequest, response: ModelResponse, model: str, duration_ms: float
    ) -> ModelResponse:
        """Let hooks see and change the answer."""
        if not self.ctx.hooks.active(AFTER):
            return response
        seen = self._context(
            AFTER,
            request,
            model,
            output=response.text,
            messages=[message_data(message) for message in request.messages],
            duration_ms=duration_ms,
        )
        seen.source = (request, response)
        seen.metadata = {
            **(seen.metadata or {}),
            "finish_reason": response.finish_reason,
            "usage": response.usage.model_dump(exclude_none=True),
            "tool_calls": [{"name": c.name, "arguments": c.arguments} for c in response.tool_calls],
        }
        outcome = await self._run(AFTER, seen)
        if outcome.kind == "replace":
            return as_response(outcome.result, model, response)
        if seen.output != response.text:
            return as_response(seen.output, model, response)
        return response

    async def failed(
        self, request: ModelRequest, error: LLMSpellError, model: str
    ) -> ModelResponse | None:
        """Let hooks see a failure; a response when one stands in for it."""
        if not self.ctx.hooks.active(ERROR):
            return None
        outcome = await self._run(
            ERROR, self._context(ERROR, request, model, error=error.to_dict())
        )
        return as_response(outcome.result, model) if outcome.kind == "replace" else None

    def _context(self, point: str, request: ModelRequest, model: str, **fields: Any) -> HookContext:
        metadata = {
            "model": model,
            "tools": [tool.name for tool in request.tools],
            "attempt": self.attempt,
        }
        return HookContext(
            point=point,
            component=self.name,
            component_id=self.id,
            operation="chat",
            metadata=metadata,
            correlation_id=self.ctx.correlation_id,
            language=self.ctx.language,
            state=self.ctx.state_scope,
            source=request,
            **fields,
        )

    async def _run(self, point: str, seen: HookContext) -> HookResult:
        outcome = await self.ctx.hooks.run(point, seen)
        if outcome.kind == "cancel":
            raise HookError(
                f"{self.name}: {outcome.reason or 'the model request was cancelled by a hook'}",
                details={"point": point, "reason": outcome.reason or ""},
            )
        if outcome.kind == "retry":
            raise Again(outcome.delay_ms or 0)
        return outcome


def as_response(value: Any, model: str, base: ModelResponse | None = None) -> ModelResponse:
    """What a hook gave as an answer: a text, a table with `text`, or a response."""
    if isinstance(value, ModelResponse):
        return value
    text = value.get("text", "") if isinstance(value, dict) else value
    text = "" if text is None else str(text)
    return dataclasses.replace(base, text=text) if base else ModelResponse(text=text, model=model)


def _changed(
    messages: list[Any], shown: list[dict[str, Any]], given: list[Message]
) -> list[Message]:
    """The messages as hooks left them.

    One that they left alone keeps what data does not show; one that got another text, its images.
    """
    made = []
    same_places = len(messages) == len(given)
    for at, data in enumerate(messages):
        if at < len(given) and at < len(shown) and data == shown[at]:
            made.append(given[at])
        else:
            message = _read(data)
            made.append(_with_media(message, given[at]) if same_places else message)
    return made


def _read(data: Any) -> Message:
    try:
        return message_of(data)
    except PydanticError as error:
        raise HookError(
            f"a hook gave what is no message: {mistakes_text(pydantic_mistakes(error))}",
            code="hook.bad_result",
            hint="messages are tables of role and text",
        ) from None


def _with_media(message: Message, before: Message) -> Message:
    """The message with the images, sounds and files of the one that it takes the place of."""
    if message.role != before.role or isinstance(before.content, str):
        return message
    media = [part for part in before.content if part.type != "text"]
    if not media:
        return message
    text = [ContentPart(text=message.text)] if message.text else []
    return message.model_copy(update={"content": [*text, *media]})
