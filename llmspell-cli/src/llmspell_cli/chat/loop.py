"""The loop of a chat: a line, its answer, the next line.

The event loop runs only while something is answered, and lines are read between: so Ctrl-C
means the answer while there is one, and the line otherwise.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from llmspell_cli.chat.display import Display
from llmspell_cli.chat.lines import Lines
from llmspell_cli.chat.slash import COMMANDS, END, run_command
from llmspell_cli.look import clean, say
from llmspell_cli.report import show_error
from llmspell_core.config.directories import data_dir
from llmspell_core.errors import LLMSpellError

if TYPE_CHECKING:
    from types import FrameType

    from llmspell_cli.chat.partner import Partner
    from llmspell_core.runtime import Runtime

Run = asyncio.Runner


def talk(runner: Run, runtime: Runtime, partner: Partner) -> int:
    """Read lines and answer them until the input ends; the exit code."""
    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, _terminated)
    lines = Lines(data_dir(runtime.settings) / "chat_history", [*COMMANDS])
    _greet(runner, partner)
    try:
        while (line := lines.read()) is not None:
            text = line.strip()
            if text in END:
                break
            if text:
                _step(runner, partner, text)
    finally:
        lines.close()
    if partner.session is not None:
        say(f"llmspell chat --session {partner.session.id}   goes on here")
    return 0


def _step(runner: Run, partner: Partner, text: str) -> None:
    display = Display()
    work: Coroutine[Any, Any, Any]
    work = run_command(text, partner) if text.startswith("/") else partner.say(text, display)
    try:
        runner.run(work)
        display.end()
    except KeyboardInterrupt:
        display.note("stopped")
    except LLMSpellError as error:
        display.end()
        show_error(error)


def _greet(runner: Run, partner: Partner) -> None:
    agent = runner.run(partner.agent())
    tools = ", ".join(agent.tools.names()) or "none"
    say(clean(f"{agent.name} on {partner.model_name}   tools: {tools}   /help for help"))
    if partner.session is not None and partner.session.turns:
        say(clean(f"session {partner.session.id}: {partner.session.title}"))


def _terminated(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)
