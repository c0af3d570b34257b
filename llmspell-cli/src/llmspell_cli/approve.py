"""Who answers when a tool call needs an approval on the command line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING

from llmspell_cli.look import clean, say, style
from llmspell_core.approval import ApprovalAnswer, ApprovalRequest

if TYPE_CHECKING:
    from llmspell_core.approval import Approver

MAX_SHOWN = 2000


def approver(names: tuple[str, ...], *, yes: bool) -> Approver:
    """Approves what the options name, asks on a terminal, else refuses naming the option."""
    return _CommandLine({name.replace("_", "-") for name in names}, yes)


class _CommandLine:
    def __init__(self, names: set[str], yes: bool) -> None:
        self._names = names
        self._yes = yes
        self._lock = asyncio.Lock()

    async def ask(self, request: ApprovalRequest) -> ApprovalAnswer:
        if self._yes or request.tool.replace("_", "-") in self._names:
            return ApprovalAnswer.approve()
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return ApprovalAnswer.deny(
                f"it needs an approval: --approve {request.tool}, or --yes for all"
            )
        # One question at a time; what was answered "always" meanwhile is not asked again.
        async with self._lock:
            if request.tool in self._names:
                return ApprovalAnswer.approve()
            return await self._prompt(request)

    async def _prompt(self, request: ApprovalRequest) -> ApprovalAnswer:
        say(_question(request))
        while True:
            sys.stderr.write("  allow it? [y]es, [n]o, [a]lways from now on: ")
            sys.stderr.flush()
            try:
                answer = await read_line()
            except asyncio.CancelledError:
                sys.stderr.write("\n")
                raise
            word = answer.strip().lower() if answer is not None else "n"
            if word in ("y", "yes"):
                return ApprovalAnswer.approve()
            if word in ("a", "always"):
                self._names.add(request.tool)
                return ApprovalAnswer.always()
            if word in ("n", "no", ""):
                return ApprovalAnswer.deny("refused on the terminal")


def _question(request: ApprovalRequest) -> str:
    callers = [one for one in request.path if one != request.tool]
    tool = style(request.tool, "yellow")
    lines = [f"{clean(' > '.join(callers))} wants to run {tool}" if callers else f"to run: {tool}"]
    about = (request.reason or request.description).partition("\n")[0]
    lines += [f"  {clean(about)}"] if about else []
    for name, value in request.arguments.items():
        text = clean(json.dumps(value, ensure_ascii=False, default=str))
        more = f"... ({len(text)} characters)" if len(text) > MAX_SHOWN else ""
        lines.append(f"  {clean(name)} = {text[:MAX_SHOWN]}{more}")
    return "\n".join(lines)


async def read_line() -> str | None:
    """One line from the terminal; None at its end. A cancelled wait leaves no thread behind."""
    if sys.platform == "win32":
        return await asyncio.to_thread(sys.stdin.readline) or None
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    descriptor = sys.stdin.fileno()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        with contextlib.suppress(ValueError):
            loop.remove_reader(descriptor)
    data = os.read(descriptor, 4096)
    return data.decode("utf-8", "replace") if data else None
