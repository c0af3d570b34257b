"""How a Runtime starts: its phases, its mode, and which component kinds it sets up."""

from __future__ import annotations

from enum import Enum

from llmspell_core.errors import LLMSpellError
from llmspell_core.records import Record

KINDS = frozenset({"tools", "agents", "workflows", "providers"})


class RuntimeMode(Enum):
    """EMBEDDED: one command or program; LIBRARY: inside a foreign host; SERVICE: a daemon."""

    EMBEDDED = "embedded"
    LIBRARY = "library"
    SERVICE = "service"


class Phase(Enum):
    """The lifecycle phases, in order; ENGINE and GLOBALS belong to the bridge's ScriptRuntime."""

    INFRASTRUCTURE = "infrastructure"
    PROVIDERS = "providers"
    CORE = "core"
    ENGINE = "engine"
    GLOBALS = "globals"


class SelectiveInit(Record):
    """Which component kinds a Runtime sets up; one that is left out is an error when used."""

    kinds: frozenset[str]

    @classmethod
    def custom(cls, *kinds: str) -> SelectiveInit:
        """Only these of ``tools``, ``agents``, ``workflows``, ``providers``."""
        if unknown := set(kinds) - KINDS:
            raise LLMSpellError(
                f"unknown component kinds: {', '.join(sorted(unknown))}",
                code="runtime.unknown_kind",
                hint=f"one of {', '.join(sorted(KINDS))}",
            )
        return cls(frozenset(kinds))

    def require(self, kind: str) -> None:
        """Raise `runtime.not_initialised` when this kind was left out."""
        if kind not in self.kinds:
            raise LLMSpellError(
                f"this runtime was opened without {kind}",
                code="runtime.not_initialised",
                hint="open it with SelectiveInit FULL, or name the kind in SelectiveInit.custom",
            )


FULL = SelectiveInit(KINDS)
TOOLS_ONLY = SelectiveInit(frozenset({"tools"}))
AGENTS_ONLY = SelectiveInit(frozenset({"agents", "tools", "providers"}))
