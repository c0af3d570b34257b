"""The global `Agent`: make agents, find them, and use them as tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from llmspell_agents.config import AgentConfig
from llmspell_agents.factory import create_agent
from llmspell_agents.globals.script_agent import ScriptAgent, ScriptComponentTool, agent_summary
from llmspell_agents.globals.stream import ScriptStream
from llmspell_core.adapters import ComponentTool
from llmspell_core.errors import LLMSpellError, ValidationError, did_you_mean
from llmspell_core.script.api import Builder, Result, ScriptGlobal, ScriptObject, script_method

_REQUIRED: dict[str, list[str]] = {"llm": [], "code": ["execute"]}
_ABOUT = {
    "llm": "A model with a system prompt and tools.",
    "code": "A function of the script instead of a model; it may hand off to other agents.",
}


class AgentGlobal(ScriptGlobal):
    """Agents: models with a prompt and tools, or functions, that answer inputs."""

    name: ClassVar[str] = "Agent"
    call: ClassVar[str | None] = "new"
    objects: ClassVar[tuple[type[ScriptObject], ...]] = (
        ScriptAgent,
        ScriptStream,
        ScriptComponentTool,
    )
    builders: ClassVar[Mapping[str, Builder]] = {
        "builder": Builder(
            build="new",
            config=AgentConfig,
            extra={
                "tool": ("append", "tools"),
                "allow_tool": ("append", "tools"),
                "allowed_tools": ("set", "tools"),
                "hook": ("put", "hooks"),
                "on_event": ("put", "on_event"),
            },
        )
    }

    @script_method(aliases=("create", "create_async"))
    async def new(self, config: AgentConfig, more: AgentConfig | None = None) -> ScriptAgent:
        """Make an agent. A named one is found by its name in this run.

        Args:
            config: the fields of the agent, its system prompt alone, or its name before `more`
            more: the fields, after a name
        """
        return ScriptAgent(await create_agent(_named(config, more), self.ctx), self.ctx)

    @script_method(guest=True)
    def builder(self) -> Any:
        """Collect the fields of an agent: a setter for each, then build()."""

    @script_method
    async def get(self, name: str) -> ScriptAgent:
        """The agent of this name.

        Args:
            name: the name it was made or registered with
        """
        return ScriptAgent(self.ctx.overlay.agents.get(name), self.ctx)

    @script_method
    async def list_(self) -> list[Any]:
        """All named agents, as {name, type, model, state}."""
        return [self._summary(name) for name in self.ctx.overlay.agents.names()]

    @script_method
    async def list_instances(self) -> list[str]:
        """The names of all named agents."""
        return self.ctx.overlay.agents.names()

    @script_method
    async def register(self, config: AgentConfig) -> str:
        """Make a named agent for later look-ups; returns its name.

        Args:
            config: the fields of the agent, `name` among them
        """
        if not config.name:
            raise ValidationError("Agent.register: name is required")
        return (await create_agent(config, self.ctx)).name

    @script_method
    async def unregister(self, name: str) -> bool:
        """Forget a named agent of this run; whether it was there.

        Args:
            name: the agent's name
        """
        return self.ctx.overlay.agents.remove(name)

    @script_method
    async def get_info(self, type: str) -> Any:
        """What a type of agent is made of.

        Args:
            type: llm or code
        """
        if type not in _ABOUT:
            raise ValidationError(
                f'unknown agent type "{type}"',
                hint=did_you_mean(type, list(_ABOUT)) or f"one of {', '.join(_ABOUT)}",
            )
        required = _REQUIRED[type]
        return Result(
            {
                "name": type,
                "description": _ABOUT[type],
                "category": "agent",
                "complexity": "simple",
                "required_parameters": required,
                "optional_parameters": [
                    name for name in AgentConfig.model_fields if name not in required
                ],
            }
        )

    @script_method
    async def wrap_as_tool(self, agent: Any, config: dict[str, Any] | None = None) -> str:
        """Register an agent as a tool; returns the tool's name.

        Args:
            agent: an agent, or the name of one
            config: {tool_name, description}
        """
        given = config or {}
        found = self.ctx.overlay.agents.get(agent) if isinstance(agent, str) else agent.component
        name = given.get("tool_name") or given.get("toolName") or given.get("name")
        tool = ComponentTool(found, name, given.get("description"))
        self.ctx.overlay.tools.register(tool.name, tool, source="script", replace=True)
        return tool.name

    def _summary(self, name: str) -> Result:
        try:
            return agent_summary(self.ctx.overlay.agents.get(name))
        except LLMSpellError as error:
            # One wrong table of the configuration must not hide the other agents.
            return Result({"name": name, "type": "", "model": "", "state": f"broken: {error}"})


def _named(config: AgentConfig, more: AgentConfig | None) -> AgentConfig:
    """``new(name, cfg)``: the first argument was read as a system prompt."""
    if more is None:
        return config
    name = config.system_prompt
    if not isinstance(name, str) or config.model_fields_set != {"system_prompt"}:
        raise ValidationError("Agent.new takes a name and a table, or one table")
    return more.model_copy(update={"name": name})
