"""`llmspell session list | show | delete`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.helptext import Group
from llmspell_cli.look import clean, say
from llmspell_cli.options import Common, common_of, common_options
from llmspell_cli.signals import run_until_signal
from llmspell_cli.tables import print_json, show

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from llmspell_core.context import ExecutionContext


@click.group(
    cls=Group,
    examples=(
        "llmspell session list",
        "llmspell session show 20261126-061135-29d263f1496a",
        "llmspell session delete my-session",
    ),
)
@common_options
def session() -> None:
    """List, show and delete the conversations that are kept, of chats and of scripts."""


def _with_sessions(common: Common, work: Callable[[ExecutionContext], Awaitable[Any]]) -> Any:
    from llmspell_core.lifecycle import SelectiveInit
    from llmspell_core.runtime import Runtime

    async def main() -> Any:
        made = Runtime(common.load(), init=SelectiveInit.custom())
        common.log_for(made)
        async with made as runtime:
            return await work(runtime.context(state_scope="chat"))

    return run_until_signal(main())


@session.command("list", examples=("llmspell session list --json",))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """List all sessions, the one used last first."""

    async def work(found: ExecutionContext) -> list[dict[str, Any]]:
        return [
            {**one.to_script(), "owner": one.owner, "title": one.name or one.title}
            for one in await found.runtime.sessions.everything()
        ]

    rows = _with_sessions(common_of(ctx), work)
    show(rows, as_json=as_json, columns=["id", "owner", "status", "turns", "title"])


@session.command("show", examples=("llmspell session show my-session --json",))
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="Print all records as JSON.")
@common_options
@click.pass_context
def show_(ctx: click.Context, id: str, as_json: bool) -> None:
    """Show what was said in a session, as it was recorded."""

    async def work(found: ExecutionContext) -> dict[str, Any]:
        sessions = found.runtime.sessions
        info = await sessions.get(id, found.child(session_id=id))
        records = [{**one} for one in await sessions.log(id).refresh()]
        return {**info.to_script(), "owner": info.owner, "records": records}

    data = _with_sessions(common_of(ctx), work)
    if as_json:
        print_json(data)
        return
    say(clean(f"{data['id']}  {data['owner']}  {data['status']}, turns: {data['turns']}"))
    for record in data["records"]:
        for one in record.get("messages", ()):
            click.echo(clean(f"{one['role']}: {_text(one)}"))
        if record["kind"] == "end" and record["status"] != "completed":
            say(clean(f"  this turn {record['status']}"))


def _text(message: dict[str, Any]) -> str:
    content = message.get("content", "")
    if isinstance(content, list):
        content = " ".join(part.get("text") or f"[{part.get('type')}]" for part in content)
    calls = ", ".join(call["name"] for call in message.get("tool_calls", ()))
    return f"{content} [{calls}]".strip() if calls else content


@session.command(examples=("llmspell session delete my-session",))
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@common_options
@click.pass_context
def delete(ctx: click.Context, ids: tuple[str, ...]) -> int:
    """Delete sessions, with all that was said and kept in them."""

    async def work(found: ExecutionContext) -> list[str]:
        sessions = found.runtime.sessions
        return [one for one in ids if not await sessions.delete(one, found.child(session_id=one))]

    unknown = _with_sessions(common_of(ctx), work)
    for one in unknown:
        say(clean(f'there is no session "{one}"'))
    return 1 if unknown else 0
