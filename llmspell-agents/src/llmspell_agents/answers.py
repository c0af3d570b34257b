"""What an answer of an agent has to be in one run: by its own config, or by who asked first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_agents.answering import Answering
from llmspell_agents.output_modes import choose_mode
from llmspell_agents.structured import AnswerSchema
from llmspell_core.errors import AgentError
from llmspell_core.schema import mistakes_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmspell_agents.agent import Agent
    from llmspell_agents.chain import Chain
    from llmspell_agents.targets import Target
    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import AgentOutput


def answering_of(agent: Agent, chain: Chain, ctx: ExecutionContext) -> Answering | None:
    """What reads and judges the answers of a run; None where any answer will do.

    Whoever asked the first agent for data gets it from the one that answers, unless that one
    has a schema of its own.
    """
    config = agent.config
    targets = agent.targets[ctx.runtime]
    schema = own_schema(agent, targets)
    asked = chain.schema if schema is None else None
    validators: list[Callable[..., Any]] = []
    if config.output_validator is not None:
        validators.append(config.output_validator)
    if schema is None and chain.validator not in (None, config.output_validator):
        validators.append(chain.validator)
    if schema is None and asked:
        schema = AnswerSchema.of(asked, choose_mode(config.output_mode, targets, agent.name))
    if schema is None and not validators:
        return None
    return Answering(
        agent.name,
        schema,
        validators,
        config.output_retries,
        config.end_strategy,
        ctx,
        instruction=schema.instruction(known=targets[0].provider.local) if schema else "",
    )


def own_schema(agent: Agent, targets: list[Target]) -> AnswerSchema | None:
    """The schema of an agent's own config, in the mode that its models have.

    Raises `input.invalid` for a wrong schema, `agent.output_mode`.
    """
    given, made = agent.config.response_format, agent.answers
    if not given:
        return None
    mode = choose_mode(agent.config.output_mode, targets, agent.name)
    if mode not in made:
        made[mode] = AnswerSchema.of(given, mode)
    return made[mode]


def check_code_answer(output: AgentOutput, schema: dict[str, Any] | None, name: str) -> AgentOutput:
    """The output of an agent made of code with its `data` held to a schema, where one is asked for.

    Raises `agent.output_invalid`: code is not asked again.
    """
    if not schema or output.handoff_request is not None or not output.success:
        return output
    wanted = AnswerSchema.of(schema, "prompted")
    if output.data is not None:
        value, mistakes = wanted.check(output.data)
    else:
        value, mistakes = wanted.read(output.text)
    if mistakes:
        raise AgentError(
            f"the answer of {name} does not fit response_format: {mistakes_text(mistakes)}",
            code="agent.output_invalid",
            hint="it is an agent made of code: let its function return data that fits",
            details={"text": output.text, "errors": mistakes},
        )
    output.data = value
    return output
