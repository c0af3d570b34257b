"""Sending by a service's HTTP API: SendGrid and Amazon SES."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ToolError
from llmspell_tools._service import (
    base_url,
    check_status,
    json_object,
    key_of,
    needed_key,
    not_configured,
    option,
)
from llmspell_tools.communication._mail import TOOL, Mail, split_address
from llmspell_tools.communication._sigv4 import Credentials, signed

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_SENDGRID = "https://api.sendgrid.com"
_KEY_ID, _KEY = "aws_access_key_id", "aws_secret_access_key"


def sendgrid_ready(ctx: ToolContext) -> bool:
    """Whether SendGrid has a key."""
    return key_of(ctx, "sendgrid", "sendgrid") is not None


def ses_ready(ctx: ToolContext) -> bool:
    """Whether a region is configured: keys of AWS alone do not mean that mail is wanted."""
    return bool(option(ctx, "ses", "region", ""))


async def by_sendgrid(mail: Mail, ctx: ToolContext, timeout_ms: float) -> dict[str, Any]:
    """SendGrid's v3 API: POST /v3/mail/send, which answers 202 without a body."""
    key = needed_key(ctx, "sendgrid", "sendgrid")
    response = await ctx.http.request(
        "POST",
        base_url(ctx, _SENDGRID, "sendgrid") + "/v3/mail/send",
        headers={"Authorization": f"Bearer {key}"},
        json=_sendgrid_body(mail),
        timeout_ms=timeout_ms,
    )
    check_status(response, "sendgrid")
    return {
        "message_id": response.headers.get("x-message-id"),
        "accepted": mail.recipients,
        "refused": {},
    }


async def by_ses(mail: Mail, ctx: ToolContext, timeout_ms: float) -> dict[str, Any]:
    """SES's API v2: POST /v2/email/outbound-emails with the raw message, signed."""
    region = option(ctx, "ses", "region", "")
    if not region:
        raise ToolError(
            f"{TOOL}: ses has no region",
            code="tool.not_configured",
            hint=f"set region in [tools.{TOOL}.ses]",
        )
    key_id, secret = ctx.secret(_KEY_ID), ctx.secret(_KEY)
    if not key_id or not secret:
        error = not_configured(ctx, "ses", "ses")
        error.hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise error
    credentials = Credentials(key_id, secret, region, "ses", ctx.secret("aws_session_token"))
    url = base_url(ctx, f"https://email.{region}.amazonaws.com", "ses")
    url += "/v2/email/outbound-emails"
    body = json.dumps(_ses_body(mail)).encode()
    response = await ctx.http.request(
        "POST",
        url,
        headers={
            **signed(credentials, "POST", url, body, datetime.now(UTC)),
            "Content-Type": "application/json",
        },
        content=body,
        timeout_ms=timeout_ms,
        # A signature holds for one host.
        follow_redirects=False,
    )
    check_status(response, "ses")
    answer = json_object(response, "ses")
    return {
        "message_id": answer.get("MessageId"),
        "accepted": mail.recipients,
        "refused": {},
    }


def _sendgrid_body(mail: Mail) -> dict[str, Any]:
    people: dict[str, Any] = {"to": [_person(one) for one in mail.to]}
    known = {split_address(one)[1].lower() for one in mail.to}
    # SendGrid refuses a mail that names somebody twice.
    for name, given in (("cc", mail.cc), ("bcc", mail.bcc)):
        others = {split_address(one)[1].lower(): _person(one) for one in given}
        new = [person for address, person in others.items() if address not in known]
        known |= others.keys()
        if new:
            people[name] = new
    content = []
    if mail.text is not None or mail.html is None:
        content.append({"type": "text/plain", "value": mail.text or " "})
    if mail.html is not None:
        content.append({"type": "text/html", "value": mail.html})
    body: dict[str, Any] = {
        "personalizations": [people],
        "from": _person(mail.sender),
        "subject": mail.subject,
        "content": content,
    }
    if mail.reply_to:
        body["reply_to"] = _person(mail.reply_to)
    if mail.parts:
        body["attachments"] = [
            {
                "content": base64.b64encode(part.data).decode(),
                "filename": part.name,
                "type": part.type,
                "disposition": "attachment",
            }
            for part in mail.parts
        ]
    return body


def _ses_body(mail: Mail) -> dict[str, Any]:
    destination = {
        name: [split_address(one)[1] for one in given]
        for name, given in (
            ("ToAddresses", mail.to),
            ("CcAddresses", mail.cc),
            ("BccAddresses", mail.bcc),
        )
        if given
    }
    return {
        "FromEmailAddress": split_address(mail.sender)[1],
        "Destination": destination,
        "Content": {"Raw": {"Data": base64.b64encode(mail.message().as_bytes()).decode()}},
    }


def _person(text: str) -> dict[str, str]:
    name, address = split_address(text)
    return {"email": address, "name": name} if name else {"email": address}
