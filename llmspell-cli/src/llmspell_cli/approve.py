"""Who answers when a tool call needs an approval on the command line."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import click

from llmspell_cli.report import clean
from llmspell_core.approval import ApprovalAnswer, ApprovalRequest

if TYPE_CHECKING:
    from llmspell_core.approval import Approver


def approver(names: tuple[str, ...], *, yes: bool) -> Approver:
    """Approves what the options name, asks on a terminal, else refuses naming the option."""
    return _CommandLine({name.replace("_", "-") for name in names}, yes)


class _CommandLine:
    def __init__(self, names: set[str], yes: bool) -> None:
        self._names = names
        self._yes = yes
        self._lock = asyncio.Lock()

    async def ask(self, request: ApprovalRequest) -> ApprovalAnswer:
        if self._yes or request.tool in self._names:
            return ApprovalAnswer.approve()
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return ApprovalAnswer.deny(
                f"it needs an approval: --approve {request.tool}, or --yes for all"
            )
        async with self._lock:
            if request.tool in self._names:
                return ApprovalAnswer.approve()
            return await asyncio.to_thread(self._prompt, request)

    def _prompt(self, request: ApprovalRequest) -> ApprovalAnswer:
        arguments = clean(json.dumps(request.arguments, ensure_ascii=False, default=str))
        click.echo(f"{request.tool} wants to run: {arguments}", err=True)
        answer = click.prompt("allow? [y]es, [n]o, [a]lways", default="n", err=True)
        if answer.lower().startswith("a"):
            self._names.add(request.tool)
        if answer.lower()[:1] in ("y", "a"):
            return ApprovalAnswer.approve()
        return ApprovalAnswer.deny("refused on the terminal")
