"""What a project file may set in a folder that the user has not trusted.

It may tighten; what widens or redirects is left out and named. The security table that is left
is laid *within* the user's own profile (`Loaded.security_tables`), so a mistake made here could
hide a warning and never widen anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, ClassVar

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
    ("cassette",),
    ("journal", "file"),
    ("state", "url"),
    ("events", "share"),
    ("security", "audit_log"),
    ("security", "modules", "pins"),
    ("plugins",),
)
#: Hooks that only observe or limit; any other may run code or send data.
_HARMLESS_HOOKS = frozenset({"cost", "debug", "logging", "metrics", "rate_limit", "tracing"})
#: Those of them that hold something back.
_LIMITS = frozenset({"cost", "rate_limit"})
_PROVIDER_KEYS = frozenset({
    "type", "api_key", "models", "max_retries", "requests_per_minute", "tokens_per_minute",
})  # fmt: skip
#: Words in the keys of open tables that name an address, a credential, a program or a place.
_REDIRECTS = frozenset({
    "address", "auth", "authorization", "base", "bearer", "body", "command", "cookie", "cookies",
    "credential", "credentials", "directory", "dir", "domain", "endpoint", "env", "executable",
    "header", "headers", "host", "hosts", "hostname", "instance", "key", "keys", "log", "origin",
    "password", "path", "port", "proxies", "proxy", "query", "region", "sandbox", "secret",
    "server", "servers", "site", "socket", "token", "uri", "url", "urls", "webhook",
})  # fmt: skip
#: Below these the names are not llmspell's: a workflow may have an input `url`.
_DATA = frozenset({
    "input", "input_schema", "output_schema", "parameters", "properties", "response_format",
    "variables",
})  # fmt: skip
#: A word of a key: `baseURL`, `api-base` and `API_BASE` have two.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_OPEN = frozenset({"agents", "models", "tools", "workflows"})


def split(
    layer: Layer,
    below: Mapping[str, Any],
    project: Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
) -> tuple[dict[str, Any], list[Keys]]:
    """What counts of an untrusted layer, and the keys that are ignored.

    Args:
        layer: the project file, its paths resolved already
        below: what system, user and trusted files set
        project: the project's folder
        cwd: the working directory
        env: the variables, which may hold the user's own keys
    """
    widening = Widening(below.get("security"), project, cwd)
    rules = _Private(layer.data, below, project, env or {})
    allowed: dict[Keys, Any] = {}
    ignored: list[Keys] = []
    for path, value in leaves(layer.data):
        if rules.hold(path, value):
            kept = None
        elif path[0] == "security":
            kept = widening.narrowed(path[1:], value)
        elif path[0] == "script_overrides" and path[2:3] == ("security",):
            kept = widening.narrowed(path[3:], value)
        else:
            kept = value
        if kept is None:
            ignored.append(path)
        else:
            allowed[path] = kept
    return nested(allowed), ignored


class _Private:
    """Whether a key sends what is private elsewhere, lets code run, or lifts a limit on costs."""

    def __init__(
        self,
        given: Mapping[str, Any],
        below: Mapping[str, Any],
        project: Path,
        env: Mapping[str, str],
    ) -> None:
        self._given = given
        self._below = below
        self._project = project
        self._env = env

    def hold(self, path: Keys, value: Any) -> bool:
        """Whether a project that is not trusted may not set this key to this value."""
        if has_reference(value):
            return not _own_key(path, value)
        section, inner = path[0], path[2:]
        if any(path[: len(rule)] == rule for rule in _PRIVATE):
            return True
        if section in self._rules:
            return self._rules[section](self, path, value)
        return section in _OPEN and self._redirects(inner, value, section)

    def _provider(self, path: Keys, value: Any) -> bool:
        if path[2:] == ():
            return path[1:] != () and self._takes_a_secret(path[1])
        name, key = path[1], path[2]
        own = _table(_table(self._below, "providers"), name)
        if self._takes_a_secret(name):
            return True
        if key == "type":
            return name in BUILT_IN_PROVIDERS or bool(own)
        if key != "api_key":
            return key not in _PROVIDER_KEYS
        if own.get("api_key"):
            return True
        # With another's key, what the user sends would be seen in another's account.
        known = name in BUILT_IN_PROVIDERS and self._env.get(_own_variable(name))
        return bool(known) and not has_reference(value)

    def _takes_a_secret(self, name: str) -> bool:
        """Whether a provider of the project's own would find its key among the user's.

        A key is looked for by the provider's name: `[providers.github_token]` finds GITHUB_TOKEN.
        """
        if name in BUILT_IN_PROVIDERS or _table(_table(self._below, "providers"), name):
            return False
        key = _table(_table(self._given, "providers"), name).get("api_key")
        return not (isinstance(key, str) and key and not has_reference(key))

    def _hook(self, path: Keys, value: Any) -> bool:
        if path[1:] == ():
            return False
        if path[1] not in _HARMLESS_HOOKS:
            return True
        given = _table(_table(self._below, "hooks"), path[1])
        if path[1] in _LIMITS and given and not isinstance(value, (int, float)):
            # How the user's own limit counts is as much a part of it as the number.
            return bool(given.get(path[-1]) != value)
        return _lifts(value, given.get(path[-1]))

    def _tool(self, path: Keys, value: Any) -> bool:
        if path[2:] == ("enabled",):
            return bool(value)
        return self._redirects(path[2:], value, "tools")

    def _security(self, path: Keys, _: Any) -> bool:
        return path[1:2] == ("profiles",) and path[3:] == ("modules", "pins")

    def _system(self, path: Keys, value: Any) -> bool:
        # The warning that names the ignored keys would not be seen.
        return path[1:] == ("log_level",) and value == "error"

    def _prompt(self, path: Keys, value: Any) -> bool:
        return path[2:] == ("file",) and not self._may_read(value)

    def _workflow(self, path: Keys, value: Any) -> bool:
        return self._prompt(path, value) or self._redirects(path[2:], value, "workflows")

    def _default(self, path: Keys, value: Any) -> bool:
        if path[1:] != ("max_cost_usd",):
            return False
        return _lifts(value, _table(self._below, "default").get("max_cost_usd"))

    def _price(self, _: Keys, __: Any) -> bool:
        """Prices of the project's own would make a limit on costs say nothing."""
        hook = _table(_table(self._below, "hooks"), "cost")
        return bool(_table(self._below, "default").get("max_cost_usd") or hook)

    _rules: ClassVar[Mapping[str, Callable[[_Private, Keys, Any], bool]]] = {
        "default": _default,
        "hooks": _hook,
        "prices": _price,
        "prompts": _prompt,
        "providers": _provider,
        "security": _security,
        "system": _system,
        "tools": _tool,
        "workflows": _workflow,
    }

    def _redirects(self, inner: Keys, value: Any, section: str) -> bool:
        own = takewhile(lambda key: key not in _DATA, inner)
        words = {word.lower() for key in own for word in _WORD.findall(key)}
        if not _REDIRECTS.isdisjoint(words):
            return True
        # What a script may say as well passes the gates; settings of tools and models do not.
        return section in {"tools", "models"} and _names_an_address(value)

    def _may_read(self, value: Any) -> bool:
        """A file inside the project, and none that the built-in list denies."""
        from llmspell_core.security.patterns import DenyList
        from llmspell_core.security.profile import BUILTIN_DENY

        if not isinstance(value, str):
            # The check of the settings reports it.
            return True
        file = Path(value).resolve()
        inside = file.is_relative_to(self._project.resolve())
        return inside and not DenyList(BUILTIN_DENY).matches(str(file))


def _own_key(path: Keys, value: Any) -> bool:
    """`[providers.openai] api_key = "${OPENAI_API_KEY}"` says what is so without it."""
    if path[:1] != ("providers",) or path[2:] != ("api_key",) or not isinstance(value, str):
        return False
    own = [_own_variable(path[1])]
    return path[1] in BUILT_IN_PROVIDERS and names_in(value) == own and value.startswith("${")


def _own_variable(name: str) -> str:
    return f"{name.upper()}_API_KEY"


def _table(data: Any, name: str) -> Mapping[str, Any]:
    found = data.get(name) if isinstance(data, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _lifts(value: Any, most: Any) -> bool:
    """Whether a number is above the one that the user set, 0 being none."""
    numbers = isinstance(value, (int, float)) and isinstance(most, (int, float))
    return numbers and bool(most) and (value == 0 or value > most)


def _names_an_address(value: Any) -> bool:
    if isinstance(value, list):
        return any(_names_an_address(one) for one in value)
    if isinstance(value, Mapping):
        return any(_names_an_address(one) for one in value.values())
    return isinstance(value, str) and "://" in value
