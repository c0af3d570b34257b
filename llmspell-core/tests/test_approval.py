from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_core.approval import (
    ApprovalAnswer,
    ApprovalRequest,
    Approver,
    CallbackApprover,
    deny_all,
)

REQUEST = ApprovalRequest("email-sender", {"to": "a@example.com"}, "destructive")


def test_nobody_there_is_a_refusal() -> None:
    answer = asyncio.run(deny_all.ask(REQUEST))
    assert answer.kind == "deny"
    assert answer.message
    assert isinstance(deny_all, Approver)


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        (True, "approve"),
        ("approve", "approve"),
        ("always", "always"),
        ({"approve": True}, "approve"),
        ({"kind": "always"}, "always"),
        ({"arguments": {"to": "b"}}, "edit"),
        (ApprovalAnswer.deny("no"), "deny"),
        (False, "deny"),
        (None, "deny"),
        (1, "deny"),
        ("yes please", "deny"),
        ({}, "deny"),
    ],
)
def test_a_callback_answers_and_what_is_unclear_is_a_refusal(returned: Any, kind: str) -> None:
    async def later(_: ApprovalRequest) -> Any:
        return returned

    for callback in (lambda _: returned, later):
        assert asyncio.run(CallbackApprover(callback).ask(REQUEST)).kind == kind


def test_edited_arguments_are_carried() -> None:
    answer = ApprovalAnswer.of({"arguments": {"to": "b@example.com"}})
    assert answer.arguments == {"to": "b@example.com"}
