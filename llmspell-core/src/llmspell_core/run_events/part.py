"""`RunEvents`: one agent's part in the event stream of its run, one method for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmspell_core.messages import AgentOutput, ToolCall, Usage
    from llmspell_core.run_events.event import RunEventType
    from llmspell_core.run_events.stream import RunEventStream


class RunEvents:
    """What an agent tells of itself; a context has it as `run_events` while somebody listens.

    All methods but `room` answer at once, may be called from any thread and never raise.
    """

    __slots__ = ("_begun", "agent_path", "call_id", "depth", "request", "stream", "tool")

    def __init__(
        self, stream: RunEventStream, agent_path: str = "", depth: int = 0, request: int = 0
    ) -> None:
        self.stream = stream
        self.agent_path = agent_path
        #: How many tools it runs inside of.
        self.depth = depth
        #: The model request under way, or the last one.
        self.request = request
        #: The tool call it tells of, where it was made for one.
        self.call_id: str | None = None
        self.tool: str | None = None
        #: How many calls of this answer have begun.
        self._begun = 0

    # -- places --------------------------------------------------------------------------------

    def run_of(self, name: str) -> RunEvents | None:
        """The part of an agent whose run begins here; None when nobody hears that."""
        if not self.agent_path:
            return self._part(name, 0)
        return self._part(f"{self.agent_path}/{name}", self.depth + 1) if self.stream.deep else None

    def leg_of(self, name: str) -> RunEvents:
        """The part of an agent that takes over the run of this one."""
        return self._part(f"{self.agent_path}/{name}", self.depth)

    def again(self) -> RunEvents:
        """The part of the same agent when control comes back to it: the same path, counted."""
        above, slash, name = self.agent_path.rpartition("/")
        return self._part(f"{above}{slash}{name.partition('#')[0]}", self.depth)

    def inside(self, tool: str, call_id: str | None = None) -> RunEvents | None:
        """The part of what runs inside of a tool call; None when nobody hears that."""
        if not self.stream.deep:
            return None
        made = RunEvents(self.stream, self.agent_path, self.depth + 1, self.request)
        made.tool, made.call_id = tool, call_id
        return made

    def _part(self, path: str, depth: int) -> RunEvents:
        return RunEvents(self.stream, self.stream.place(path), depth, self.request)

    # -- the run -------------------------------------------------------------------------------

    def run_started(self) -> None:
        """The run begins."""
        self._tell("run.started")

    def run_completed(self, output: AgentOutput) -> None:
        """It has given its output."""
        self._tell("run.completed", output=output, request=self.stream.answer or None)

    def run_failed(self, error: dict[str, Any], cause: Exception | None = None) -> None:
        """It has failed; `error` as `error_data` gives it, `cause` what was raised."""
        self._tell("run.failed", error=error, cause=cause)

    def run_cancelled(self, reason: str = "") -> None:
        """It was cancelled."""
        self._tell("run.cancelled", reason=reason or None)

    def run_paused(self, output: AgentOutput) -> None:
        """It waits, for approvals as a rule; `output` says for what."""
        self._tell("run.paused", output=output)

    # -- the model's answer --------------------------------------------------------------------

    @property
    def crowded(self) -> bool:
        """Whether whoever reads lags behind, so that `room` waits."""
        return self.stream.listener.crowded

    async def room(self) -> None:
        """Wait until whoever reads has caught up."""
        await self.stream.listener.room()

    def request_started(self) -> None:
        """A model request begins, or begins anew: the deltas that follow are of this one."""
        self.request = self.stream.next_request()
        self._begun = 0

    def text(self, text: str) -> None:
        """A piece of the answer's text."""
        self._tell("text.delta", text=text, request=self.request)

    def answered(self) -> None:
        """The text of this request is the answer, until another one has a text too."""
        if not self.depth:
            self.stream.answer = self.request

    def reasoning(self, text: str) -> None:
        """A piece of what the model thinks."""
        self._tell("reasoning.delta", text=text, request=self.request)

    def tool_call_started(self, index: int, tool: str, call_id: str | None = None) -> None:
        """The model begins its call number `index` of this answer."""
        self._begun = max(self._begun, index + 1)
        self._tell(
            "tool_call.started",
            index=index,
            tool=tool,
            call_id=call_id or None,
            request=self.request,
        )

    def tool_call_delta(self, index: int, text: str) -> None:
        """A piece of the arguments of call number `index`, JSON text."""
        self._tell("tool_call.delta", index=index, text=text, request=self.request)

    def tool_call_ready(self, index: int, call: ToolCall) -> None:
        """The model has made this call; that it has begun it is told first where it was not."""
        if index >= self._begun:
            self.tool_call_started(index, call.name, call.id)
        self._tell(
            "tool_call.ready",
            index=index,
            tool=call.name,
            call_id=call.id,
            tool_call=call.model_copy(),
            request=self.request,
        )

    def usage(self, usage: Usage) -> None:
        """What the request has taken."""
        self._tell("usage", usage=usage, request=self.request)

    def output_partial(self, value: Any) -> None:
        """As much of the structured answer as is there: always a valid JSON value."""
        self._tell("output.partial", value=value, request=self.request)

    # -- tools ---------------------------------------------------------------------------------

    def tool_started(self, call: ToolCall) -> None:
        """A tool that the model called begins."""
        self._tell("tool.started", tool=call.name, call_id=call.id)

    def tool_progress(self, done: float, total: float, note: str, tool: str) -> None:
        """How far a tool has come."""
        self._tell(
            "tool.progress",
            tool=self.tool or tool,
            call_id=self.call_id,
            done=done,
            total=total,
            text=note or None,
        )

    def tool_ended(self, call: ToolCall, text: str) -> None:
        """The call has its result, or its error; `text` is what the model is told."""
        self._tell(
            "tool.failed" if call.error else "tool.completed",
            tool=call.name,
            call_id=call.id,
            tool_call=call.model_copy(),
            text=text,
            error=call.error,
        )

    def approval_requested(
        self,
        tool: str,
        arguments: dict[str, Any],
        call_id: str | None = None,
        reason: str = "",
    ) -> None:
        """Somebody is asked whether the tool may run with these arguments."""
        self._tell(
            "approval.requested",
            tool=tool,
            call_id=call_id,
            value=arguments,
            reason=reason or None,
        )

    # -- what happens to the run ---------------------------------------------------------------

    def handoff(self, target: str, reason: str = "") -> None:
        """Control goes to another agent, whose text the answer will be, even when it has none."""
        if not self.depth:
            self.stream.answer = 0
        self._tell("handoff", target=target, reason=reason or None)

    def compacted(self, strategy: str, **counts: tuple[int, int]) -> None:
        """The view of the conversation was made smaller.

        Args:
            strategy: what was done, such as summarize
            counts: what it was and is now, such as ``messages=(40, 12), tokens=(9000, 3100)``
        """
        details = {name: {"before": one[0], "after": one[1]} for name, one in counts.items()}
        self._tell("compacted", reason=strategy, details=details)

    def retry(self, attempt: int, delay_ms: float, error: dict[str, Any], model: str = "") -> None:
        """Attempt number `attempt` of a request has failed; another follows after `delay_ms`."""
        self._tell("retry", attempt=attempt, delay_ms=delay_ms, error=error, model=model or None)

    def fallback(
        self, model: str, to: str, error: dict[str, Any], *, restarted: bool = False
    ) -> None:
        """A model has failed and another one is asked; `restarted`: in the middle of its answer.

        What it had answered is void then, and what follows counts as another request.
        """
        void = self.request
        if restarted:
            self.request_started()
        self._tell(
            "fallback", model=model, to=to, error=error, restarted=restarted, request=void or None
        )

    def _tell(self, type_: RunEventType, **fields: Any) -> None:
        self.stream.emit(type_, self.agent_path, self.depth, **fields)
