"""`GuardedTurn`: an agent's part of a run, with its guardrails before, beside and after it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell_agents.guardrails.answer import check_answer
from llmspell_agents.guardrails.asking import as_answer_text
from llmspell_agents.guardrails.config import NO_GUARDRAILS
from llmspell_agents.guardrails.gate import Gate, GateClosed
from llmspell_agents.guardrails.scope import Scope
from llmspell_agents.structured import AnswerSchema
from llmspell_core.errors import AgentError
from llmspell_core.messages import ContentPart, Message

if TYPE_CHECKING:
    from llmspell_agents.chain import Leg
    from llmspell_agents.guardrails.config import Guardrails
    from llmspell_agents.loop import AgentLoop
    from llmspell_agents.tool_calls import Outcome
    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import AgentInput, AgentOutput, ToolCall

#: The output of an agent, and the messages that it has added to the conversation.
Answered = tuple["AgentOutput", list[Message]]
Work = Callable[["AgentInput", list[Message]], Awaitable[Answered]]


def guarded_turn(
    name: str, rules: Guardrails | None, leg: Leg, ctx: ExecutionContext
) -> GuardedTurn | None:
    """The turn of an agent under all guardrails that hold for it; None when there are none."""
    around, outer = tuple(leg.chain.scopes), ctx.guardrails
    if (rules is None or not rules.any) and not around and not outer:
        return None
    scope = Scope(name, rules or NO_GUARDRAILS, around, outer)
    inner = ctx.child(guardrails=(*outer, scope)) if scope.rules.any else ctx
    return GuardedTurn(scope, leg, inner)


@dataclass(slots=True)
class GuardedTurn:
    """One agent's part of a run. `ctx` is the run as what the agent calls shall see it."""

    scope: Scope
    leg: Leg
    ctx: ExecutionContext
    gate: Gate | None = None
    _rejected: list[Message] = field(default_factory=list)

    async def run(
        self, input: AgentInput, user: list[Message], work: Work, *, model: bool
    ) -> tuple[AgentOutput, list[Message]]:
        """Check the input, do the work, and say what was said in it.

        With `parallel` a model works while the input is checked; what it does is thrown away
        when the input turns out to be blocked, or becomes another one.

        Args:
            input: the input of the agent
            user: the message made of it; empty where the conversation ends with it
            work: answers the input and the message; the answer is checked in it
            model: whether it asks a model

        Raises:
            AgentError: `agent.guardrail_blocked`; what the work raises, without texts that
                nobody has checked.
        """
        scopes = self._for_input()
        given, said = input, user
        try:
            if scopes and model and all(one.rules.parallel for one in scopes):
                self.gate = Gate(self._checked(scopes, user))
                try:
                    output, added = await work(input, user)
                except GateClosed:
                    # Raises where the input was blocked.
                    text = await self.gate.task
                    self.gate = None
                    given, said = self._replaced(input, user, text)
                    output, added = await work(given, said)
            else:
                text = await self._checked(scopes, user) if scopes else None
                given, said = self._replaced(input, user, text)
                output, added = await work(given, said)
        except AgentError as error:
            raise self.scope.scrubbed(error) from error.__cause__
        finally:
            if self.gate is not None:
                await self.gate.close()
        return output, [*said, *added]

    # -- the input ---------------------------------------------------------------------------

    def _for_input(self) -> list[Scope]:
        """Whose input guardrails see what this agent is given.

        What an agent hands over it has written itself: the guardrails of those before it in the
        chain have seen what the user said already.
        """
        own = [self.scope] if self.scope.rules.input else []
        if not self.leg.of_user:
            return own
        return [*own, *(one for one in self.scope.around if one.rules.input)]

    async def _checked(self, scopes: list[Scope], user: list[Message]) -> str | None:
        """What the input is rewritten to, or None. Raises `agent.guardrail_blocked`."""
        message = self._asked(user)
        text = before = message.text if message is not None else ""
        for scope in scopes:
            alone = Scope(scope.agent, scope.rules)
            asked = await alone.ask("input", text, self.ctx)
            if asked.rewritten:
                text = as_answer_text(asked.value)
        return text if text != before else None

    def _asked(self, user: list[Message]) -> Message | None:
        said = user or [one for one in self.leg.carried if one.role == "user"]
        return said[-1] if said else None

    def _replaced(
        self, input: AgentInput, user: list[Message], text: str | None
    ) -> tuple[AgentInput, list[Message]]:
        """Both with another text; whoever is handed over to gets this input, too."""
        if text is None:
            return input, user
        message = self._asked(user)
        if message is not None:
            made = message.model_copy(update={"content": _with_text(message, text)})
            if user:
                user = [made]
            else:
                self.leg.carried = [made if one is message else one for one in self.leg.carried]
        changes: dict[str, Any] = {"text": text, "value": None}
        if not input.text and input.value is None:
            # The text was made of them.
            changes["parameters"] = {}
        self.leg.admitted = input.model_copy(update=changes)
        return self.leg.admitted, user

    # -- what the loop asks ------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether an answer is only handed out when it is whole and was checked."""
        return self.scope.buffered

    @property
    def checks_arguments(self) -> bool:
        """Whether what tools are called with may still become something else."""
        return bool(self.scope.holding("tool_input"))

    async def passed(self) -> None:
        """Wait for the check of the input, when it runs beside the model."""
        if self.gate is not None:
            await self.gate.passed()

    async def tool_inputs(self, loop: AgentLoop, calls: list[ToolCall]) -> dict[int, Outcome]:
        """See `Scope.tool_inputs`."""
        await self.passed()
        return await self.scope.tool_inputs(calls, self.ctx, loop.tools.names.real_name)

    async def around_tools(
        self, loop: AgentLoop, calls: list[ToolCall], refused: dict[int, Outcome]
    ) -> list[Outcome]:
        """See `Scope.around_tools`."""
        return await self.scope.around_tools(calls, refused, loop.outcomes)

    @property
    def checks_results(self) -> bool:
        """Whether what tools answer may still become something else."""
        return bool(self.scope.holding("tool_output"))

    async def tool_output(self, outcome: Outcome, tool: str) -> None:
        """See `Scope.tool_output`; in a journaled run it is part of the call, which is one step."""
        ctx = self.ctx if self.ctx.step is None else self.ctx.child(step=None)
        await self.scope.tool_output(outcome, ctx, tool)

    async def answer(self, loop: AgentLoop, output: AgentOutput, *, may_retry: bool) -> str:
        """Check an answer of a model; what the model is told when it is asked again, else ""."""
        await self.passed()
        last = next((one for one in reversed(loop.added) if one.role == "assistant"), None)
        answer = loop.answering.schema if loop.answering else None
        again = await check_answer(self.scope, output, self.ctx, answer=answer, may_retry=may_retry)
        if again:
            complaint = Message(role="user", content=f"That answer cannot be used: {again}")
            loop.added.append(complaint)
            self.reject([one for one in (last, complaint) if one is not None])
            return again
        if last is not None and not last.tool_calls and last.text != output.text:
            last.content = output.text
        loop.added = self.kept(loop.added)
        return ""

    def reject(self, messages: list[Message]) -> None:
        """Answers that were no good, and what was said of them, are no part of the conversation."""
        if self.scope.holding("output"):
            self._rejected += messages

    def kept(self, added: list[Message]) -> list[Message]:
        """Without the answers that were sent back, and what was said of them."""
        gone = {id(one) for one in self._rejected}
        return [one for one in added if id(one) not in gone] if gone else added

    async def function_answer(self, output: AgentOutput, schema: dict[str, Any] | None) -> None:
        """Check what a function answered: nobody is there who could be asked again."""
        answer = AnswerSchema.of(schema, "prompted") if schema else None
        await check_answer(self.scope, output, self.ctx, answer=answer)


def _with_text(message: Message, text: str) -> str | list[ContentPart]:
    """The content of a message with another text; its media stay."""
    if isinstance(message.content, str):
        return text
    media = [part for part in message.content if part.type != "text"]
    return [ContentPart.model_construct(text=text), *media]
