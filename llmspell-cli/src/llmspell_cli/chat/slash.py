"""The commands of a chat: what a line that begins with a slash does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from llmspell_cli.look import clean, say
from llmspell_cli.usage import usage_rows
from llmspell_core.errors import ValidationError, did_you_mean

if TYPE_CHECKING:
    from llmspell_cli.chat.partner import Partner

Work = Callable[["Partner", str], Awaitable[None]]

END = ("/exit", "/quit")


async def run_command(line: str, partner: Partner) -> None:
    """Do what a line such as `/model openai/gpt-4o-mini` says. Raises `input.invalid`."""
    name, _, rest = line.partition(" ")
    if name not in COMMANDS:
        raise ValidationError(
            f"unknown command {clean(name)}", hint=did_you_mean(name, [*COMMANDS]) or "/help"
        )
    await COMMANDS[name][1](partner, rest.strip())


async def _help(_: Partner, __: str) -> None:
    for name, (about, _work) in COMMANDS.items():
        say(f"  {name:<20} {about}")
    say('  @path, @"a path"     put a file into the message')
    say("  \\ at the end         the message goes on in the next line")
    say("  Ctrl-C               stop an answer; Ctrl-D ends the chat")


async def _new(partner: Partner, _: str) -> None:
    say(f"  session {(await partner.new()).id}")


async def _session(partner: Partner, id: str) -> None:
    if id:
        found = await partner.switch(id)
        say(f"  session {found.id}, {_turns(found.turns)}")
    else:
        say(f"  session {partner.session.id}" if partner.session else "  nothing was said yet")


async def _sessions(partner: Partner, _: str) -> None:
    rows = await partner.sessions()
    for row in rows:
        here = "*" if partner.session is not None and row.id == partner.session.id else " "
        say(f"{here} {row.id:<30} {_turns(row.turns):>8}  {clean(row.name or row.title)}")
    if not rows:
        say("  nothing was said yet")


async def _model(partner: Partner, name: str) -> None:
    if name:
        await partner.choose(model=name)
    say(f"  model {clean(partner.model_name)}")


def _turns(count: int) -> str:
    return "1 turn" if count == 1 else f"{count} turns"


async def _agent(partner: Partner, name: str) -> None:
    if name:
        await partner.choose(agent=name)
    say(f"  agent {clean((await partner.agent()).name)}")


async def _tools(partner: Partner, _: str) -> None:
    tools = (await partner.agent()).tools.list()
    for tool in tools:
        say(clean(f"  {tool.name:<20} {tool.description.partition(chr(10))[0]}"))
    if not tools:
        say("  it has no tools")


async def _history(partner: Partner, _: str) -> None:
    for one in await partner.history():
        if one.text and one.role in ("user", "assistant"):
            say(clean(f"{'> ' if one.role == 'user' else ''}{one.text}"))


async def _stats(partner: Partner, _: str) -> None:
    if partner.last is None:
        say("  nothing was answered yet")
        return
    how = partner.last.metadata
    say(f"  model   {clean(how.provider)}/{clean(how.model)}")
    for label, text in usage_rows(how.usage).items():
        say(f"  {label:<7} {text}")
    say(f"  time    {how.execution_time_ms:.0f} ms")


async def _nothing(_: Partner, __: str) -> None:
    """The loop ends before it is called."""


COMMANDS: dict[str, tuple[str, Work]] = {
    "/help": ("this list", _help),
    "/new": ("begin a new session", _new),
    "/session": ("which one this is; /session ID goes on in another", _session),
    "/sessions": ("the chats that can be continued", _sessions),
    "/model": ("which model answers; /model NAME takes another", _model),
    "/agent": ("who answers; /agent NAME takes another", _agent),
    "/tools": ("the tools of the agent", _tools),
    "/history": ("what was said in this session", _history),
    "/stats": ("tokens and time of the last answer", _stats),
    "/exit": ("end the chat, as Ctrl-D", _nothing),
    "/quit": ("the same", _nothing),
}
