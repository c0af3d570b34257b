"""`ContextView`: what a model is shown of a conversation, so that it fits the model's window.

The conversation itself is never changed. What was done to it is remembered in a `ViewState`: the
next request gets the same beginning, with the new messages behind it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llmspell_agents.functions import call
from llmspell_agents.history.compaction import SUMMARIZE, Compaction, Gap
from llmspell_agents.history.repair import repaired
from llmspell_agents.history.shown import messages_data, messages_from
from llmspell_agents.history.sizes import Gauge, size_of, size_of_tools, sizes_of
from llmspell_agents.history.telling import compacted
from llmspell_core.errors import AgentError, ProviderError

if TYPE_CHECKING:
    from llmspell_agents.history.settings import ContextChoice
    from llmspell_agents.history.summary import Summarizer
    from llmspell_agents.targets import Target
    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import Message
    from llmspell_core.provider import ModelRequest, ModelResponse

CUSTOM = "custom"
_TOO_LONG = "provider.context_length"


@dataclass(slots=True)
class ViewState:
    """What was done to one conversation for one agent."""

    #: How many messages `kept` stands for, system texts aside, and the last of them.
    covered: int = 0
    last: Message | None = None
    kept: list[Message] = field(default_factory=list)
    gap: Gap | None = None
    #: The message that stands for the gap among `kept`.
    mark: Message | None = None
    gauge: Gauge = field(default_factory=Gauge)
    #: Windows that services have told, by the model's full name.
    windows: dict[str, int] = field(default_factory=dict)
    #: Messages of the earlier conversation that `memory` has a summary of, the last of them, and
    #: the summary.
    remembered: int = 0
    newest: Message | None = None
    memory: str = ""

    def applied(self, said: list[Message]) -> list[Message]:
        """The messages with what was done before."""
        count = self.covered
        if not count:
            return said
        if len(said) < count or (said[count - 1] is not self.last and said[count - 1] != self.last):
            # Another conversation, or one that was cut: what was done means nothing for it.
            self.covered, self.last, self.gap, self.mark = 0, None, None, None
            self.kept.clear()
            return said
        return [*self.kept, *said[count:]]

    def keep(self, said: list[Message], kept: list[Message], mark: Message | None) -> None:
        """Remember that `kept` is shown in the place of `said`."""
        self.covered, self.last, self.kept, self.mark = len(said), said[-1], kept, mark


@dataclass(slots=True)
class ContextView:
    """The view of one run. `answered` is the way of every request."""

    name: str
    id: str
    target: Target
    ctx: ExecutionContext
    choice: ContextChoice
    summarizer: Summarizer
    state: ViewState = field(default_factory=ViewState)
    #: Tokens that the model takes, once they are known.
    _known: int = 0
    #: What was sized last: its last message, the bytes of each, and those of all with the tools.
    _last: Message | None = None
    _sizes: list[int] = field(default_factory=list)
    _whole: int = 0

    async def answered(
        self, request: ModelRequest, ask: Callable[[ModelRequest], Awaitable[ModelResponse]]
    ) -> ModelResponse:
        """The answer to a request whose messages are made to fit first.

        A service that finds it too long all the same is asked once more, after another pass.
        Raises `agent.context_overflow` when that does not help either.
        """
        whole = request.messages
        request.messages = await self._fitting(request)
        try:
            response = await ask(request)
        except ProviderError as error:
            if error.code != _TOO_LONG:
                raise
            request.messages = await self._after(error, request, whole)
            try:
                response = await ask(request)
            except ProviderError as again:
                if again.code != _TOO_LONG:
                    raise
                raise self._overflow(again, request) from again
        if self._window():
            self.state.gauge.learn(self._size(request), response.usage.input_tokens)
        return response

    async def _fitting(self, request: ModelRequest) -> list[Message]:
        system, said = _parts(request.messages)
        shown = self.state.applied(said)
        messages = request.messages if shown is said else [*system, *shown]
        window = self._window()
        if not window or self.choice.strategy == "none":
            return messages
        request.messages = messages
        tokens = self.state.gauge.tokens(self._size(request))
        if tokens <= self.choice.threshold * window:
            return messages
        return await self._compacted(request, said, self.choice.target * window)

    async def _after(
        self, error: ProviderError, request: ModelRequest, whole: list[Message]
    ) -> list[Message]:
        """The messages of the second attempt, one pass smaller."""
        state, choice = self.state, self.choice
        size = self._size(request)
        state.gauge.learn(size, _number(error, "tokens"))
        if told := _number(error, "max_context_tokens"):
            state.windows[self.target.full_name] = told
        if choice.strategy == "none" or self.ctx.account.before_request() is not None:
            raise self._overflow(error, request) from error
        tokens = state.gauge.tokens(size)
        # Whatever was guessed, it was too much: less than what was sent, by the same share.
        goal = min(tokens, self._window() or tokens) * choice.target / choice.threshold
        before = request.messages
        messages = await self._compacted(request, _parts(whole)[1], goal)
        if messages is before:
            raise self._overflow(error, request) from error
        self.ctx.account.charge_request()
        return messages

    async def _compacted(
        self, request: ModelRequest, said: list[Message], goal: float
    ) -> list[Message]:
        """One pass down to `goal` tokens; the very same list when nothing could be done."""
        state, choice = self.state, self.choice
        messages = request.messages
        system, shown = _parts(messages)
        size = self._size(request)
        sizes = self._sizes[len(system) :]
        around = size - sum(sizes)
        given, gap, steps = shown, state.gap, []
        if state.mark is not None:
            rows = [row for row in zip(shown, sizes, strict=True) if row[0] is not state.mark]
            given, sizes = [one for one, _ in rows], [one for _, one in rows]
        if callable(choice.strategy):
            given, gap, steps = await self._custom(choice.strategy, shown), None, [CUSTOM]
            sizes = sizes_of(given)
        most = state.gauge.size(goal) - around
        work = Compaction(given, sizes, gap, most, choice.keep_turns, steps)
        if not callable(choice.strategy):
            await self._steps(work)
        if not work.done:
            work.drop_turns()
        if not work.steps:
            return messages
        kept, mark = work.result()
        state.gap = work.gap
        state.keep(said, kept, mark)
        made = [*system, *kept]
        request.messages = made
        tokens = state.gauge.tokens(size), state.gauge.tokens(self._size(request))
        counts = len(messages), len(made)
        compacted(self.ctx, self.name, self.id, tokens=tokens, messages=counts, steps=work.steps)
        return made

    async def _steps(self, work: Compaction) -> None:
        for step in (work.shorten_results, work.drop_reasoning):
            if not work.done:
                step()
        if work.done or self.choice.strategy != SUMMARIZE:
            return
        if old := work.to_summarize():
            before = work.gap.summary if work.gap else ""
            work.summarized(await self.summarizer.of(old, before))

    async def _custom(self, strategy: object, shown: list[Message]) -> list[Message]:
        given = messages_from(await call(strategy, messages_data(shown)), "context.strategy")
        return shown if given is None else repaired(given)

    def _size(self, request: ModelRequest) -> int:
        """The bytes of a request; only what is new since the last time is looked at."""
        messages, count = request.messages, len(self._sizes)
        if not count or len(messages) < count or messages[count - 1] is not self._last:
            count, self._sizes, self._whole = 0, [], size_of_tools(request.tools)
        fresh = sizes_of(messages[count:])
        self._sizes += fresh
        self._whole += sum(fresh)
        self._last = messages[-1] if messages else None
        return self._whole

    def _window(self) -> int:
        """Tokens that the model takes; 0 when nobody knows."""
        target, told = self.target, 0
        if not self._known:
            self._known = target.provider.capabilities(target.model).max_context_tokens
        if self.state.windows:
            told = self.state.windows.get(target.full_name, 0)
        return min(self._known, told) if self._known and told else self._known or told

    def _overflow(self, error: ProviderError, request: ModelRequest) -> AgentError:
        tokens = _number(error, "tokens") or self.state.gauge.tokens(self._size(request))
        window = self._window()
        details = {
            "model": self.target.full_name,
            "tokens": tokens,
            "max_context_tokens": window or None,
            "messages": len(request.messages),
            "tools": len(request.tools),
            "system_tokens": self.state.gauge.tokens(
                sum(size_of(one) for one in request.messages if one.role == "system")
            ),
            "tool_tokens": self.state.gauge.tokens(size_of_tools(request.tools)),
            "error": error.to_dict(),
        }
        most = f" of {window}" if window else ""
        return AgentError(
            f"the conversation of {self.name} does not fit {self.target.full_name}: about "
            f"{tokens}{most} tokens in {len(request.messages)} messages",
            code="agent.context_overflow",
            hint="a model with a larger window, a shorter system prompt, input or tool result, "
            "fewer tools, or a smaller context.keep_turns",
            details={key: value for key, value in details.items() if value is not None},
        )


def _parts(messages: list[Message]) -> tuple[list[Message], list[Message]]:
    """(the system texts at the beginning, everything after them)."""
    count = 0
    while count < len(messages) and messages[count].role == "system":
        count += 1
    return messages[:count], messages[count:]


def _number(error: ProviderError, name: str) -> int:
    value = error.details.get(name)
    return value if isinstance(value, int) else 0
