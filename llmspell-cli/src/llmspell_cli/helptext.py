"""Help pages: short, with examples, and without the options that every command takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click


class HelpPage:
    """What our commands and groups share: examples as they are typed."""

    examples: Sequence[str] = ()
    everywhere = "The options of llmspell itself (--profile, --set, -v, ...) may stand here, too."

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples line by line, then where the other options are."""
        if self.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {line}\n" for line in self.examples))
        if self.everywhere:
            formatter.write(f"\n{self.everywhere}\n")


class Command(HelpPage, click.Command):
    """A command of llmspell."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.examples = examples


class Group(HelpPage, click.Group):
    """A command of llmspell that has commands of its own."""

    command_class = Command

    def __init__(self, *args: Any, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.examples = examples

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command named, or an error that names the nearest one."""
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(self.unknown(ctx, args[0]), ctx)
        return super().resolve_command(ctx, args)

    def unknown(self, ctx: click.Context, name: str) -> str:
        """What to say about a command that does not exist."""
        from llmspell_core.errors import did_you_mean

        known = self.list_commands(ctx)
        near = did_you_mean(name, known) or f"one of {', '.join(known)}"
        return f'no such command "{name}"\n{near}'
