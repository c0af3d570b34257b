"""`ExecutionContext`: what a run knows of its surroundings; `ToolContext` adds the gates.

A context is immutable for whoever receives it: `child` makes a changed copy. The current one
is found through a context variable, so that a component called from Python code inside a run
belongs to that run.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from llmspell_core.account import Account
from llmspell_core.errors import PolicyError

T = TypeVar("T")

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from llmspell_core.approval import Approver
    from llmspell_core.component import BaseAgent
    from llmspell_core.config.settings import Settings
    from llmspell_core.events import EventBus
    from llmspell_core.hooks import HookRegistry
    from llmspell_core.journal.recording import Step
    from llmspell_core.messages import AgentOutput
    from llmspell_core.overlay import Overlay
    from llmspell_core.provider import (
        EmbeddingRequest,
        EmbeddingResponse,
        ModelRequest,
        ModelResponse,
    )
    from llmspell_core.run_events import RunEvents
    from llmspell_core.runtime import Runtime
    from llmspell_core.security.env import EnvGate
    from llmspell_core.security.files import FileGate
    from llmspell_core.security.http import HttpGate
    from llmspell_core.security.policy import Policy
    from llmspell_core.security.process import ProcessGate
    from llmspell_core.state import StateView
    from llmspell_core.telemetry import Span
    from llmspell_core.tool import Tool

#: A model request outlasts its run by this.
GRACE_MS = 100

#: Agents as tools of agents as tools: deeper ones no model has under control.
MAX_NESTED = 5

_current: ContextVar[ExecutionContext | None] = ContextVar("llmspell_context", default=None)

#: Of a function that runs in a thread: the loop of the run that it belongs to.
home: ContextVar[AbstractEventLoop] = ContextVar("llmspell_home_loop")

#: Told when this machine begins (1) and stops (-1) to compute for the run: who waits for that
#: does not wait for others.
computing: ContextVar[Callable[[int], None]] = ContextVar("llmspell_computing")


class _ChosenSession:
    """The session that the script has chosen, where the context has none of its own."""

    def __get__(self, ctx: ExecutionContext, owner: object = None) -> str | None:
        return ctx.overlay.session


class ExecutionContext:
    """The surroundings of a run: who runs it, what it may do, how long and at what cost."""

    #: The session that this run belongs to; `child(session_id=...)` sets another one.
    session_id = _ChosenSession()

    def __init__(
        self,
        runtime: Runtime,
        overlay: Overlay,
        policy: Policy,
        *,
        approver: Approver,
        account: Account | None = None,
        state_scope: str = "python",
        language: str = "python",
        session_id: str | None = None,
        correlation_id: str | None = None,
    ) -> None:
        self.runtime = runtime
        self.overlay = overlay
        self.policy = policy
        self.approver = approver
        self.account = account or Account()
        self.state_scope = state_scope
        self.language = language
        if session_id is not None:
            self.__dict__["session_id"] = session_id
        self.correlation_id = correlation_id or uuid.uuid4().hex
        self.run_id = uuid.uuid4().hex
        #: `time.monotonic()` seconds, or None.
        self.deadline: float | None = None
        #: The run's own deadline where `deadline` has a tool's timeout in it: `math.inf` is none.
        self.run_deadline: float | None = None
        #: Names of the components this run is nested in, outermost first.
        self.path: tuple[str, ...] = ()
        #: The ids of the same components.
        self.lineage: tuple[str, ...] = ()
        #: How many agents and workflows, each as a tool of the one before, this run is nested in.
        self.nested = 0
        #: How many there may be.
        self.max_nested = MAX_NESTED
        #: Told what happens in the run, finer than `events`; None: nobody listens.
        self.run_events: RunEvents | None = None
        #: The span that what happens in this run belongs below; None: nothing is traced.
        self.span: Span | None = None
        #: The span that the next run in this context goes on from: of who handed control to it,
        #: or, as a `traceparent`, of the process that the run paused in.
        self.follows: Span | str | None = None
        #: The session that the agent above belongs to.
        self.conversation: str | None = None
        #: The place in a run that is journaled; None: it is not.
        self.step: Step | None = None
        #: Of the agents that this run is nested in: what looks at the tool calls inside of them.
        self.guardrails: tuple[Any, ...] = ()
        #: What the agent above was given for its tools and functions.
        self.deps: Any = None
        self.log: logging.Logger = logging.getLogger("llmspell.run")

    @property
    def settings(self) -> Settings:
        """The runtime's settings, with what this run changed."""
        return self.overlay.settings or self.runtime.settings

    @property
    def hooks(self) -> HookRegistry:
        """The run's hooks over the base ones."""
        return self.overlay.hooks

    @property
    def events(self) -> EventBus:
        """The run's event bus."""
        return self.overlay.events

    @property
    def own_session(self) -> str | None:
        """The session that this run was begun in; None: no matter what its script has chosen."""
        found: str | None = self.__dict__.get("session_id")
        return found

    @property
    def depth(self) -> int:
        """How many components this run is nested in."""
        return len(self.path)

    @property
    def state(self) -> StateView:
        """The state of the current scope, in the configured store."""
        from llmspell_core.state import StateView

        return StateView(self.runtime.store(), self.state_scope, self)

    def child(self, **changes: Any) -> ExecutionContext:
        """A copy with some attributes changed."""
        # What `copy.copy` does, at a third of its cost: every run makes several.
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.__dict__.update(changes)
        return made

    def within(self, timeout_ms: float | None) -> float | None:
        """The deadline of work that may take `timeout_ms` from now; the smaller one wins."""
        if not timeout_ms:
            return self.deadline
        own = time.monotonic() + timeout_ms / 1000
        return own if self.deadline is None else min(own, self.deadline)

    def remaining_ms(self) -> float | None:
        """How long until the deadline, at least 0; None without one."""
        if self.deadline is None:
            return None
        return max(0.0, (self.deadline - time.monotonic()) * 1000)

    def model_timeout_ms(self) -> float:
        """How long a model request may take from now; the run's own deadline wins.

        Where that is the smaller one, the request outlasts it by a little: the run's end is what
        is reported then.
        """
        most = float(self.settings.default.timeout_ms)
        left = self.remaining_ms()
        return most if left is None else min(left + GRACE_MS, most)

    async def run(self, component: BaseAgent, input: Any = None) -> AgentOutput:
        """Run another component inside this run: its account, policy and deadline hold."""
        return await component.execute(input, self)

    async def create(self, kind: str, spec: Any) -> Any:
        """Make an agent, tool or workflow from data, through `llmspell.factories`."""
        return await self.runtime.create(kind, spec, self)

    async def compute(self, function: str, *args: Any, timeout_ms: float = 1000) -> Any:
        """Call an importable function (`pkg.mod:name`) in a killable helper process."""
        from llmspell_core.compute import compute

        return await compute(function, *args, timeout_ms=timeout_ms)

    def for_tool(self, tool: Tool) -> ToolContext:
        """The context that a tool's `run_tool` receives."""
        made = ToolContext.__new__(ToolContext)
        made.__dict__.update(self.__dict__)
        made.tool = tool
        return made


