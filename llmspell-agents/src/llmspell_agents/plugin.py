"""Agents and templates made of data: of `[agents.NAME]`, and of the entry points of plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmspell_agents.templates.template import Template
    from llmspell_core.agent import Agent
    from llmspell_core.overlay import Overlay
    from llmspell_core.registry import Registry


def configured_agent(name: str, fields: dict[str, Any], overlay: Overlay) -> Agent:
    """The agent of a table, whose mistakes name it (entry-point group ``llmspell.configured``)."""
    from llmspell_agents.config import AgentConfig

    template: Template = overlay.templates.get(name)
    return template.agent(AgentConfig.of({"name": name}))


def configured_template(name: str, fields: dict[str, Any], templates: Registry[Any]) -> Template:
    """The same table as a template; it may extend the one of its own name in the layer below."""
    from llmspell_agents.templates.template import make_template, read_template

    own = read_template(f"agent {name}", fields)
    same = own.extends == name and templates.parent is not None
    return make_template(name, own, templates.parent if same and templates.parent else templates)
