"""ES modules by name: relative files, and packages as npm lays them out."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmspell_bridge.modules.search import (
    MAX_NAME,
    Located,
    bad_name,
    file_name,
    first_file,
    has,
    not_found,
    package_name,
)
from llmspell_core.errors import LLMSpellError, NotFoundError
from llmspell_core.security.modules import ModuleGate

MAX_MANIFEST_BYTES = 1 << 20
#: The conditions of "exports" that hold here, besides those that a package orders itself.
CONDITIONS = frozenset({"import", "module", "default"})
_ENDINGS = (".js", ".mjs")
_NAME = re.compile(r"(?P<package>(?:@[\w.~-]+/)?[A-Za-z0-9_~-][\w.~-]*)(?:/(?P<rest>.+))?")
_RELATIVE = ("./", "../")
_MAX_DEPTH = 8


class EcmaFinder:
    """`./x.js` is beside the importing file, `name` and `name/part` are in the configured paths."""

    def __init__(self, gate: ModuleGate) -> None:
        self._gate = gate

    def locate(self, name: str, folder: str) -> Located:
        if len(name) > MAX_NAME or not name.isprintable() or "\\" in name:
            raise self._bad(name)
        if name.startswith(_RELATIVE):
            return self._relative(name, folder)
        match = _NAME.fullmatch(name)
        if match is None or ".." in name.split("/"):
            raise self._bad(name)
        return self._of_package(name, match["package"], match["rest"] or "", folder)

    def _relative(self, specifier: str, folder: str) -> Located:
        whole = os.path.normpath(os.path.join(folder, specifier))  # noqa: PTH118 - lexical
        name = file_name(self._gate, whole)
        self._gate.check(name, *(f"{name}{end}" for end in (*_ENDINGS, "/index.js")), entry=name)
        found = first_file(self._gate, name, _candidates(Path(whole)))
        if found is None:
            parent = os.path.dirname(whole)  # noqa: PTH120
            near = [
                file_name(self._gate, os.path.join(parent, entry))  # noqa: PTH118
                for entry, is_dir in self._gate.names_in(parent)
                if not is_dir and entry.endswith(_ENDINGS)
            ]
            raise not_found(self._gate, name, [parent], near)
        exact = file_name(self._gate, found)
        self._gate.check(exact)
        return Located(exact, found)

    def _of_package(self, name: str, package: str, rest: str, folder: str) -> Located:
        self._gate.check(name, package, entry=package)
        for base in self._bases(package):
            found = self._in_package(base, name, package, rest)
            return Located(f"{package}/{Path(found).relative_to(base).as_posix()}", found)
        beside = [entry for entry, _ in self._gate.names_in(folder)]
        if any(f"{name}{ending}" in beside for ending in ("", *_ENDINGS)):
            raise NotFoundError(
                f'no package "{name}"',
                code="module.not_found",
                hint=f'a file beside this one is imported as "./{name}"',
            )
        if not self._gate.paths:
            raise NotFoundError(
                f'no package "{package}": no folder of packages is configured',
                code="module.not_found",
                hint='[security.modules] paths = ["node_modules"]',
            )
        known = [entry for root in self._gate.paths for entry, _ in self._gate.names_in(root)]
        raise not_found(self._gate, name, self._gate.paths, known)

    def _bases(self, package: str) -> Iterator[Path]:
        """The folders of a package: in a configured one, or that one itself."""
        for root in map(Path, self._gate.paths):
            for base in (root / package, *([root] if package_name(root) == Path(package) else [])):
                if has(self._gate.is_dir, base):
                    yield base

    def _in_package(self, base: Path, name: str, package: str, rest: str) -> str:
        manifest = self._manifest(base)
        exports = manifest.get("exports")
        if exports is not None:
            target = exported(exports, f"./{rest}" if rest else ".")
            candidates: Any = [base / target] if target else []
        elif rest:
            candidates = _candidates(base / rest)
        else:
            named = [manifest.get(key) for key in ("module", "main")]
            entries = [one for one in named if isinstance(one, str)]
            candidates = [c for one in (*entries, "index.js") for c in _candidates(base / one)]
        inside = [_beneath(base, one) for one in candidates]
        if None in inside:
            raise self._gate.refuse(
                name, f'the package.json of "{package}" leads out of it', "do without it"
            )
        found = first_file(self._gate, name, filter(None, inside))
        if found is None:
            what = "exports" if exports is not None else "has"
            raise NotFoundError(
                f'package "{package}" {what} no "{rest or "."}"',
                code="module.not_found",
                hint='packages need plain ES modules: see "exports", "module" and "main" in '
                "its package.json",
            )
        return found

    def _manifest(self, base: Path) -> dict[str, Any]:
        file = str(base / "package.json")
        if not self._gate.is_file(file):
            return {}
        try:
            found = json.loads(self._gate.text(file, MAX_MANIFEST_BYTES))
        except (LLMSpellError, ValueError, RecursionError):
            raise NotFoundError(
                f"the package.json of {base.name} cannot be read", code="module.not_found"
            ) from None
        return found if isinstance(found, dict) else {}

    def _bad(self, name: str) -> LLMSpellError:
        hint = 'modules are imported as "./file.js", or as the name of a package'
        if name.startswith("node:"):
            hint = "what Node brings along is not here: use Tool, State and the other globals"
        return bad_name(self._gate, name, hint)


def exported(exports: Any, part: str) -> str | None:
    """The target of `.` or `./part` in "exports": simple forms, conditions, and one `*`."""
    if isinstance(exports, dict) and any(key.startswith(".") for key in exports):
        if part in exports:
            return _target(exports[part], 0)
        for pattern, value in exports.items():
            before, star, after = pattern.partition("*")
            if star and part.startswith(before) and part.endswith(after):
                middle = part[len(before) : len(part) - len(after)]
                target = _target(value, 0)
                if middle and target:
                    return target.replace("*", middle)
        return None
    return _target(exports, 0) if part == "." else None


def _target(value: Any, depth: int) -> str | None:
    if isinstance(value, str):
        return value if value.startswith("./") else None
    if isinstance(value, dict) and depth < _MAX_DEPTH:
        for condition, inner in value.items():
            if condition in CONDITIONS and (found := _target(inner, depth + 1)):
                return found
    return None


def _candidates(path: Path) -> list[Path]:
    """A file as it is named, as bundlers let it be named, or a folder's index."""
    if path.suffix in _ENDINGS:
        return [path]
    return [*(path.with_name(path.name + end) for end in _ENDINGS), path / "index.js"]


def _beneath(base: Path, path: Path) -> Path | None:
    plain = Path(os.path.normpath(path))
    return plain if plain.is_relative_to(base) and plain.suffix in _ENDINGS else None
