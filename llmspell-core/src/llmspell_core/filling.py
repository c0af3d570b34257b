"""What the registries of a Runtime hold at first: the distributions' things and the settings'.

Each is filled when somebody first looks, and nothing in it is imported before it is used.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import NotFoundError
from llmspell_core.extensions import BUILT_IN, Extension, Extensions

if TYPE_CHECKING:
    from llmspell_core.config.settings import Settings
    from llmspell_core.overlay import Overlay
    from llmspell_core.registry import Registry

log = logging.getLogger("llmspell.runtime")


def fill_registries(base: Overlay, settings: Settings, kinds: Collection[str]) -> None:
    """Fill those of these kinds (`tools`, `agents`, `workflows`) on first use."""
    registries: dict[str, Registry[Any]] = {
        "tools": base.tools,
        "agents": base.agents,
        "workflows": base.workflows,
    }
    for kind, registry in registries.items():
        if kind in kinds:
            registry.fill_on_first_use(partial(_fill, kind, base, settings))
    if "agents" in kinds:
        base.templates.fill_on_first_use(partial(_fill_templates, settings))


def _fill(kind: str, base: Overlay, settings: Settings, registry: Registry[Any]) -> None:
    aliases = _aliases(kind)
    maker = Extensions("configured").get(kind)
    # What is built in comes first: a stranger cannot take its names and other spellings.
    found = sorted(Extensions(kind).values(), key=lambda one: one.distribution not in BUILT_IN)
    for extension in found:
        before = registry.entry(extension.name)
        if before is not None and before.source in BUILT_IN:
            log.warning(
                "the %s %s of %s is not used: %s has that name",
                kind.removesuffix("s"), extension.name, extension.distribution, before.source,
            )  # fmt: skip
            continue
        registry.add_lazy(
            extension.name,
            _instance(extension, maker, base),
            source=extension.distribution,
            aliases=aliases.get(extension.target, ()),
            summary=extension.summary,
        )
    if maker is not None:
        tables = getattr(settings, kind)
        for name in tables:
            # The user's own table stands for a distribution's agent of that name.
            registry.remove(name)
        _add_configured(registry, maker, tables, base)


def _fill_templates(settings: Settings, registry: Registry[Any]) -> None:
    """Agents that are made of data are templates of others as well."""
    maker, below = Extensions("configured").get("agent_templates"), registry.parent
    if maker is None or below is None:
        return
    for extension in Extensions("agents").values():
        below.add_lazy(
            extension.name,
            _template(extension, maker, below),
            source=extension.distribution,
            summary=extension.summary,
        )
    _add_configured(registry, maker, settings.agents, registry)


def _add_configured(
    registry: Registry[Any], maker: Extension, tables: Mapping[str, dict[str, Any]], where: Any
) -> None:
    for name, fields in tables.items():
        registry.add_lazy(
            name,
            partial(_configured, maker, name, fields, where),
            source="configuration",
            summary=str(fields.get("description", "")),
        )


def _aliases(kind: str) -> dict[str, tuple[str, ...]]:
    """Further names by what they stand for, out of the group `llmspell.tool_aliases` for tools."""
    found: dict[str, tuple[str, ...]] = {}
    for extension in Extensions(f"{kind.removesuffix('s')}_aliases").values():
        found[extension.target] = (*found.get(extension.target, ()), extension.name)
    return found


def _configured(maker: Extension, name: str, fields: dict[str, Any], where: Any) -> Any:
    """What a table of the settings describes, made by its kind (`llmspell.configured`)."""
    return maker.load()(name, fields, where)


def _template(extension: Extension, maker: Extension, below: Registry[Any]) -> Callable[[], Any]:
    def made() -> Any:
        value = extension.load()
        if isinstance(value, dict):
            return maker.load()(extension.name, value, below)
        raise NotFoundError(
            f'the agent "{extension.name}" of {extension.distribution} is no template',
            code="template.not_found",
            hint="only agents that are made of data can be extended",
        )

    return made


def _instance(extension: Extension, maker: Extension | None, overlay: Overlay) -> Callable[[], Any]:
    """Entry points name a class, an object or data: a class is made once, without arguments."""

    def made() -> Any:
        value = extension.load()
        if isinstance(value, dict) and maker is not None:
            return maker.load()(extension.name, value, overlay)
        if isinstance(value, type):
            try:
                value = value()
            except Exception as error:
                raise extension.broken(f"failed to make {extension.target}", error) from error
        if getattr(value, "kind", None) != extension.kind.removesuffix("s"):
            what = TypeError(f"a {type(value).__name__} is none")
            raise extension.broken(f"gave no {extension.kind.removesuffix('s')}", what)
        return value

    return made
