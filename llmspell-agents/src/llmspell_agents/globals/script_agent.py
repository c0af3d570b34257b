"""`ScriptAgent`: an agent in a script's hands."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from llmspell_agents.agent import Agent
from llmspell_agents.config import AgentConfig
from llmspell_agents.conversation import spoken
from llmspell_agents.globals.agent_life import AgentLife
from llmspell_agents.globals.stream import ScriptStream
from llmspell_agents.globals.tool_naming import ToolNaming
from llmspell_agents.restraints import restrained
from llmspell_core.adapters import ComponentTool
from llmspell_core.agent import Agent as CoreAgent
from llmspell_core.errors import AgentError, ValidationError
from llmspell_core.messages import AgentOutput, session_id
from llmspell_core.schema import describe
from llmspell_core.script.api import Result, ScriptFunction, ScriptObject, script_method
from llmspell_core.tool import ToolResult

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.tool import Tool


class ScriptAgent(AgentLife):
    """An agent: asks its model, which may use the agent's tools."""

    type_name: ClassVar[str] = "agent"

    def __init__(self, agent: CoreAgent, ctx: ExecutionContext) -> None:
        #: Read by whatever takes an agent as an argument.
        self.component = agent
        self._session_ctx = ctx

    def script_fields(self) -> dict[str, Any]:
        agent = self.component
        return {
            "id": agent.id,
            "name": agent.name,
            "type": self.type_name,
            "description": agent.description,
        }

    # -- asking ------------------------------------------------------------------------------

    @script_method
    async def execute(self, input: Any = None) -> AgentOutput:
        """Answer an input; the conversation is neither read nor written.

        Args:
            input: a text, or {text, instruction, session, attachments, variables, ...}
        """
        return await self.component.execute(input, self._ctx)

    @script_method
    async def chat(self, text: Any) -> str:
        """Say something in the agent's conversation and get the answer; one turn at a time.

        Args:
            text: what to say
        """
        return await self._own().chat(text, self._ctx)

    @script_method
    async def complete(self, text: Any) -> str:
        """Answer an input, for the text alone.

        Args:
            text: the input
        """
        return spoken(await self.component.execute(text, self._ctx))

    @script_method(aliases=("invoke_stream",))
    async def stream(self, input: Any, callback: ScriptFunction | None = None) -> Any:
        """Answer in chunks: to a function, which gives the output in the end, or to a loop.

        Args:
            input: as of execute
            callback: called with each chunk; without it the result is to be looped over
        """
        if callback is None:
            return ScriptStream(self.component.name, self.component.stream(input, self._ctx))
        output: AgentOutput | None = None
        async for chunk in self.component.stream(input, self._ctx):
            output = chunk.output or output
            await callback(chunk)
        return output

    @script_method
    async def handoff_to(self, agent: Any, input: Any = None, reason: str = "") -> AgentOutput:
        """Hand the conversation over to another agent, which answers this and the next turns.

        Args:
            agent: the agent that takes over, or its name
            input: what it shall answer; left out, what the user said last
            reason: why
        """
        return await self._own().handoff_to(agent, input, reason, self._ctx)

    @script_method
    async def reset(self, session: Any = None) -> None:
        """Forget the conversation: of the current session, else the agent's own.

        Args:
            session: a session, or its id, instead
        """
        await self._own().talks.reset(_session(session), self._ctx)

    @script_method
    async def history(self, session: Any = None) -> list[Any]:
        """The messages of the conversation, as {role, content, tool_calls}.

        It is that of the current session, else the agent's own.

        Args:
            session: a session, or its id, instead
        """
        from llmspell_agents.conversation import message_data

        found = await self._own().talks.history(_session(session), self._ctx)
        return [Result(message_data(message)) for message in found]

    # -- tools -------------------------------------------------------------------------------

    @script_method
    async def add_tool(self, tool: Any) -> str:
        """Give the agent another tool; returns its name.

        Args:
            tool: a name, a tool, an agent, a workflow, or {name, description, parameters, execute}
        """
        return (await self._own().add_tool(tool, self._ctx)).name

    @script_method
    async def remove_tool(self, name: str) -> bool:
        """Take a tool away; whether it was there.

        Args:
            name: the tool's name
        """
        await self._ready()
        return self.component.tools.remove(name)

    @script_method
    async def list_tools(self) -> list[str]:
        """The names of its tools."""
        await self._ready()
        return self.component.tools.names()

    @script_method
    async def has_tool(self, name: str) -> bool:
        """Whether it has this tool.

        Args:
            name: the tool's name
        """
        await self._ready()
        return name in self.component.tools

    @script_method
    async def invoke_tool(self, name: str, params: dict[str, Any] | None = None) -> ToolResult:
        """Call one of its tools.

        Args:
            name: the tool's name
            params: the tool's parameters
        """
        await self._ready()
        agent = self.component
        security = getattr(getattr(agent, "config", None), "security", None)
        ctx = restrained(self._ctx, security, agent.name)
        return await agent.tools.execute(name, params or {}, ctx)

    @script_method
    async def discover_tools(self, query: str | None = None) -> list[Any]:
        """The tools it could be given, as {name, description, category}.

        Args:
            query: words to look for
        """
        registry = self._ctx.overlay.tools
        found = registry.search(query) if query else registry.entries()
        return [
            Result({"name": one.name, "description": one.summary, "category": one.category})
            for one in found
        ]

    @script_method
    async def get_tool_metadata(self, name: str) -> Any:
        """What one of its tools is: {name, description, category, version, schema}.

        Args:
            name: the tool's name
        """
        await self._ready()
        tool: Tool = self.component.tools.get(name)
        return Result(
            {
                "name": tool.name,
                "description": tool.description,
                "category": tool.category,
                "version": tool.version,
                "security_level": tool.security_level,
                "schema": tool.schema(),
            }
        )

    @script_method
    def as_tool(self, config: ToolNaming | None = None) -> Any:
        """The agent as a tool, to be given to other agents.

        Args:
            config: {name, description} of the tool
        """
        return ScriptComponentTool((config or ToolNaming()).tool_of(self.component))

    # -- what it is and does -----------------------------------------------------------------

    @script_method
    def get_config(self) -> Any:
        """Its configuration, keys masked."""
        agent = self._own()
        return Result({**agent.config.masked(), "name": agent.name})

    @script_method
    def update_config(self, changes: dict[str, Any]) -> None:
        """Change fields of its configuration, for the runs that start from now on.

        Args:
            changes: fields of Agent.new
        """
        self._own().update_config(changes)

    @script_method
    def get_metrics(self) -> Any:
        """What it has done: requests, tool calls, tokens, cost, average time.

        `tools_abandoned` are tools that went on though their runs had ended.
        """
        agent = self._own()
        abandoned = self._ctx.runtime.abandoned.below(agent.id)
        return Result({**agent.metrics.as_dict(agent.id), "tools_abandoned": abandoned})

    @script_method
    def get_health(self) -> Any:
        """{status, message, timestamp}: `degraded` when the last run failed, else `healthy`.

        Of an agent that is paused, stopped, ... the status is that.
        """
        error, state = self._own().metrics.last_error, self.life_state()
        moment = datetime.fromtimestamp(time.time(), UTC).isoformat()
        status = state if state != "ready" else "degraded" if error else "healthy"
        message = str(error["message"]) if error else "no failed run"
        return Result({"status": status, "message": message, "timestamp": moment})

    @script_method
    def is_healthy(self) -> bool:
        """Whether it takes runs, and its last run did not fail."""
        return self.life_state() == "ready" and self._own().metrics.last_error is None

    @script_method
    def get_last_error(self) -> Any:
        """The error of the last run that failed, or nil."""
        error = self._own().metrics.last_error
        return Result(error) if error else None

    # -- hooks, events -----------------------------------------------------------------------

    @script_method
    def add_hook(self, point: str, handler: ScriptFunction) -> None:
        """Run a hook around this agent and what it calls.

        Args:
            point: a hook point, such as before_llm_call
            handler: a function of the hook's context
        """
        self._own().add_hook(point, handler)

    @script_method
    def on(self, event: str, handler: ScriptFunction) -> None:
        """Call a function with the events of this agent.

        Args:
            event: an event type or a pattern, such as llm.*
            handler: a function of the event
        """
        self._own().on(event, handler)

    def _own(self) -> Agent:
        if isinstance(self.component, Agent):
            return self.component
        raise AgentError(
            f"agent {self.component.name} is of a kind that only executes and streams",
            code="agent.unsupported",
            hint="use execute, complete, stream or its tools",
        )

    async def _ready(self) -> None:
        if isinstance(self.component, Agent):
            await self.component.prepare(self._ctx)


