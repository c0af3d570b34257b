"""`Secrets`: keys and tokens by name, for providers and tools; never for scripts.

A variable of the environment wins, then the configuration, then what `[secrets] command`
prints. Whatever was found is known to the redactor from then on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from llmspell_core.errors import ConfigError

if TYPE_CHECKING:
    from llmspell_core.config.settings import Settings
    from llmspell_core.security.redact import Redactor

_TIMEOUT_S = 60
_MOST_BYTES = 64 * 1024


class Secrets:
    """The secrets of one Runtime."""

    def __init__(
        self,
        settings: Settings,
        redactor: Redactor | None = None,
        *,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._redactor = redactor
        self._env = os.environ if env is None else env
        self._printed: dict[str, str | None] = {}

    def get(self, name: str) -> str | None:
        """The secret of this name, or None.

        "openai" is found in OPENAI_API_KEY or OPENAI, in `[providers.openai] api_key`, in
        `[tools.openai] api_key`, and from `[secrets] command`. Raises `config.secret_command`
        when that command fails to run.
        """
        found = self.from_environment(name) or self._configured(name) or self._from_command(name)
        if found and self._redactor is not None:
            self._redactor.add(found)
        return found or None

    def origin(self, name: str) -> str | None:
        """Where `get` finds it: the variable's name, "configuration", "command" or None."""
        for variable in variables_of(name):
            if self._env.get(variable):
                return variable
        if self._configured(name):
            return "configuration"
        return "command" if self._from_command(name) else None

    def from_environment(self, name: str) -> str | None:
        """The secret out of a variable, or None."""
        return next((self._env[one] for one in variables_of(name) if self._env.get(one)), None)

    def _configured(self, name: str) -> str | None:
        provider = self._settings.providers.get(name)
        if provider is not None and provider.api_key:
            return provider.api_key
        tool = self._settings.tools.get(name)
        found = (tool.model_extra or {}).get("api_key") if tool else None
        return found if isinstance(found, str) and found else None

    def _from_command(self, name: str) -> str | None:
        command = self._settings.secrets.command
        if not command:
            return None
        if name not in self._printed:
            self._printed[name] = _run(command, name)
        return self._printed[name]


def variables_of(name: str) -> tuple[str, str]:
    """The variables that may hold a secret: `my-service` -> MY_SERVICE_API_KEY, MY_SERVICE."""
    plain = re.sub(r"[^A-Za-z0-9]", "_", name).upper()
    return f"{plain}_API_KEY", plain


def _run(command: str, name: str) -> str | None:
    """What the command prints; None when it says, by its exit code, that it has no such one."""
    import shlex
    import subprocess

    if name.startswith("-"):
        return None
    words = [*shlex.split(command, posix=os.name != "nt"), name]
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command, no shell
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(
            f'the secret command "{words[0]}" could not be run: {_reason(error)}',
            code="config.secret_command",
            hint="see [secrets] command",
        ) from None
    if done.returncode != 0 or len(done.stdout) > _MOST_BYTES:
        return None
    text = done.stdout.decode("utf-8", "replace")
    return text.splitlines()[0].strip() if text.strip() else None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "unknown reason"
    return f"no answer in {_TIMEOUT_S} s"
