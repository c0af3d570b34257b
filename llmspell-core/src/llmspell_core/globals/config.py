"""The script global `Config`: read the configuration, and change what a script may."""

from __future__ import annotations

from typing import Any

from llmspell_core.errors import PolicyError, ValidationError
from llmspell_core.script.api import ScriptGlobal, script_method

#: Sections that a script may change for its own run: none of them widens what it can do.
_OWN = frozenset({"default", "models", "prompts", "workflow_defaults"})
#: Keys inside them that would: money, files, addresses.
_NOT_OWN = frozenset({"max_cost_usd", "file", "base_url", "api_key", "headers", "url"})


class ConfigGlobal(ScriptGlobal):
    """The configuration. Secrets are shown as `***`, and changes last as long as the run."""

    name = "Config"

    @script_method
    def get(self, path: str | None = None, default: Any = None) -> Any:
        """A value, or a whole table; an unknown path gives the default.

        Args:
            path: such as default.model or providers.openai.base_url; nil gives everything set
            default: what an unknown or unset path gives
        """
        from llmspell_core.config.view import masked, value_at

        settings = self.ctx.settings
        if path is None:
            found: Any = {name: masked(value, (name,)) for name, value in settings.data().items()}
        else:
            found = value_at(settings, _parts(path), default)
        return self.ctx.runtime.redactor.value(found)

    @script_method
    def set(self, path: str, value: Any) -> None:
        """Set a value for this run, in `default`, `models`, `prompts` or `workflow_defaults`.

        Args:
            path: such as default.model
            value: what the configuration file could have there
        """
        parts = _parts(path)
        if len(parts) < 2:  # noqa: PLR2004 - a section and a key
            raise ValidationError(f'Config.set: "{path}" is not section.key')
        if parts[0] not in _OWN or not _NOT_OWN.isdisjoint(parts[1:]) or _widens(value):
            raise PolicyError(
                f"a script cannot set {path}",
                code="policy.config",
                hint=f"it may set keys of {', '.join(sorted(_OWN))}; others belong in the "
                "configuration",
            )
        self.ctx.overlay.settings = self.ctx.settings.changed(parts, value)

    @script_method
    def get_provider(self, name: str) -> dict[str, Any] | None:
        """A declared provider, without its key; nil when the configuration has none of the name.

        Args:
            name: as in [providers.NAME]
        """
        from llmspell_core.config.view import value_at

        found = value_at(self.ctx.settings, ("providers", name))
        return None if found is None else {"name": name, **found}

    @script_method
    def is_file_access_allowed(self, path: str | None = None) -> bool:
        """Whether a file may be read; without a path: whether any may.

        Args:
            path: a file or folder
        """
        files = self.ctx.policy.files
        if path is None:
            return bool(files.roots()["read"])
        try:
            files.resolve(path)
        except PolicyError:
            return False
        return True

    @script_method
    def is_network_access_allowed(self, host: str | None = None) -> bool:
        """Whether a host may be reached; without a host: whether any may.

        Args:
            host: a name or an address, with :port or not
        """
        return network_allowed(self.ctx.policy, host)


def network_allowed(policy: Any, host: str | None) -> bool:
    """Whether a policy lets a host, or any host, be reached."""
    if host is None:
        return all(
            one.network.mode == "all" or (one.network.mode != "none" and one.network.allowed_hosts)
            for one in policy.profile.chain()
        )
    from llmspell_core.security.net import split_port

    name, port = split_port(host)
    return bool(policy.net.allows(name, port or 443))


def _parts(path: str) -> tuple[str, ...]:
    from llmspell_core.config.files import toml_keys

    return tuple(toml_keys(path))


def _widens(value: Any) -> bool:
    if isinstance(value, dict):
        return not _NOT_OWN.isdisjoint(value) or any(map(_widens, value.values()))
    return False
