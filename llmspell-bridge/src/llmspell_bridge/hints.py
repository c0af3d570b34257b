"""What to do about a script's error, where the engine itself cannot know it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from llmspell_core.errors import LLMSpellError, did_you_mean
from llmspell_core.extensions import Extensions, install_hint

#: Lua's and JavaScript's words for using a global that is not there.
_ABSENT = re.compile(r"global '(\w+)'\)|(?:ReferenceError: )?'?(\w+)'? is not defined")


def add_hint(error: LLMSpellError, known: Iterable[str]) -> None:
    """Name the package of an absent global, or the global that was probably meant."""
    if error.hint or error.code != "script.error":
        return
    match = _ABSENT.search(error.message)
    name = match and (match[1] or match[2])
    if not name:
        return
    if name in Extensions("globals"):
        error.hint = f"{name} is installed but left out of this runtime; see: llmspell plugins"
    else:
        error.hint = install_hint(name) or did_you_mean(name, [*known])
