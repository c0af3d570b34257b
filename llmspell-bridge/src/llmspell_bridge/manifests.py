"""The manifests of all installed script globals, without importing the components.

A distribution ships its manifests as ``script_manifest.json`` beside its top package, and what a
run needs of them, a tenth, as ``script_names.json``. A plugin that ships neither is compiled on
first use; the result is kept in the cache directory.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmspell_core.config.directories import cache_dir
from llmspell_core.errors import ExtensionError
from llmspell_core.extensions import Extension, Extensions

if TYPE_CHECKING:
    from llmspell_core.script.api import ScriptGlobal

FILE = "script_manifest.json"
NAMES = "script_names.json"
FORMAT = 1

log = logging.getLogger("llmspell.manifests")

Manifest = dict[str, Any]


def load_manifests() -> dict[str, Manifest]:
    """Global name -> manifest. A plugin that cannot be compiled is named and left out."""
    return _load(FILE)


def load_names() -> dict[str, Manifest]:
    """The same for runs: the names of methods and objects, without docs and types."""
    return _load(NAMES, FILE)


def _load(*files: str) -> dict[str, Manifest]:
    shipped: dict[str, dict[str, Manifest]] = {}
    found: dict[str, Manifest] = {}
    for extension in Extensions("globals").values():
        package = extension.target.partition(":")[0].partition(".")[0]
        if package not in shipped:
            shipped[package] = _shipped(package, files)
        manifest = shipped[package].get(extension.name)
        if manifest is None:
            try:
                manifest = _cached(extension, package)
            except Exception as error:  # noqa: BLE001 - a broken plugin costs only itself
                log.warning("the global %s is left out: %s", extension.name, error)
                continue
        found[extension.name] = manifest
    return found


def _package_folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _shipped(package: str, files: tuple[str, ...]) -> dict[str, Manifest]:
    """What the first of these files that can be read holds."""
    folder = _package_folder(package)
    if folder is None:
        return {}
    for file in files:
        try:
            data = json.loads((folder / file).read_bytes())
            if data["format"] == FORMAT:
                found: dict[str, Manifest] = data["globals"]
                return found
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return {}


def _cached(extension: Extension, package: str) -> Manifest:
    path = _cache_path(extension, package)
    try:
        manifest: Manifest = json.loads(path.read_bytes())
    except (OSError, ValueError):
        manifest = compile_extension(extension)
        _store(path, manifest)
    return manifest


def compile_extension(extension: Extension) -> Manifest:
    """Import a global's component and compile its declaration."""
    from llmspell_core.script.api import ScriptGlobal

    declared = extension.load()
    if not (isinstance(declared, type) and issubclass(declared, ScriptGlobal)):
        raise ExtensionError(
            f"{extension.target} of {extension.distribution} declares no ScriptGlobal",
            code="plugin.broken",
        )
    return {**compile_global(declared), "name": extension.name}


def compile_global(declared: type[ScriptGlobal]) -> Manifest:
    """The manifest of a class that declares a global."""
    from llmspell_core.script.manifest import compile_manifest

    return compile_manifest(declared)


def _cache_path(extension: Extension, package: str) -> Path:
    import hashlib

    folder = _package_folder(package)
    newest = max((p.stat().st_mtime_ns for p in folder.rglob("*.py")), default=0) if folder else 0
    key = f"{FORMAT} {extension.distribution} {extension.version} {extension.target} {newest}"
    name = f"{extension.name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    return cache_dir() / "manifests" / name


def _store(path: Path, manifest: Manifest) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.tmp")
        partial.write_text(json.dumps(manifest), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        log.debug("the manifest cache cannot be written: %s", error)
