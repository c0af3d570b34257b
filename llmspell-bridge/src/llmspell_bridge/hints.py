"""What to do about a script's error, where the engine itself cannot know it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llmspell_core.errors import LLMSpellError, did_you_mean
from llmspell_core.extensions import Extensions, install_hint

#: Lua's and JavaScript's words for using a global that is not there.
_ABSENT = r"global '(\w+)'\)|(?:ReferenceError: )?'?(\w+)'? is not defined"
#: ... and for calling a method that is not there.
_NO_METHOD = r"call a nil value \((?:field|method) '(\w+)'\)|\.(\w+) is not a function"

#: What the engines say is short. On long texts, which are the script's own, the patterns take
#: time by the square of the length.
_LONGEST = 1000


def add_hint(error: LLMSpellError, known: Mapping[str, Mapping[str, Any]]) -> None:
    """Name the package of an absent global, or the global or method that was probably meant.

    Args:
        error: what the engine reported
        known: the manifests of this runtime's globals
    """
    if error.hint or error.code != "script.error":
        return
    message = error.message[:_LONGEST]
    if match := re.search(_ABSENT, message):
        error.hint = _about_global(match[1] or match[2], known)
    elif match := re.search(_NO_METHOD, message):
        error.hint = _about_method(match[1] or match[2], known)


def _about_global(name: str, known: Mapping[str, Mapping[str, Any]]) -> str | None:
    if name in known:
        return None
    if name == "Test":
        return "Test is there for files that `llmspell test` runs"
    if name in Extensions("globals"):
        return f"{name} is installed but left out of this runtime; see: llmspell plugins"
    return install_hint(name) or did_you_mean(name, [*known])


def _about_method(name: str, known: Mapping[str, Mapping[str, Any]]) -> str | None:
    methods: set[str] = set()
    for manifest in known.values():
        for owner in (manifest, *manifest.get("objects", {}).values()):
            methods.update(owner["methods"], owner.get("builders", ()))
    return None if name in methods else did_you_mean(name, sorted(methods))
