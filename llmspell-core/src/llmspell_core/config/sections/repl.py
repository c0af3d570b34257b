"""`[repl]`: the interactive shell."""

from __future__ import annotations

from llmspell_core.config.sections.base import Section, key


class Repl(Section):
    """The interactive shell."""

    prompt: str = key("{engine}> ", "what stands before the input")
    history_size: int = key(10_000, "lines kept", unit="lines", least=0)
