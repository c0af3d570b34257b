"""What is wrong with a plugin: its extensions imported and looked at, one after the other.

Run as a process of its own, ``python -m llmspell_core.plugin_check DISTRIBUTION SKIP``, since an
import may hang or end the process. A line of JSON is printed before and after each extension, so
that the caller knows which one it was.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from llmspell_core.errors import LLMSpellError
from llmspell_core.extensions import Extension, Extensions, _scan

#: Problem and remedy.
Problem = tuple[str, str]


def extensions_of(distribution: str) -> list[Extension]:
    """Everything that a distribution adds, by kind and name, also what is not used."""
    return [
        one
        for kind in sorted(_scan())
        for one in Extensions(kind).values()
        if distribution in (one.distribution, *one.others, *one.hidden)
    ]


def check(extension: Extension) -> Iterator[Problem]:
    """What is wrong with one extension: it cannot be loaded, or is not what its kind must be."""
    try:
        loaded = extension.entry_point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - told as what it is
        yield _failed("it cannot be imported", error)
        return
    look = _CHECKS.get(extension.kind)
    if look is None:
        return
    try:
        yield from look(loaded, extension)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the plugin's own code failed
        yield _failed("it fails when it is looked at", error)


def _failed(what: str, error: BaseException) -> Problem:
    text = str(error) or "no message"
    return f"{what}: {type(error).__name__}: {text}", "update it, or uninstall it"


# -- what each kind must be -----------------------------------------------------------------------


def _tool(loaded: Any, extension: Extension) -> Iterator[Problem]:
    from llmspell_core.names import canonical
    from llmspell_core.schema import check_schema
    from llmspell_core.tool import Tool

    made = loaded() if isinstance(loaded, type) else loaded
    if not isinstance(made, Tool):
        yield f"it is a {type(made).__name__}", "name a Tool class, or what @tool made"
        return
    if canonical(made.name) != canonical(extension.name):
        yield f'it calls itself "{made.name}"', f'set name = "{extension.name}"'
    if not made.description.strip():
        yield "it has no description", "say in a sentence what it does: models choose by it"
    schema = made.schema()
    try:
        json.dumps(schema)
        check_schema(schema)
    except (TypeError, ValueError, LLMSpellError) as error:
        yield f"its schema is none: {error}", "see schema() of the tool"
        return
    yield from _schema_lies(made, schema)


def _schema_lies(made: Any, schema: dict[str, Any]) -> Iterator[Problem]:
    """Whether the tool takes what its schema says, and nothing else, as far as a few tries tell."""
    from random import Random

    from llmspell_core.errors import ValidationError
    from llmspell_core.testing.samples import broken

    random = Random(0)  # noqa: S311 - examples, no secrets
    for _ in range(20):
        wrong = broken(schema, random)
        if wrong is None:
            return
        try:
            made.validate(wrong.params)
        except ValidationError:
            continue
        yield (
            f"it takes what its schema forbids ({wrong.what})",
            "let schema() and validate() come from the same Parameters",
        )
        return


def _engine(loaded: Any, extension: Extension) -> Iterator[Problem]:
    from importlib.util import find_spec

    from llmspell_core.script.engine import EngineInfo

    made = loaded() if isinstance(loaded, type) else loaded
    info = getattr(made, "info", None)
    if not isinstance(info, EngineInfo):
        yield "it has no `info`, an EngineInfo", "see llmspell_core.script.engine"
        return
    if info.name != extension.name:
        yield f'it calls itself "{info.name}"', f'set name="{extension.name}" in its EngineInfo'
    absent = [name for name in (info.guest, *info.requires) if find_spec(name) is None]
    if absent:
        yield f"it needs {', '.join(absent)}, which cannot be found", "name modules that exist"
    elif problem := made.available():
        yield f"it cannot run here: {problem}", ""


def _class_of(module: str, name: str) -> Callable[[Any, Extension], Iterator[Problem]]:
    """A check that it is a subclass of one of ours."""

    def look(loaded: Any, _: Extension) -> Iterator[Problem]:
        import importlib

        wanted = getattr(importlib.import_module(module), name)
        if not (isinstance(loaded, type) and issubclass(loaded, wanted)):
            yield f"it is no {name} class", f"name a subclass of {module}.{name}"

    return look


def _global(loaded: Any, extension: Extension) -> Iterator[Problem]:
    found = [*_class_of("llmspell_core.script.api", "ScriptGlobal")(loaded, extension)]
    yield from found
    if not found:
        from llmspell_core.script.manifest import compile_manifest

        json.dumps(compile_manifest(loaded))


def _command(loaded: Any, extension: Extension) -> Iterator[Problem]:
    from llmspell_core.command import Command

    # Commands of another library are run as they are.
    if not (isinstance(loaded, Command) or hasattr(loaded, "make_context")):
        yield f"it is a {type(loaded).__name__}", "make it with @command of llmspell_core.command"


def _hooks(loaded: Any, _: Extension) -> Iterator[Problem]:
    from llmspell_core import hookspecs

    known = [name for name in vars(hookspecs) if name.startswith("llmspell_")]
    named = [name for name in dir(loaded) if name.startswith("llmspell_")]
    for name in named:
        if name not in known:
            yield f"there is no moment {name}", f"one of {', '.join(known)}"
    if not named:
        yield "it has no function for a moment", f"one of {', '.join(known)}"


def _store(loaded: Any, _: Extension) -> Iterator[Problem]:
    if not callable(loaded):
        yield f"it is a {type(loaded).__name__}", "name a function of the settings"


def _agent(loaded: Any, extension: Extension) -> Iterator[Problem]:
    from llmspell_core.agent import Agent
    from llmspell_core.registry import Registry

    if not isinstance(loaded, dict):
        made = loaded() if isinstance(loaded, type) else loaded
        if not isinstance(made, Agent):
            yield f"it is a {type(made).__name__}", "name a dictionary of fields, or an Agent class"
        return
    base, known = loaded.get("extends"), Extensions("agents")
    if base is not None and base not in known:
        yield f'it extends "{base}", which is not installed', f"one of {', '.join(known)}"
    # What changes fields of the one below cannot be looked at without it.
    own = {k: v for k, v in loaded.items() if k not in ("extends", "parameters", "tools_remove")}
    try:
        Extensions("configured").load("agent_templates")(extension.name, own, Registry("template"))
    except LLMSpellError as error:
        yield error.message, error.hint or "see the fields of a template"


_CHECKS: dict[str, Callable[[Any, Extension], Iterator[Problem]]] = {
    "agents": _agent,
    "commands": _command,
    "engines": _engine,
    "globals": _global,
    "hooks": _hooks,
    "providers": _class_of("llmspell_core.provider", "Provider"),
    "stores": _store,
    "tools": _tool,
}


def main(distribution: str, skip: int) -> None:
    """Check all of a distribution but the first ones; what they print goes nowhere."""
    import jsonschema  # noqa: F401 - what every look at a tool needs counts for none of them

    import llmspell_core.testing.samples
    import llmspell_core.tool  # noqa: F401

    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for number, one in enumerate(extensions_of(distribution)):
        # Of two with one name only the other one can be looked at.
        if number < skip or one.distribution != distribution or one.kind.endswith("_aliases"):
            continue
        where = {"kind": one.kind, "name": one.name, "number": number}
        print(json.dumps({**where, "done": False}), file=out, flush=True)
        print(json.dumps({**where, "done": True, "problems": [*check(one)]}), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
