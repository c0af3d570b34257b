"""What an agent may do less than its run: `security`, for itself and for whoever takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_agents.guardrails.scope import Scope
from llmspell_agents.handing import Handing
from llmspell_agents.security_field import Security, layers_of

if TYPE_CHECKING:
    from llmspell_agents.chain import Chain
    from llmspell_agents.conversation import Talk
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext
    from llmspell_core.security.policy import Policy


def narrowed(policy: Policy, security: Security, agent: str) -> Policy:
    """The policy under an agent's `security`: all of its tables hold, and nothing is widened.

    Raises:
        ValidationError: `input.invalid` naming the wrong field.
    """
    for layer in layers_of(security):
        policy = policy.narrow(**layer)
    if security:
        policy.audit.record("profile", agent, "allow", "agent.security")
    return policy


def restrained(ctx: ExecutionContext, security: Security, agent: str) -> ExecutionContext:
    """The run as this agent may use it."""
    return ctx.child(policy=narrowed(ctx.policy, security, agent)) if security else ctx


def passed_on(source: BaseAgent, chain: Chain, ctx: ExecutionContext) -> ExecutionContext:
    """The run for whoever takes over from an agent: what held for it holds on.

    Its `security` narrows what the others may do, its guardrails see what they do.
    """
    config: Any = getattr(source, "config", None)
    ctx = restrained(ctx, getattr(config, "security", None), source.name)
    chain.passed.append(source)
    rules = getattr(config, "guardrails", None)
    if rules is not None and rules.any:
        scope = Scope(source.name, rules)
        chain.scopes.append(scope)
        ctx = ctx.child(guardrails=(*ctx.guardrails, scope))
    return ctx


def held_by(conversation: Talk, agent: BaseAgent, chain: Chain) -> None:
    """Let this agent answer the next turn of a conversation, under what held for it in this one."""
    conversation.holder = agent
    # With the first agent the conversation begins anew.
    others = [] if agent.id == chain.entry.id else chain.passed
    passed = [one.source if isinstance(one, Handing) else one for one in others]
    conversation.passed = [*{one.id: one for one in passed if one.id != agent.id}.values()]
