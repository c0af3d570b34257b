"""Who answers for the calls of one agent that need an approval: its `on_approval`."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmspell_core.approval import ApprovalAnswer, ApprovalRequest
from llmspell_core.asking import Asking, answer_by, with_hidden
from llmspell_core.errors import error_data
from llmspell_core.script.api import ScriptFunction

if TYPE_CHECKING:
    from llmspell_core.approval import Approver
    from llmspell_core.context import ExecutionContext


def approver_for(on_approval: Any, ctx: ExecutionContext) -> Approver:
    """The approver of an agent's calls; without `on_approval` whoever answers for the run."""
    if on_approval is None or on_approval in ("ask", "pause"):
        # A pause is the whole run's: the agent that the run begins with decides on it.
        return ctx.approver
    if on_approval == "deny":
        return _Deny()
    return FunctionApprover(on_approval, ctx.approver)


class _Deny:
    """`on_approval = "deny"`."""

    async def ask(self, request: ApprovalRequest) -> ApprovalAnswer:
        return ApprovalAnswer.deny("this agent is not given approvals")


@dataclass(slots=True)
class FunctionApprover:
    """Asks a function, of a script or of Python.

    A script may answer for its own tools. Where the policy wants a person to be asked, what it
    approves is put to whoever answers for the run as well.
    """

    function: Any
    above: Approver

    async def ask(self, request: ApprovalRequest) -> ApprovalAnswer:
        """What the function says of a request."""
        try:
            given = self.function(request)
            if inspect.isawaitable(given):
                given = await given
        except Exception as error:  # noqa: BLE001 - who cannot answer has not approved
            return ApprovalAnswer.deny(f"on_approval failed: {error_data(error)['message']}")
        return ApprovalAnswer.of(given)

    async def answer(self, asking: Asking) -> ApprovalAnswer:
        """The decision about a call."""
        answer = with_hidden(await self.ask(asking.request), asking)
        by_script = isinstance(self.function, ScriptFunction)
        return await confirmed(answer, asking, self.above) if by_script else answer


async def confirmed(answer: ApprovalAnswer, asking: Asking, above: Approver) -> ApprovalAnswer:
    """A script's answer, which whoever runs it must share where the policy wants a person."""
    if answer.kind == "deny" or asking.request.asked_by == "tool":
        return answer
    if answer.kind == "edit" and answer.arguments is not None:
        shown = asking.ctx.runtime.redactor.value(answer.arguments)
        request = asking.request.model_copy(update={"arguments": shown})
        asking = Asking(request, asking.tool, answer.arguments, asking.ctx)
    second = await answer_by(above, asking)
    return answer if second.kind == "approve" and answer.kind == "edit" else second
