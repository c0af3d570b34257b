"""The manifests of all installed script globals, without importing the components.

A distribution ships its manifests as ``script_manifest.json`` beside its top package. A plugin
without one is compiled on first use; the result is kept in the cache directory.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
from pathlib import Path
from typing import Any

from llmspell_core.config.directories import cache_dir
from llmspell_core.errors import LLMSpellError
from llmspell_core.extensions import Extension, Extensions

FILE = "script_manifest.json"
FORMAT = 1

log = logging.getLogger("llmspell.manifests")

Manifest = dict[str, Any]


def load_manifests() -> dict[str, Manifest]:
    """Global name -> manifest. A plugin that cannot be compiled is named and left out."""
    shipped: dict[str, dict[str, Manifest]] = {}
    found: dict[str, Manifest] = {}
    for extension in Extensions("globals").values():
        package = extension.target.partition(":")[0].partition(".")[0]
        if package not in shipped:
            shipped[package] = _shipped(package)
        manifest = shipped[package].get(extension.name)
        if manifest is None:
            try:
                manifest = _cached(extension, package)
            except LLMSpellError as error:
                log.warning("the global %s is left out: %s", extension.name, error)
                continue
        found[extension.name] = manifest
    return found


def _package_folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _shipped(package: str) -> dict[str, Manifest]:
    folder = _package_folder(package)
    if folder is None:
        return {}
    try:
        data = json.loads((folder / FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    globals_: dict[str, Manifest] = data["globals"] if data.get("format") == FORMAT else {}
    return globals_


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
    from llmspell_core.script.manifest import compile_manifest

    cls = extension.load()
    manifest = compile_manifest(cls)
    manifest["name"] = extension.name
    return manifest


def _cache_path(extension: Extension, package: str) -> Path:
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