class ToolContext(ExecutionContext):
    """An ExecutionContext plus the gates: a tool reaches the outside only through them."""

    tool: Tool

    @property
    def files(self) -> FileGate:
        """The file gate."""
        return self.policy.files

    @property
    def http(self) -> HttpGate:
        """The network gate for HTTP."""
        return self.policy.http

    @property
    def process(self) -> ProcessGate:
        """The process gate."""
        return self.policy.process

    @property
    def env(self) -> EnvGate:
        """The gate to environment variables."""
        return self.policy.env

    def secret(self, name: str) -> str | None:
        """A secret that the tool declares in its permissions, or None when it is not set."""
        if name not in self.tool.permissions.secrets:
            raise PolicyError(
                f'tool {self.tool.name} does not declare the secret "{name}"',
                code="policy.secret",
                hint="name it in the tool's permissions",
            )
        return self.runtime.secrets.get(name)

    async def model(self, request: ModelRequest | str) -> ModelResponse:
        """Ask the configured model, counted in the caller's budget."""
        return await self.runtime.ask_model(request, self)

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        """Vectors of texts by the configured embedding model, counted in the caller's budget."""
        return await self.runtime.ask_embeddings(request, self)

    def progress(self, done: float, total: float = 0, note: str = "") -> None:
        """Tell how far long work has come."""
        if self.run_events is not None:
            self.run_events.tool_progress(done, total, note, self.tool.name)
        data = {"tool": self.tool.name, "done": done, "total": total, "note": note}
        emit = partial(self.events.emit, "tool.progress", data, correlation_id=self.correlation_id)
        if (loop := home.get(None)) is None:
            emit()
        elif not loop.is_closed():
            # From a thread: subscribers live on the loop.
            loop.call_soon_threadsafe(emit)

    @property
    def cancelled(self) -> bool:
        """Whether the deadline has passed: long loops ask now and then."""
        return self.deadline is not None and time.monotonic() > self.deadline


def current() -> ExecutionContext | None:
    """The context of the run this code belongs to, or None outside of one."""
    return _current.get()


async def in_context(
    ctx: ExecutionContext | None, work: Callable[[ExecutionContext], Awaitable[T]]
) -> T:
    """Do `work` in the context that `context_for` gives, at a quarter of its cost."""
    found = ctx or _current.get()
    if found is None:
        async with context_for(None) as made:
            return await work(made)
    token = _current.set(found)
    try:
        return await work(found)
    finally:
        _current.reset(token)


@asynccontextmanager
async def context_for(ctx: ExecutionContext | None) -> AsyncIterator[ExecutionContext]:
    """The given context, else the current one, else a new one of the default Runtime."""
    found = ctx or _current.get()
    if found is None:
        from llmspell_core.runtime import Runtime

        runtime = await Runtime.default()
        found = runtime.context()
    token = _current.set(found)
    try:
        yield found
    finally:
        _current.reset(token)
