"""The agent loop: a request, all tool calls of the answer, the next request, until an answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from llmspell_agents.allowance import Allowance
from llmspell_agents.finals import FinalCalls
from llmspell_agents.history.repair import repaired
from llmspell_agents.reasoning import kept
from llmspell_agents.streamed import streamed
from llmspell_core.account import limit_error
from llmspell_core.errors import AgentError
from llmspell_core.messages import (
    AgentOutput,
    ContentPart,
    Message,
    RunMetadata,
    ToolCall,
    Usage,
)
from llmspell_core.provider import ModelRequest, ModelResponse, ToolDefinition

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from llmspell_agents.answering import Answering, Verdict
    from llmspell_agents.guardrails.turn import GuardedTurn
    from llmspell_agents.held import Held
    from llmspell_agents.history.view import ContextView
    from llmspell_agents.lifecycle import Life
    from llmspell_agents.requests import ModelCaller
    from llmspell_agents.tool_calls import Outcome, ToolCaller
    from llmspell_agents.transfers import Transfers
    from llmspell_core.account import Account, LimitHit
    from llmspell_core.provider import ReasoningOptions
    from llmspell_core.run_events import RunEvents


@dataclass(slots=True)
class LoopPlan:
    """What stays the same through all requests of a run."""

    agent: str
    definitions: list[ToolDefinition]
    tool_choice: str = "auto"
    temperature: float | None = None
    max_tokens: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    reasoning: ReasoningOptions | None = None
    finish_on_limit: bool = True


@dataclass(slots=True)
class AgentLoop:
    """One run. `messages` is what the model is shown first; `added` is what the run adds.

    With `events` answers are streamed: the text deltas of one request are together its text.
    """

    plan: LoopPlan
    messages: list[Message]
    models: ModelCaller
    tools: ToolCaller
    account: Account
    context: ContextView
    events: RunEvents | None = None
    transfers: Transfers | None = None
    #: Called when something was added that is worth keeping: an answer, results of tools.
    on_step: Callable[[], Awaitable[None]] | None = None
    #: What an answer has to be; None: whatever the model says.
    answering: Answering | None = None
    #: What checks its answers and tool calls; None: nothing does.
    guard: GuardedTurn | None = None
    held: Held | None = None
    #: Whether it is to wait before its next request.
    life: Life | None = None
    added: list[Message] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    #: The tool calls of the run, as its output has them.
    records: list[ToolCall] = field(default_factory=list)
    _artifacts: list[ContentPart] = field(default_factory=list)
    _text: str = ""
    _called: bool = False
    allowance: Allowance = field(init=False)

    def __post_init__(self) -> None:
        plan = self.plan
        self.allowance = Allowance(
            plan.agent,
            self.account,
            plan.finish_on_limit,
            self._exceeded,
            has_tools=bool(plan.definitions),
        )

    async def run(self) -> AgentOutput:
        """The output of the whole run; pieces of it go to the sink meanwhile.

        Raises `agent.limit_exceeded`, `agent.timeout`, `agent.output_invalid`,
        `agent.tool_retries`, `agent.context_overflow`, and what the provider raises.
        """
        while self.allowance.request():
            response = await self._answer()
            self._count(response)
            finals = self.answering.final_calls(response) if self.answering else []
            if self.answering and finals:
                output = await FinalCalls(self, self.answering, response, finals).output()
            elif response.tool_calls and not self.allowance.tools_off:
                output = await self._act(response)
            else:
                output = await self._judge(response)
            if output is not None and not await self._passes(output):
                output = None
            await self._step()
            if output is not None:
                return output
        output = self._output("limit", None)
        if self.guard is None and self.answering is not None:
            self._tell(self._text)
        await self._passes(output, last=True)
        return output

    @property
    def kept(self) -> list[Message]:
        """What the run has added to the conversation, without answers that were sent back."""
        return self.added if self.guard is None else self.guard.kept(self.added)

    async def _passes(self, output: AgentOutput, *, last: bool = False) -> bool:
        """Whether the guardrails let an answer pass, which is handed out then."""
        guard, text = self.guard, output.text
        if guard is None or output.handoff_request is not None:
            return True
        live = self.answering is None and not guard.held
        if await guard.answer(self, output, may_retry=not last):
            return False
        if self.events is not None and live and output.text != text:
            void = {"message": "a guardrail has changed the answer"}
            self.events.fallback(self.plan.agent, self.plan.agent, void, restarted=True)
        if not live or output.text != text:
            self._tell(output.text)
        return True

    async def _step(self) -> None:
        if self.on_step is not None:
            await self.on_step()

    async def _act(self, response: ModelResponse) -> AgentOutput | None:
        """Run the tools of a response; the output when one of them hands over."""
        self.note(response, response.tool_calls)
        if self.guard is None:
            await self._step()
        await self.use_tools(response.tool_calls)
        return self.handed_over()

    async def _answer(self) -> ModelResponse:
        if self.life is not None and self.life.state == "paused":
            await self.life.passes()
        return await self.context.answered(self._request(), self._ask)

    async def _ask(self, request: ModelRequest) -> ModelResponse:
        if self.events is None:
            return await self.models.complete(request)
        if self.guard is not None and self.guard.held:
            # Not even events may have pieces of an answer that nobody has checked.
            self.events.request_started()
            held = await self.models.complete(request)
            self.events.usage(held.usage)
            return held
        # An answer that is to be checked is handed out when it has been.
        answering, said = self.answering, list[str]()
        try:
            response = await streamed(
                self.models,
                request,
                self.events,
                said,
                live=answering is None,
                partials=answering.partials if answering else None,
                guard=self.guard,
            )
        except BaseException:
            if said:
                # What was handed out has been said.
                self.added.append(Message(role="assistant", content="".join(said)))
            raise
        if response is None:
            raise AgentError(f"the model of {self.plan.agent} gave no answer")
        return response

    def _request(self) -> ModelRequest:
        plan = self.plan
        choice = "none" if self.allowance.tools_off else plan.tool_choice
        if self._called and choice not in ("auto", "none"):
            # Forced once: a model that must call a tool in every answer never ends.
            choice = "auto"
        request = ModelRequest(
            model="",
            messages=repaired([*self.messages, *self.added]),
            tools=plan.definitions,
            tool_choice=choice,
            temperature=plan.temperature,
            max_tokens=plan.max_tokens,
            settings=plan.settings,
            reasoning=plan.reasoning,
        )
        return self.answering.complete(request) if self.answering else request

    def _count(self, response: ModelResponse) -> None:
        self.account.charge_usage(response.usage)
        self.usage.add(response.usage)
        self._artifacts += response.parts
        if response.text:
            self._text = response.text
            if self.events is not None:
                self.events.answered()
        if self.held is not None:
            calls = response.tool_calls
            self.held.add([Message(role="assistant", content=response.text, tool_calls=calls)])

    def note(self, response: ModelResponse, calls: list[ToolCall]) -> None:
        """Add what the model has said, with the calls of it that are answered."""
        thought = kept(response, self.models.target)
        self.added.append(
            Message(role="assistant", content=response.text, tool_calls=calls, reasoning=thought)
        )

    async def use_tools(self, calls: list[ToolCall]) -> None:
        """Run calls, and add their results; refuse them all when they would cross a limit."""
        self._called = True
        guard = self.guard
        refused = await guard.tool_inputs(self, calls) if guard else {}
        if guard is not None:
            # Not before: what was not checked is not kept.
            await self._step()
        if self.events is not None:
            for index, call in enumerate(calls):
                self.events.tool_call_ready(index, call)
            for one in refused.values():
                self.events.tool_ended(one.call, one.message.text)
        hit = self.tools.book(calls)
        if hit is None:
            try:
                outcomes = (
                    await guard.around_tools(self, calls, refused)
                    if guard
                    else await self.outcomes(calls)
                )
            except BaseException:
                self.added.extend(self.tools.left(calls))
                raise
            finally:
                self.tools.release()
        else:
            self.allowance.end_tools(hit)
            outcomes = self.tools.refuse(calls, hit)
        if self.held is not None:
            self.held.add((one.message for one in outcomes), (one.call for one in outcomes))
        for outcome in outcomes:
            self.records.append(outcome.call)
            self.added.append(outcome.message)

    async def outcomes(self, calls: list[ToolCall]) -> list[Outcome]:
        """How all calls ended, in their order; hand-offs come after the tools."""
        transfers = self.transfers
        if transfers is None or not any(map(transfers.takes, calls)):
            return await self.tools.run(calls)
        rest = [call for call in calls if not transfers.takes(call)]
        ended = {id(one.call): one for one in await self.tools.run(rest)} if rest else {}
        records = [*self.records, *(one.call for one in ended.values())]
        said = [one for one in self.messages if one.role != "system"]
        for call in calls:
            if id(call) not in ended:
                ended[id(call)] = one = await transfers.take(
                    call, records, self._text, [*said, *self.added]
                )
                if self.guard is not None:
                    await self.guard.tool_output(one, call.name)
                if self.events is not None:
                    self.events.tool_ended(one.call, one.message.text)
        return [ended[id(call)] for call in calls]

    def handed_over(self) -> AgentOutput | None:
        """The output with which control goes to another agent, when the model has asked for it."""
        request = self.transfers.request if self.transfers is not None else None
        if request is None:
            return None
        output = self._output("handoff", None)
        output.handoff_request = request
        return output

    async def _judge(self, response: ModelResponse) -> AgentOutput | None:
        """The output, or None when the model is asked again for one that fits."""
        self.note(response, [])
        if self.answering is None:
            return self._output(response.finish_reason, None)
        verdict = await self.answering.of_text(response.text)
        if not verdict.complaint:
            self.added.pop()
            return self.answered(verdict, response, response.finish_reason)
        self.added.append(Message(role="user", content=verdict.complaint))
        if self.guard is not None:
            self.guard.reject(self.added[-2:])
        return None

    def answered(self, verdict: Verdict, response: ModelResponse, reason: str) -> AgentOutput:
        """The output of an answer that fits; it is handed out, and stays in the conversation."""
        self._text = verdict.text
        self.note(replace(response, text=verdict.text), [])
        if self.guard is None:
            self._tell(verdict.text)
        return self._output(reason, verdict.value)

    def _tell(self, text: str) -> None:
        """Hand out a text that was held back."""
        if self.events is not None and text:
            self.events.text(text)
            self.events.answered()

    def _output(self, reason: str, value: Any) -> AgentOutput:
        target = self.models.target
        hit = self.allowance.hit
        reason = "limit" if hit and reason != "handoff" else reason
        return AgentOutput(
            text=self._text,
            data=value,
            tool_calls=self.records,
            artifacts=self._artifacts,
            agent=self.plan.agent,
            metadata=RunMetadata(
                model=target.model,
                provider=target.provider.name,
                finish_reason=reason,
                usage=self._used(),
                iterations=self.allowance.requests,
                limit=hit.as_dict() if hit else None,
            ),
        )

    def _used(self) -> Usage:
        """Tokens and money of this agent's part of the run, those of failed attempts included."""
        beside = [self.models.wasted, self.context.summarizer.usage]
        if not any(one.total_tokens for one in beside):
            return self.usage
        used = self.usage.model_copy()
        for one in beside:
            used.add(one)
        return used

    def _exceeded(self, hit: LimitHit) -> AgentError:
        from llmspell_agents.conversation import message_data

        return limit_error(
            hit,
            messages=[message_data(message) for message in self.added],
            usage=self._used().model_dump(exclude_none=True),
            text=self._text,
        )
