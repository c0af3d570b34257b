"""`Settings`: every section of the configuration, each made and checked when it is first used.

A process uses a few of the sections. So the sections are records in modules of their own,
imported on first use. What was written is checked at once, by `model_validate`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

from llmspell_core.config.mistakes import ConfigMistakes, Mistake, mistakes_of, unknown_key
from llmspell_core.records import Record

if TYPE_CHECKING:
    from llmspell_core.config.sections.base import Section
    from llmspell_core.config.sections.cassette import CassetteFile
    from llmspell_core.config.sections.components import Prompt, ToolTable
    from llmspell_core.config.sections.default import Default
    from llmspell_core.config.sections.engines import Engine
    from llmspell_core.config.sections.events import Events
    from llmspell_core.config.sections.journal import JournalFile
    from llmspell_core.config.sections.models import ModelAlias, Price, Provider
    from llmspell_core.config.sections.overrides import ScriptOverride
    from llmspell_core.config.sections.privacy import SecretStore, Telemetry
    from llmspell_core.config.sections.repl import Repl
    from llmspell_core.config.sections.scripts import Scripts
    from llmspell_core.config.sections.security import Security
    from llmspell_core.config.sections.sessions import Sessions
    from llmspell_core.config.sections.state import State
    from llmspell_core.config.sections.system import System
    from llmspell_core.config.sections.workflows import WorkflowDefaults

#: The version of the schema that this llmspell writes and reads.
VERSION = 1


class Spec(Record):
    """How a section is made.

    `one` model, a `table` of named ones, `text` (strings or models), or `free` tables that their
    package checks.
    """

    kind: Literal["one", "table", "text", "free"]
    doc: str
    where: str = ""

    def model(self) -> type[Section]:
        """The section's model, imported now."""
        module, _, name = self.where.partition(":")
        found: type[Section] = getattr(
            importlib.import_module(f"llmspell_core.config.sections.{module}"), name
        )
        return found


SECTIONS: dict[str, Spec] = {
    "system": Spec("one", "the process: its logs and its directories", "system:System"),
    "scripts": Spec("one", "scripts in general", "scripts:Scripts"),
    "script_overrides": Spec(
        "table", "what differs for the scripts that a pattern names", "overrides:ScriptOverride"
    ),
    "engines": Spec("table", "script engines", "engines:Engine"),
    "default": Spec("one", "what holds where nothing else is said", "default:Default"),
    "providers": Spec("table", "model services", "models:Provider"),
    "models": Spec("table", "names for models with their options", "models:ModelAlias"),
    "agents": Spec("free", "named agents, with the fields of Agent.new"),
    "workflows": Spec("free", "named workflows: a spec, or `file`"),
    "prompts": Spec("text", "named prompts: text, or a table", "components:Prompt"),
    "tools": Spec("table", "what is set for single tools", "components:ToolTable"),
    "hooks": Spec("free", "built-in hooks by name"),
    "events": Spec("one", "the event bus", "events:Events"),
    "telemetry": Spec("one", "what traces carry", "privacy:Telemetry"),
    "secrets": Spec("one", "where keys come from", "privacy:SecretStore"),
    "cassette": Spec("one", "recorded answers of models and tools", "cassette:CassetteFile"),
    "state": Spec("one", "where `State` is kept", "state:State"),
    "journal": Spec("one", "where runs that may pause are written down", "journal:JournalFile"),
    "sessions": Spec("one", "conversations that are kept", "sessions:Sessions"),
    "workflow_defaults": Spec("one", "workflows in general", "workflows:WorkflowDefaults"),
    "prices": Spec("table", "what models cost", "models:Price"),
    "security": Spec("one", "what scripts and tools may do", "security:Security"),
    "repl": Spec("one", "the interactive shell", "repl:Repl"),
    "plugins": Spec("free", "a table for each distribution that has settings"),
}