class ScriptComponentTool(ScriptObject):
    """An agent or a workflow as a tool."""

    type_name: ClassVar[str] = "component_tool"

    def __init__(self, tool: ComponentTool) -> None:
        self.component = tool

    def script_fields(self) -> dict[str, Any]:
        tool = self.component
        return {
            "id": tool.id,
            "name": tool.name,
            "type": "tool",
            "description": tool.description,
        }


def agent_summary(agent: CoreAgent, ctx: ExecutionContext) -> Result:
    """What lists of agents show: {name, type, model, state}."""
    config: AgentConfig | None = getattr(agent, "config", None)
    model = config.model.id if isinstance(config, AgentConfig) and config.model else None
    metrics = agent.metrics if isinstance(agent, Agent) else None
    state: str = agent.life(ctx).state if isinstance(agent, Agent) else "ready"
    if state == "ready" and metrics and metrics.requests_active:
        state = "running"
    code = isinstance(config, AgentConfig) and config.execute is not None
    return Result(
        {
            "name": agent.name,
            "type": "function" if code else "llm" if isinstance(agent, Agent) else "plugin",
            "model": model or "",
            "state": state,
        }
    )


def _session(given: Any) -> str | None:
    found = session_id(given)
    if found is not None and not isinstance(found, str):
        raise ValidationError(f"session must be a session or its id, not {describe(given)}")
    return found
