"""`llmspell chat [PROMPT]`."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.commands.agent import complete_agent
from llmspell_cli.helptext import Command
from llmspell_cli.options import Common, cassette_options, common_of, common_options
from llmspell_cli.signals import run_until_signal

if TYPE_CHECKING:
    from llmspell_core.approval import Approver
    from llmspell_core.messages import AgentOutput


@click.command(
    cls=Command,
    examples=(
        "llmspell chat",
        "llmspell chat --model openai/gpt-4o-mini --agent research",
        "llmspell chat --continue 'And in winter?'",
        "git diff | llmspell chat 'Review this change.'",
    ),
)
@click.argument("prompt", required=False)
@click.option("--model", metavar="NAME", help="The model, as provider/model.")
@click.option(
    "--agent",
    metavar="NAME",
    shell_complete=complete_agent,
    help="Who answers: an agent, a template or an agent file.",
)
@click.option("--continue", "latest", is_flag=True, help="Go on where the last chat ended.")
@click.option("--session", metavar="ID", help="Go on in this session, or begin it.")
@click.option("--approve", multiple=True, metavar="TOOL", help="Approve calls of this tool.")
@click.option("--yes", is_flag=True, help="Approve all calls that would be asked about.")
@cassette_options
@common_options
@click.pass_context
def chat(ctx: click.Context, /, prompt: str | None, **given: Any) -> int:
    """Talk with a model or an agent in the terminal.

    With a PROMPT, or with standard input from a pipe, there is one answer; data from the pipe
    follows the prompt. What is said is kept: --continue and --session go on with it.
    """
    from llmspell_cli.approve import approver

    if given["latest"] and given["session"]:
        raise click.UsageError("--continue and --session exclude each other")
    asker = approver(given["approve"], yes=given["yes"])
    # With both, what is piped in is data for the prompt; with a terminal it is not waited for.
    if prompt is not None or not sys.stdin.isatty():
        said = prompt or "", _piped()
        if not "".join(said).strip():
            raise click.UsageError("a prompt is expected, as an argument or on standard input")
        run_until_signal(_one_answer(common_of(ctx), said, asker, given))
        return 0
    return _conversation(common_of(ctx), asker, given)


def _piped() -> str:
    return "" if sys.stdin.isatty() else sys.stdin.read().strip("\n")


async def _one_answer(
    common: Common, said: tuple[str, str], asker: Approver, given: dict[str, Any]
) -> AgentOutput | None:
    """`said` is the prompt, and what was piped in."""
    from llmspell_cli.chat.display import Display
    from llmspell_cli.chat.partner import Partner
    from llmspell_core.runtime import Runtime

    made = Runtime(common.load(), approver=asker)
    common.log_for(made)
    async with made as runtime:
        partner = Partner(runtime, given["agent"], given["model"])
        await partner.begin(given["session"], latest=given["latest"])
        display = Display()
        try:
            prompt, data = said
            return await partner.say(prompt, display, data)
        finally:
            display.end()


def _conversation(common: Common, asker: Approver, given: dict[str, Any]) -> int:
    from llmspell_cli.chat.loop import talk
    from llmspell_cli.chat.partner import Partner
    from llmspell_core.runtime import Runtime

    runtime = Runtime(common.load(), approver=asker)
    common.log_for(runtime)
    with asyncio.Runner() as runner:
        runner.run(runtime.__aenter__())
        try:
            partner = Partner(runtime, given["agent"], given["model"])
            runner.run(partner.begin(given["session"], latest=given["latest"]))
            return talk(runner, runtime, partner)
        finally:
            runner.run(runtime.__aexit__(None, None, None))