class Settings:
    """The whole configuration: `settings.system.log_level`, `settings.providers["openai"]`.

    `Settings()` is all defaults. `Settings.model_validate({...})` checks plain data and reads no
    file. A Settings never changes: `changed` makes another one.
    """

    version: int
    system: System
    scripts: Scripts
    script_overrides: dict[str, ScriptOverride]
    engines: dict[str, Engine]
    default: Default
    providers: dict[str, Provider]
    models: dict[str, ModelAlias]
    agents: dict[str, dict[str, Any]]
    workflows: dict[str, dict[str, Any]]
    prompts: dict[str, str | Prompt]
    tools: dict[str, ToolTable]
    hooks: dict[str, dict[str, Any]]
    events: Events
    telemetry: Telemetry
    secrets: SecretStore
    cassette: CassetteFile
    state: State
    journal: JournalFile
    sessions: Sessions
    workflow_defaults: WorkflowDefaults
    prices: dict[str, Price]
    security: Security
    repl: Repl
    plugins: dict[str, dict[str, Any]]

    def __init__(self) -> None:
        self.__dict__["_data"] = {}
        self.__dict__["version"] = VERSION

    @classmethod
    def model_validate(cls, data: Mapping[str, Any]) -> Self:
        """Settings from plain data; `ConfigMistakes` lists everything that is wrong in it."""
        made, mistakes = cls.check(data)
        if mistakes:
            raise ConfigMistakes(mistakes)
        return made

    @classmethod
    def check(cls, data: Mapping[str, Any]) -> tuple[Self, list[Mistake]]:
        """Settings from plain data, and every mistake in it instead of an error."""
        made, mistakes = cls(), []
        for name, value in data.items():
            if name == "version":
                mistakes += _version(value)
            elif name in SECTIONS:
                made.__dict__[name] = _section(name, value, mistakes)
            else:
                mistakes.append(unknown_key((str(name),), [*SECTIONS, "version"], len(mistakes)))
        made.__dict__["_data"] = dict(data)
        return made, mistakes

    def __getattr__(self, name: str) -> Any:
        spec = SECTIONS.get(name)
        if spec is None:
            raise AttributeError(f"the configuration has no section {name!r}")
        made: Any = spec.model()() if spec.kind == "one" else {}
        self.__dict__[name] = made
        return made

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("settings never change: use changed()")

    def has(self, section: str) -> bool:
        """Whether anything of this section was set; imports nothing."""
        return section in self.__dict__["_data"]

    def data(self) -> dict[str, Any]:
        """What was set, as plain data: without the defaults."""
        import copy

        return copy.deepcopy(self.__dict__["_data"])

    def changed(self, path: str | tuple[str, ...], value: Any) -> Self:
        """A copy with one value set, checked: `settings.changed("events.history", 10)`."""
        data = self.data()
        *parents, last = path.split(".") if isinstance(path, str) else path
        inner = data
        for part in parents:
            inner = inner.setdefault(part, {})
        inner[last] = value
        return type(self).model_validate(data)

    def model_dump(self) -> dict[str, Any]:
        """Every section with its defaults, as plain data."""
        dumped: dict[str, Any] = {"version": self.version}
        for name in SECTIONS:
            dumped[name] = _plain(getattr(self, name))
        return dumped

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Settings):
            return NotImplemented
        return bool(self.__dict__["_data"] == other.__dict__["_data"])

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Settings({', '.join(self.__dict__['_data'])})"


def _version(value: Any) -> list[Mistake]:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= VERSION:
        return []
    return [
        Mistake(
            ("version",),
            f"{value!r} is no version that this llmspell reads ({VERSION})",
            "a newer file needs a newer llmspell",
        )
    ]


def _section(name: str, value: Any, mistakes: list[Mistake]) -> Any:
    spec = SECTIONS[name]
    if not isinstance(value, Mapping):
        mistakes.append(Mistake((name,), "is not a table", f"write it as [{name}]"))
        return None
    if spec.kind == "one":
        return _validated(spec.model(), (name,), value, mistakes)
    entries: dict[str, Any] = {}
    for entry, table in value.items():
        path = (name, entry)
        if spec.kind == "text" and isinstance(table, str):
            entries[entry] = table
        elif not isinstance(table, Mapping):
            wanted = "text or a table" if spec.kind == "text" else "a table"
            mistakes.append(Mistake(path, f"is not {wanted}"))
        elif spec.kind == "free":
            entries[entry] = dict(table)
        else:
            entries[entry] = _validated(spec.model(), path, table, mistakes)
    return entries


def _validated(
    model: type[Section], path: tuple[str, ...], value: Any, mistakes: list[Mistake]
) -> Any:
    from llmspell_core.records.fitting import fitted

    made = fitted(model, value)
    if made is not None:
        return made
    import pydantic

    from llmspell_core.records.model import checked

    try:
        return checked(model, value)
    except pydantic.ValidationError as error:
        mistakes += mistakes_of(error, model, path)
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return value.model_dump() if hasattr(value, "model_dump") else value
