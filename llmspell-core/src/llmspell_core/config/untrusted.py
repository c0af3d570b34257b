"""What a project file may set in a folder that the user has not trusted.

It may tighten; what widens or redirects is left out and named. The security table that is left
is laid *within* the user's own profile (`Loaded.security_tables`), so a mistake made here could
hide a warning and never widen anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmspell_core.config.interpolate import has_reference, names_in
from llmspell_core.config.layers import Keys, Layer, leaves, nested
from llmspell_core.config.widening import Widening

#: Built-in providers, whose own key variable a project may name: PROVIDER_API_KEY.
BUILT_IN_PROVIDERS = frozenset({
    "anthropic", "deepseek", "gemini", "groq", "llamacpp", "lmstudio", "mistral", "ollama",
    "openai", "openrouter",
})  # fmt: skip

#: Where what is private would go elsewhere, or code would run.
_PRIVATE: tuple[Keys, ...] = (
    ("system", "log_file"),
    ("system", "data_dir"),
    ("system", "cache_dir"),
    ("system", "telemetry"),
    ("telemetry",),
    ("secrets",),
    ("state", "url"),
    ("events", "share"),
    ("security", "audit_log"),
    ("security", "modules", "pins"),
)
#: Hooks that only observe or limit; any other may run code or send data.
_HARMLESS_HOOKS = frozenset({"cost", "debug", "logging", "metrics", "rate_limit"})
_PROVIDER_KEYS = frozenset({
    "type", "api_key", "models", "max_retries", "requests_per_minute", "tokens_per_minute",
})  # fmt: skip
#: Keys of open tables that name an address, a credential or a program.
_REDIRECTS = frozenset({
    "api_base", "api_key", "base_url", "command", "endpoint", "env", "extra_headers", "headers",
    "host", "proxy", "proxies", "server", "token", "url", "webhook",
})  # fmt: skip
_OPEN = frozenset({"agents", "models", "plugins", "tools", "workflows"})


def split(
    layer: Layer, below: Mapping[str, Any], project: Path, cwd: Path
) -> tuple[dict[str, Any], list[Keys]]:
    """What counts of an untrusted layer, and the keys that are ignored.

    Args:
        layer: the project file, its paths resolved already
        below: what system, user and trusted files set
        project: the project's folder
        cwd: the working directory
    """
    widening = Widening(below.get("security") or {}, project, cwd)
    allowed: dict[Keys, Any] = {}
    ignored: list[Keys] = []
    for path, value in leaves(layer.data):
        if path[0] == "security" and not _private(path, value, below, project):
            kept = widening.narrowed(path[1:], value)
        elif path[0] == "script_overrides" and path[2:3] == ("security",):
            kept = widening.narrowed(path[3:], value)
        else:
            kept = None if _private(path, value, below, project) else value
        if kept is None:
            ignored.append(path)
        else:
            allowed[path] = kept
    return nested(allowed), ignored


def _private(path: Keys, value: Any, below: Mapping[str, Any], project: Path) -> bool:
    """Whether a key sends what is private elsewhere, or lets code run."""
    if has_reference(value):
        return not _own_key(path, value)
    section, inner = path[0], path[2:]
    if section == "providers":
        return _redirects_provider(path, below)
    if section == "hooks":
        return path[1:] != () and path[1] not in _HARMLESS_HOOKS
    if (section, inner) == ("tools", ("enabled",)):
        return bool(value)
    if inner == ("file",) and section in {"prompts", "workflows"}:
        return not _inside(value, project)
    named = section in _OPEN and not _REDIRECTS.isdisjoint(inner)
    return named or any(path[: len(rule)] == rule for rule in _PRIVATE)


def _own_key(path: Keys, value: Any) -> bool:
    """`[providers.openai] api_key = "${OPENAI_API_KEY}"` says what is so without it."""
    if path[:1] != ("providers",) or path[2:] != ("api_key",) or not isinstance(value, str):
        return False
    own = [f"{path[1].upper()}_API_KEY"]
    return path[1] in BUILT_IN_PROVIDERS and names_in(value) == own and value.startswith("${")


def _redirects_provider(path: Keys, below: Mapping[str, Any]) -> bool:
    if path[2:] == ():
        return False
    name, key = path[1], path[2]
    own = (below.get("providers") or {}).get(name) or {}
    if key == "type":
        return name in BUILT_IN_PROVIDERS or bool(own)
    return key not in _PROVIDER_KEYS or (key == "api_key" and bool(own.get("api_key")))


def _inside(value: Any, project: Path) -> bool:
    return isinstance(value, str) and Path(value).resolve().is_relative_to(project.resolve())
