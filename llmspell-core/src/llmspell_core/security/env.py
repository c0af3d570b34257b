"""The gate to environment variables: named ones only, and never a secret's value."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from llmspell_core.errors import LimitError, PolicyError, ValidationError

if TYPE_CHECKING:
    from llmspell_core.security.audit import AuditLog
    from llmspell_core.security.redact import Redactor

MASK = "***"
#: Variables by which a listed program is made to load or run another one.
_DANGEROUS = (
    "PATH", "LD_*", "DYLD_*", "PYTHON*", "PERL*", "RUBY*", "NODE_*", "JAVA_*", "_JAVA_*", "JDK_*",
    "BASH*", "ENV", "IFS", "SHELLOPTS", "PS4", "PROMPT_COMMAND", "GIT_*", "SSH_*", "PAGER",
    "*EDITOR", "VISUAL", "BROWSER", "LESS*", "GCONV_PATH", "MAKEFLAGS", "CARGO_*", "RUSTC*",
    "CC", "CXX", "npm_*", "COMSPEC", "PATHEXT", "SYSTEMROOT",
)  # fmt: skip
#: What a run may set at most: as many variables, and characters in each.
_MOST_OWN = 1_000
_LONGEST = 32_768
_HINTS = ("key", "token", "secret", "pass", "pwd", "cred", "auth", "vate", "cook", "sess", "dsn")
_TELLTALE = (
    r"(?i)(^|_)(api_?key|key|keys|token|tokens|secret|secrets|passw(or)?d|passwd|pass|pwd|"
    r"passphrase|credential|credentials|auth|private|cookie|session|dsn)(_|$)|"
    r"(apikey|secret|password|token)"
)


class EnvGate:
    """Environment variables as a run may see them.

    Args:
        layers: one list of allowed names (globs) for each profile of the chain.
    """

    def __init__(
        self,
        layers: tuple[tuple[str, ...], ...],
        *,
        environ: Mapping[str, str] | None = None,
        redactor: Redactor | None = None,
        audit: AuditLog | None = None,
    ) -> None:
        self._layers = layers
        self._environ = os.environ if environ is None else environ
        self._redactor = redactor
        self._audit = audit
        self._own: dict[str, str] = {}

    def allowed(self, name: str) -> bool:
        """Whether the policy names this variable; says nothing about whether it is set."""
        return all(any(_match(name, entry) for entry in layer) for layer in self._layers)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value; `***` for a secret; the default when it is unset or not allowed."""
        if name in self._own:
            return self._own[name]
        allowed = self.allowed(name)
        if self._audit is not None:
            self._audit.record("env", name, "allow" if allowed else "deny", "environment")
        if not allowed or name not in self._environ:
            return default
        return self._masked(name, self._environ[name])

    def names(self) -> list[str]:
        """The allowed variables that are set, sorted."""
        return sorted({*self._own, *(name for name in self._environ if self.allowed(name))})

    def set(self, name: str, value: str) -> None:
        """Set a variable for this run only: the process's environment stays as it is.

        Raises:
            ValidationError: it is no name or value that a variable can have.
            PolicyError: `policy.environment`: programs that get it would load others by it.
            LimitError: `limit.environment`: too many, or too long.
        """
        if not name or "=" in name or "\0" in name + value:
            raise ValidationError("a variable has a name without =, and no NUL character")
        if loads_programs(name) and not self._is_free():
            raise PolicyError(
                f'the variable "{name[:80]}" may not be set',
                code="policy.environment",
                hint="it could make a program run another one",
            )
        many = len(self._own) >= _MOST_OWN and name not in self._own
        if many or len(name) + len(value) > _LONGEST:
            raise LimitError(
                f"at most {_MOST_OWN} variables can be set, of {_LONGEST} characters each",
                code="limit.environment",
            )
        if self._audit is not None:
            self._audit.record("env.set", name, "allow", "environment")
        self._own[name] = value

    def is_masked(self, name: str) -> bool:
        """Whether `get` gives `***` for this name."""
        return self.get(name) == MASK

    def for_process(self) -> dict[str, str]:
        """The variables that a started process gets: the allowed ones that are no secrets."""
        found = {name: self.get(name) for name in self.names()}
        return {name: value for name, value in found.items() if value not in (None, MASK)}

    def _is_free(self) -> bool:
        return all("*" in layer for layer in self._layers)

    def _masked(self, name: str, value: str) -> str:
        if self._is_free():
            return value
        if looks_secret(name):
            return MASK
        return self._redactor.text(value) if self._redactor is not None else value


def looks_secret(name: str) -> bool:
    """Whether a variable of this name usually holds a secret."""
    folded = name.casefold()
    # Most names have none of these in them, and the expression need not be compiled.
    return any(hint in folded for hint in _HINTS) and re.search(_TELLTALE, name) is not None


def loads_programs(name: str) -> bool:
    """Whether a program that gets a variable of this name may load or run another one by it."""
    return any(fnmatchcase(name.upper(), pattern.upper()) for pattern in _DANGEROUS)


def _match(name: str, entry: str) -> bool:
    if not set(entry) & set("*?["):
        return name == entry if os.name != "nt" else name.upper() == entry.upper()
    # Windows ignores the case of names; elsewhere PATH and Path are two variables.
    if os.name == "nt":
        return fnmatchcase(name.upper(), entry.upper())
    return fnmatchcase(name, entry)
