"""`Answering`: one run's way to an answer that fits: read, judged, asked for again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

from llmspell_agents.partials import Partials
from llmspell_agents.structured import FINAL_TOOL, AnswerSchema, Mistakes
from llmspell_agents.validators import judge
from llmspell_core.errors import AgentError, ValidationError

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import ToolCall
    from llmspell_core.provider import ModelRequest, ModelResponse, ToolDefinition

#: What becomes of tool calls that come in the same response as the final answer.
EndStrategy = Literal["graceful", "early", "exhaustive"]

_ANSWERED = "not run: the final answer was given"


@dataclass(slots=True)
class Verdict:
    """What an answer is: its text and value, or with `complaint` why it is none."""

    text: str = ""
    value: Any = None
    complaint: str = ""


@dataclass(slots=True)
class Answering:
    """Reads the answers of one run, and decides whether the model is asked again.

    Without a schema the value is the text, which only the validators judge.
    """

    agent: str
    schema: AnswerSchema | None
    validators: list[Callable[..., Any]]
    retries: int
    strategy: EndStrategy
    ctx: ExecutionContext
    #: What the prompt says of it.
    instruction: str = ""
    _asked_again: int = field(default=0, init=False)

    @property
    def by_tool(self) -> bool:
        """Whether the answer comes as the call of a tool."""
        return self.schema is not None and self.schema.mode == "tool"

    def definitions(self, own: list[ToolDefinition]) -> list[ToolDefinition]:
        """The tools that the model is offered: the agent's own, and the one for the answer.

        Raises `agent.tool_conflict` when one of its own has that one's name.
        """
        if self.schema is None or self.schema.tool is None:
            return own
        if any(one.name == FINAL_TOOL for one in own):
            raise ValidationError(
                f"agent {self.agent}: a tool, and the one that gives the answer in output_mode "
                f'"tool", are both named "{FINAL_TOOL}"',
                code="agent.tool_conflict",
                hint="give the tool another name, or choose another output_mode",
            )
        return sorted([*own, self.schema.tool], key=attrgetter("name"))

    def complete(self, request: ModelRequest) -> ModelRequest:
        """The request with what the mode asks of it."""
        schema = self.schema
        if schema is None:
            return request
        request.schema, request.grammar = schema.wire, schema.mode == "grammar"
        if request.grammar and self._asked_again:
            # Not every service holds a grammar while it offers tools, and they have been used.
            request.tool_choice = "none"
        if schema.mode == "tool":
            # Whatever is called, and when nothing else may be: the answer is a call.
            alone = request.tool_choice == "none" or len(request.tools) == 1
            if alone:
                request.tool_choice = FINAL_TOOL
            elif request.tool_choice == "auto":
                request.tool_choice = "required"
        return request

    def final_calls(self, response: ModelResponse) -> list[ToolCall]:
        """The calls in a response that give the answer."""
        if not self.by_tool:
            return []
        return [call for call in response.tool_calls if call.name == FINAL_TOOL]

    def partials(self) -> Partials | None:
        """What reads the pieces of an answer while they come; None for one that is no data."""
        return Partials(self.schema) if self.schema is not None else None

    async def of_text(self, text: str) -> Verdict:
        """What an answer in words is."""
        schema = self.schema
        if schema is None:
            return await self._judged(text, text)
        value, mistakes = schema.read(text)
        if mistakes:
            return self._again(schema.complaint(mistakes), text, mistakes)
        return await self._judged(value, text)

    async def of_calls(self, calls: list[ToolCall]) -> Verdict:
        """What the first of these calls that fits gives; all are judged when `exhaustive`."""
        assert self.schema is not None  # noqa: S101 - without a schema nothing is a final call
        found: Verdict | None = None
        wrong: Mistakes = []
        for call in calls:
            if found is not None and self.strategy != "exhaustive":
                break
            value, mistakes = self.schema.read_call(call)
            if not mistakes:
                verdict, mistakes = await self._asked(value, None)
                found = found or verdict
            wrong += mistakes
        if found is not None:
            return found
        return self._again(self.schema.complaint(wrong), str(calls[0].arguments), wrong)

    def skipped(self, call: ToolCall) -> ToolCall:
        """The record of a call that the final answer made needless."""
        call.error = {"message": _ANSWERED, "code": "agent.answered", "retryable": False}
        return call

    async def _judged(self, value: Any, text: str) -> Verdict:
        verdict, mistakes = await self._asked(value, text)
        if verdict is not None:
            return verdict
        schema = self.schema
        told = "; ".join(one["message"] for one in mistakes)
        again = schema.complaint(mistakes) if schema else f"{told}. Answer again."
        return self._again(again, text, mistakes)

    async def _asked(self, value: Any, text: str | None) -> tuple[Verdict | None, Mistakes]:
        """What the validators say of a value that fits the schema."""
        schema, changed = self.schema, False
        about = {"agent": self.agent, "text": text, "attempt": self._asked_again + 1}
        for validator in self.validators:
            judged = await judge(validator, value, about, self.ctx)
            if judged.retry:
                return None, [{"field": "", "message": judged.retry}]
            value, changed = judged.value, changed or judged.changed
        if schema is not None:
            return Verdict(schema.text_of(value, None if changed else text), value), []
        if isinstance(value, str):
            return Verdict(value), []
        return Verdict(text or "", value), []

    def _again(self, complaint: str, text: str, mistakes: Mistakes) -> Verdict:
        if self._asked_again >= self.retries:
            what = "response_format" if self.schema else "output_validator"
            raise AgentError(
                f"the answer of {self.agent} does not fit {what}: "
                + "; ".join(f"{one['field']} {one['message']}".strip() for one in mistakes),
                code="agent.output_invalid",
                hint="a larger model, a simpler schema, or more output_retries",
                details={"text": text, "errors": mistakes},
            )
        self._asked_again += 1
        return Verdict(complaint=complaint)
