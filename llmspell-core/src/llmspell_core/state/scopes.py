"""Scopes: whose state it is, and which of them the policy lets a run use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspell_core.errors import PolicyError
from llmspell_core.state.store import BENEATH
from llmspell_core.state.values import check_key

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

#: Shared between scripts; the policy says who may use them.
SHARED = ("global", "session", "user")
#: Kinds of components, whose state lies beneath the script's own.
COMPONENTS = ("agent", "workflow", "tool", "custom")


def scope_for(ctx: ExecutionContext, name: str, id: str | None = None) -> str:
    """The scope that a script calls `name`, for `agent`, `workflow` and `tool` of one `id`.

    `global` and `user` are shared by all scripts, `session` by those of one session; all others
    lie beneath the script's own scope, unless the policy shares them by name. Raises
    ``policy.state_scope``.
    """
    check_key(name)
    if id is not None:
        return f"{ctx.state_scope}{BENEATH}{name}:{check_key(id)}"
    allowed = ctx.policy.profile.state_scopes
    if name in SHARED:
        if name not in allowed and "*" not in allowed:
            raise PolicyError(
                f'the security profile does not allow the state scope "{name}"',
                code="policy.state_scope",
                hint="use State.get and State.set, the script's own scope",
            )
        return _shared(ctx, name)
    if name in allowed:
        return f"shared:{name}"
    kind = name if name in COMPONENTS else f"custom:{name}"
    return f"{ctx.state_scope}{BENEATH}{kind}"


def _shared(ctx: ExecutionContext, name: str) -> str:
    if name != "session":
        return name
    # Without a session a run is its own: what it keeps lies with the script.
    return f"session:{ctx.session_id}" if ctx.session_id else f"{ctx.state_scope}{BENEATH}session"
