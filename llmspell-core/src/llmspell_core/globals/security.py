"""The script global `Security`: what this script may do. It can be read and never changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from llmspell_core.errors import LLMSpellError, NotFoundError, PolicyError, did_you_mean
from llmspell_core.globals.config import network_allowed
from llmspell_core.script.api import ScriptGlobal, script_method

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.security.policy import Policy

CheckKind = Literal[
    "read", "write", "host", "process", "environment", "module", "tool", "state", "library"
]


class SecurityGlobal(ScriptGlobal):
    """The security profile of this script.

    `Security.profile` is its name, `Security.permissions` what it allows (files, network,
    processes, environment, modules, tools, libraries, state_scopes), `Security.limits` the
    limits (memory_mb, cpu_s, wall_s, host_calls, ...); 0 is no limit.
    """

    name = "Security"

    @staticmethod
    def script_values(ctx: ExecutionContext) -> dict[str, Any]:
        """The global's readable fields, given to the engine when the session starts."""
        return {
            "profile": ctx.policy.profile.name,
            "permissions": ctx.policy.permissions(),
            "limits": ctx.policy.limits.model_dump(),
        }

    @script_method
    def check(self, kind: CheckKind, target: str) -> bool:
        """Whether the profile allows something, without doing it.

        Args:
            kind: read, write (files), host, process, environment, module, tool, state (a scope)
                or library (of this language)
            target: the path, host, name
        """
        return bool(_CHECKS[kind](self.ctx, target))


def _file(policy: Policy, path: str, mode: Literal["read", "write"]) -> bool:
    try:
        policy.files.resolve(path, mode)
    except PolicyError:
        return False
    return True


def _process(policy: Policy, executable: str) -> bool:
    try:
        policy.process.resolve(executable)
    except LLMSpellError:
        return False
    return True


def _tool(ctx: ExecutionContext, name: str) -> bool:
    tool = ctx.overlay.tools.find(name)
    if tool is None:
        raise NotFoundError(
            f'unknown tool "{name}"',
            code="tool.not_found",
            hint=did_you_mean(name, ctx.overlay.tools.names()),
        )
    return ctx.policy.allows_tool(tool)


def _library(ctx: ExecutionContext, name: str) -> bool:
    libraries = ctx.policy.profile.libraries
    known = libraries.get(ctx.language, libraries.get("*", ()))
    return "*" in known or name in known


_CHECKS: dict[CheckKind, Callable[[ExecutionContext, str], bool]] = {
    "read": lambda ctx, target: _file(ctx.policy, target, "read"),
    "write": lambda ctx, target: _file(ctx.policy, target, "write"),
    "host": lambda ctx, target: network_allowed(ctx.policy, target),
    "process": lambda ctx, target: _process(ctx.policy, target),
    "environment": lambda ctx, target: ctx.policy.env.allowed(target),
    "module": lambda ctx, target: ctx.policy.modules.allowed(target),
    "tool": _tool,
    "state": lambda ctx, target: ctx.policy.allows_scope(target) or target == ctx.state_scope,
    "library": _library,
}
