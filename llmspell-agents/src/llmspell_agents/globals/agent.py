"""The global `Agent`: make agents, find them, and use them as tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from llmspell_agents.batch import BatchOptions, run_batch
from llmspell_agents.composites.composite import create_composite
from llmspell_agents.composites.config import CompositeConfig
from llmspell_agents.config import AgentConfig
from llmspell_agents.contexts import contexts_of
from llmspell_agents.discovery import known_agents
from llmspell_agents.factory import create_agent, discover_agents, register_template
from llmspell_agents.files.loading import find_template
from llmspell_agents.globals.run_handle import ScriptRun, ScriptRunEvents
from llmspell_agents.globals.script_agent import ScriptAgent, ScriptComponentTool, agent_summary
from llmspell_agents.globals.stream import ScriptStream
from llmspell_agents.globals.tool_naming import ToolNaming
from llmspell_agents.shutdown import shut_down
from llmspell_agents.templates.model import AgentTemplate
from llmspell_agents.templates.template import Template, all_templates
from llmspell_core.adapters import component_of
from llmspell_core.agent import Agent as CoreAgent
from llmspell_core.errors import LLMSpellError, NotFoundError, ValidationError, did_you_mean
from llmspell_core.extensions import BUILT_IN
from llmspell_core.messages import AgentOutput
from llmspell_core.schema import describe
from llmspell_core.script.api import Builder, Result, ScriptGlobal, ScriptObject, script_method
from llmspell_core.script.model import Also

_REQUIRED: dict[str, list[str]] = {"llm": [], "function": ["execute"]}
_ABOUT = {
    "llm": "A model with a system prompt and tools.",
    "function": "A function of the script instead of a model; it may hand off to other agents.",
}


class AgentBatch(BatchOptions):
    """How a batch is run, and by whom."""

    agent: Any = Field(description="the agent, or its name")


class AgentGlobal(ScriptGlobal):
    """Agents: models with a prompt and tools, or functions, that answer inputs."""

    name: ClassVar[str] = "Agent"
    call: ClassVar[str | None] = "new"
    objects: ClassVar[tuple[type[ScriptObject], ...]] = (
        ScriptAgent,
        ScriptStream,
        ScriptRun,
        ScriptRunEvents,
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
        """All named agents but the built-in ones, as {name, type, model, state}."""
        return [self._summary(name) for name in self._names()]

    @script_method
    async def list_instances(self) -> list[str]:
        """The names of all named agents but the built-in ones."""
        return self._names()

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
        agents = self.ctx.overlay.agents
        found = agents.find(name)
        if found is not None:
            await shut_down(found, self.ctx)
        return agents.remove(name)

    # -- templates ---------------------------------------------------------------------------

    @script_method
    async def list_templates(self) -> list[Any]:
        """What agents can be made from, the built-in agents among them, as of get_info."""
        return [_template_row(one) for one in all_templates(self.ctx.overlay.templates)]

    @script_method
    async def get_info(self, type: str) -> Any:
        """What a template, or a type of agent, is and asks for.

        Args:
            type: a template's name, llm, or function
        """
        if type not in _ABOUT:
            return _template_row(self._template(type))
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
    async def create_from_template(
        self, name: str, template: str, params: dict[str, Any] | None = None
    ) -> ScriptAgent:
        """Make a named agent from a template.

        Args:
            name: how the agent is found
            template: the template's name
            params: values of its parameters, and fields of the agent
        """
        fields = self._template(template).split(params or {})
        return ScriptAgent(await create_agent({**fields, "name": name}, self.ctx), self.ctx)

    @script_method
    async def from_file(self, path: str, params: dict[str, Any] | None = None) -> ScriptAgent:
        """Make the agent of a file: `*.agent.yaml`, `.toml`, `.json` or `.md`.

        Args:
            path: the file; it is read through the file gate, and is data and nothing else
            params: values of its parameters, and fields of the agent
        """
        template = await find_template(path, self.ctx)
        fields = {"name": template.name, **template.split(params or {}), "extends": path}
        return ScriptAgent(await create_agent(fields, self.ctx), self.ctx)

    @script_method
    async def register_template(self, name: str, template: AgentTemplate) -> str:
        """Declare a template for this run, mostly one that `extends` another; returns its name.

        Args:
            name: how it is found; one of this name is extended by `extends` of the same name
            template: the fields of its agents, its parameters, and what it changes
        """
        await register_template(name, template, self.ctx)
        return name

    @script_method
    async def unregister_template(self, name: str) -> bool:
        """Forget a template of this run; whether it was there.

        Args:
            name: the template's name
        """
        return self.ctx.overlay.templates.remove(name)

    @script_method
    async def batch(self, inputs: list[Any], options: AgentBatch) -> list[AgentOutput]:
        """Answer many inputs by one agent, some at a time; the outputs stand in their order.

        Args:
            inputs: each as of execute
            options: {agent, concurrency, on_error, limits}
        """
        agent = options.agent
        found = component_of(agent)
        if not isinstance(found, CoreAgent):
            found = self.ctx.overlay.agents.get(agent)
        return await run_batch(found, inputs, options, self.ctx)

    # -- as tools ----------------------------------------------------------------------------

    @script_method
    async def wrap_as_tool(self, agent: Any, config: ToolNaming | None = None) -> str:
        """Register an agent as a tool; returns the tool's name.

        Args:
            agent: an agent, or the name of one
            config: {tool_name, description}
        """
        found = self.ctx.overlay.agents.get(agent) if isinstance(agent, str) else agent
        component = component_of(found)
        if component is None:
            raise ValidationError(
                f"Agent.wrap_as_tool: agent must be an agent or its name, not {describe(agent)}"
            )
        tool = (config or ToolNaming()).tool_of(component)
        self.ctx.overlay.tools.register(tool.name, tool, source="script", replace=True)
        return tool.name

    # -- made of agents, and found ---------------------------------------------------------

    @script_method
    async def create_composite(
        self,
        name: str,
        agents: list[Any],
        config: Annotated[CompositeConfig | None, Also("string")] = None,
    ) -> ScriptAgent:
        """Make a named agent of agents.

        Args:
            name: how it is found
            agents: agents, or names of agents
            config: {strategy, ...}, or the name of a strategy: sequential, parallel,
                hierarchical, consensus or dynamic
        """
        made = create_composite(
            name, agents, config or CompositeConfig.model_validate({}), self.ctx
        )
        return ScriptAgent(made, self.ctx)

    @script_method
    async def discover(self, query: str | None = None) -> list[Any]:
        """The agents that are found by name: {name, description, capabilities, tools, built_in}.

        Args:
            query: words that name, description or capabilities must have
        """
        found = await discover_agents(query, ctx=self.ctx)
        return [Result(one, prints="name") for one in found]

    @script_method
    async def discover_by_capability(self, capability: str) -> list[Any]:
        """The agents that name a capability, as `discover` shows them.

        Args:
            capability: such as research
        """
        found = await discover_agents(capability=capability, ctx=self.ctx)
        return [Result(one, prints="name") for one in found]

    @script_method
    async def list_capabilities(self) -> list[str]:
        """All capabilities that agents can be found by."""
        return sorted({one for agent, _ in known_agents(self.ctx) for one in agent.capabilities})

    # -- contexts ----------------------------------------------------------------------------

    @script_method
    async def create_context(self, config: dict[str, Any] | None = None) -> str:
        """Data that agents are shown with what they are asked; the id of the context.

        Each agent has a conversation in each context; both end with the run.

        Args:
            config: {id, data}, and further fields, which are data
        """
        return contexts_of(self.ctx).create(config or {})

    @script_method
    async def create_child_context(self, parent: str, config: dict[str, Any] | None = None) -> str:
        """A context that has the data of another one and its own over it; its id.

        Args:
            parent: the id of the other one
            config: as of create_context
        """
        return contexts_of(self.ctx).create(config or {}, parent)

    @script_method
    async def get_context_data(self, context: str, key: str | None = None) -> Any:
        """The data of a context, its parents' included.

        Args:
            context: its id
            key: one of its keys; all data when left out
        """
        data = contexts_of(self.ctx).data(context)
        return data if key is None else data.get(key)

    @script_method
    async def update_context(
        self, context: str, data: dict[str, Any] | str, value: Any = None
    ) -> None:
        """Set data of a context; nil takes a key away.

        Args:
            context: its id
            data: the values by key, or one key
            value: the value of that key
        """
        changes = {data: value} if isinstance(data, str) else data
        contexts_of(self.ctx).update(context, changes)

    @script_method
    async def remove_context(self, context: str) -> bool:
        """Forget a context and those made from it; whether it was there.

        Args:
            context: its id
        """
        return contexts_of(self.ctx).remove(context)

    def _template(self, name: str) -> Template:
        try:
            found: Template = self.ctx.overlay.templates.get(name)
        except NotFoundError as error:
            known = [*_ABOUT, *self.ctx.overlay.templates.names()]
            hint = did_you_mean(name, known) or f"one of {', '.join(known)}"
            raise NotFoundError(error.message, code=error.code, hint=hint) from None
        return found

    def _names(self) -> list[str]:
        return [one.name for one in self.ctx.overlay.agents.entries() if one.source not in BUILT_IN]

    def _summary(self, name: str) -> Result:
        try:
            return agent_summary(self.ctx.overlay.agents.get(name), self.ctx)
        except LLMSpellError as error:
            # One wrong table of the configuration must not hide the other agents.
            return Result({"name": name, "type": "", "model": "", "state": f"broken: {error}"})


def _template_row(template: Template) -> Result:
    return Result(template.info(), prints="name")


def _named(config: AgentConfig, more: AgentConfig | None) -> AgentConfig:
    """``new(name, cfg)``: the first argument was read as a system prompt."""
    if more is None:
        return config
    name = config.system_prompt
    if not isinstance(name, str) or config.model_fields_set != {"system_prompt"}:
        raise ValidationError("Agent.new takes a name and a table, or one table")
    return more.model_copy(update={"name": name})
