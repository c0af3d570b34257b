"""The modules a script imports, read before it starts: an engine's module loader cannot wait.

The engine asks for a module by a name of its own making (`engine_name`), relative to the name of
the importing file. So what it gets is a table of those names. Where a file is reached by another
name than the one its own imports are relative to, as packages are, the table has a few lines in
its place that pass on what the file exports: so each file is loaded once.
"""

from __future__ import annotations

import os
import re
from collections import deque
from pathlib import Path
from typing import Any

from llmspell_bridge.modules.loader import Module, ModuleLoader
from llmspell_bridge.modules.specifiers import ecma_imports
from llmspell_core.errors import LLMSpellError

#: The globals as a module, which each engine makes itself.
GLOBALS = "llmspell"

#: An engine's name of a module -> its source, or the fields of the error that importing it throws.
Graph = dict[str, str | dict[str, Any]]


def import_graph(loader: ModuleLoader, text: str, name: str) -> Graph:
    """Everything that a script can import: what it names, what that names, and so on.

    Args:
        loader: finds and checks
        text: the main script
        name: what the engine calls it
    """
    return _Builder(loader, name).build(text)


def engine_name(base: str, specifier: str) -> str:
    """The name that QuickJS makes of a specifier in a file; as its `js_module_normalize_name`."""
    if not specifier.startswith("."):
        return specifier
    folder = base.rpartition("/")[0]
    rest = specifier
    while True:
        if rest.startswith("./"):
            rest = rest[2:]
        elif rest.startswith("../"):
            parent, _, last = folder.rpartition("/")
            if last in ("", ".", ".."):
                break
            folder, rest = parent, rest[3:]
        else:
            break
    return f"{folder}/{rest}" if folder else rest


class _Builder:
    def __init__(self, loader: ModuleLoader, name: str) -> None:
        self._loader = loader
        self._main = name
        self._graph: Graph = {}
        #: Files by path -> the name that their own imports are relative to.
        self._names: dict[str, str] = {}
        self._waiting: deque[tuple[str, str, str]] = deque()

    def build(self, text: str) -> Graph:
        self._look_into(text, self._main, self._loader.folder)
        while self._waiting:
            base, folder, specifier = self._waiting.popleft()
            name = engine_name(base, specifier)
            if name not in self._graph and specifier != GLOBALS:
                self._graph[name] = self._found(name, specifier, folder)
        return self._graph

    def _look_into(self, text: str, name: str, folder: str) -> None:
        self._waiting.extend((name, folder, one) for one in ecma_imports(text))

    def _found(self, name: str, specifier: str, folder: str) -> str | dict[str, Any]:
        try:
            module = self._loader.read(self._loader.finder.locate(specifier, folder))
        except LLMSpellError as error:
            return error.to_dict()
        own = self._own_name(module)
        if own == name:
            return module.source
        return f'import * as all from "{own}";\nexport * from "{own}";\nexport default all.default;'

    def _own_name(self, module: Module) -> str:
        """The name of a file in the graph, whose source is there from now on."""
        known = self._names.get(module.path)
        if known is not None:
            return known
        name = self._fitting(module.path)
        if name in self._graph or _quoted(name) != name:
            name = _quoted(Path(module.path).as_posix())
        self._names[module.path] = name
        self._graph[name] = module.source
        self._look_into(module.source, name, module.folder)
        return name

    def _fitting(self, path: str) -> str:
        """What a relative import from the main script calls this file."""
        rest = Path(os.path.relpath(path, self._loader.folder)).as_posix()
        name = engine_name(self._main, rest if rest.startswith("../") else f"./{rest}")
        return Path(path).as_posix() if name.startswith(".") else name


def _quoted(name: str) -> str:
    """A name as it may stand between double quotes; a path with such characters is not used."""
    return re.sub(r'["\\\x00-\x1f\u2028\u2029]', "_", name)
