"""Manifests reduced to what an engine needs: names, without docs and types.

The full manifests of all globals are a hundred kilobytes and more; a guest reads this form.
Applying it twice changes nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def compact(manifest: dict[str, Any]) -> dict[str, Any] | None:
    """One global; None for the kinds that engines make themselves (`args`, `stdin`, ...).

    ``methods`` maps each accepted name to the method, ``guest`` each method to whether the
    engine answers it, ``hidden`` holds those that are not listed.
    """
    if "guest" in manifest:
        return manifest
    if manifest.get("kind", "table") != "table":
        return None
    methods: dict[str, Any] = manifest.get("methods", {})
    return {
        "name": manifest["name"],
        "aliases": list(manifest.get("aliases") or ()),
        "methods": _names(methods),
        "guest": {name: bool(method.get("guest")) for name, method in methods.items()},
        "hidden": {name: True for name, method in methods.items() if method.get("hidden")},
        "builders": _builders(manifest),
        "objects": {
            name: {
                "methods": _names(one.get("methods", {})),
                "builders": _builders(one),
                **({"iterate": one["iterate"]} if one.get("iterate") else {}),
            }
            for name, one in manifest.get("objects", {}).items()
        },
        **{key: manifest[key] for key in ("call", "index", "values") if manifest.get(key)},
    }


def names_only(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a start needs of one global: the compact form, also of the kinds that engines make."""
    short = compact(manifest)
    if short is not None:
        return short
    kept = {key: manifest[key] for key in ("name", "kind", "values") if manifest.get(key)}
    return {**kept, "methods": _names(manifest.get("methods", {}))}


def _names(methods: dict[str, Any]) -> dict[str, str]:
    names = {name: name for name in methods}
    for name, method in methods.items():
        for alias in method.get("aliases") or ():
            names.setdefault(alias, name)
    return names


def _builders(manifest: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {key: one[key] for key in ("setters", "build", "finish") if one.get(key)}
        for name, one in (manifest.get("builders") or {}).items()
    }
