"""The tool `email-sender`: mail with attachments, by SMTP, SendGrid or Amazon SES."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import ConfigError, ToolError
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Text, check_size, wrong
from llmspell_tools._service import ServiceName, option
from llmspell_tools.communication import _mail_services, _smtp
from llmspell_tools.communication._mail import (
    Attachments,
    Line,
    Mail,
    Mailbox,
    Mailboxes,
    read_parts,
    split_address,
)

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_SENDERS = {
    "smtp": (_smtp.ready, _smtp.send),
    "sendgrid": (_mail_services.sendgrid_ready, _mail_services.by_sendgrid),
    "ses": (_mail_services.ses_ready, _mail_services.by_ses),
}


class EmailParameters(ToolParameters):
    """To whom, and what."""

    aliases: ClassVar[dict[str, str]] = {
        "from": "from_",
        "sender": "from_",
        "recipients": "to",
        "input": "body",
        "text": "body",
        "content": "body",
        "message": "body",
    }

    to: Mailboxes = Field(
        min_length=1, description='Recipients, like "ada@example.com" or "Ada <ada@example.com>"'
    )
    from_: Mailbox | None = Field(
        None, alias="from", description="The sender; else the one of [tools.email-sender]"
    )
    subject: Line = Field("", max_length=900, description="The subject")
    body: Text | None = Field(None, description="The text")
    html: Text | None = Field(None, description="The same as HTML, beside or instead of the text")
    cc: Mailboxes = Field(default_factory=list, description="Further recipients")
    bcc: Mailboxes = Field(
        default_factory=list, description="Recipients that the others do not see"
    )
    reply_to: Mailbox | None = Field(None, description="Where answers go")
    attachments: Attachments = Field(
        default_factory=list,
        description="Paths, or {path, name, type} or {name, content, encoding} (text, base64)",
    )
    provider: Annotated[Literal["smtp", "sendgrid", "ses"], ServiceName(amazonses="ses")] | None = (
        Field(None, description="Who sends it; else the one that is configured")
    )
    timeout_ms: float = Field(60_000, gt=0, le=300_000, description="In milliseconds")


class EmailSender(Tool):
    """Sends mail."""

    name = "email-sender"
    description = (
        "Sends an email with text, HTML and attachments through the SMTP server or mail service "
        "that is configured."
    )
    category = "communication"
    security_level = "restricted"
    permissions = Permissions(
        files="read the attachments",
        network="the configured SMTP server, api.sendgrid.com or email.REGION.amazonaws.com",
        secrets=(
            "smtp_password",
            "sendgrid",
            "aws_access_key_id",
            "aws_secret_access_key",
            "aws_session_token",
        ),
    )
    destructive = True
    open_world = True
    Parameters = EmailParameters
    timeout_ms = 330_000
    extra = "communication"
    examples = (
        (
            {
                "to": "Ada <ada@example.com>",
                "from": "reports@example.com",
                "subject": "Report",
                "body": "It is done.",
                "attachments": [{"name": "figures.csv", "content": "a,b\n1,2\n"}],
            },
            "message_id, and who was accepted",
        ),
    )

    async def run_tool(self, params: EmailParameters, ctx: ToolContext) -> ToolResult:
        name = self._provider(params, ctx)
        mail = await self._mail(params, ctx)
        result = await _SENDERS[name][1](mail, ctx, params.timeout_ms)
        result = {"sent": True, "provider": name, **result}
        text = f"sent to {', '.join(result['accepted'])}"
        if result["refused"]:
            text += "; refused: " + ", ".join(
                f"{one} ({why})" for one, why in result["refused"].items()
            )
        return ToolResult(result, text=text)

    def _provider(self, params: EmailParameters, ctx: ToolContext) -> str:
        named = params.provider or option(ctx, "", "provider", "")
        if named:
            if named not in _SENDERS:
                raise ConfigError(
                    f"[tools.{self.name}] provider must be smtp, sendgrid or ses, not {named!r:.40}"
                )
            return str(named)
        for name, (ready, _) in _SENDERS.items():
            if ready(ctx):
                return name
        raise ToolError(
            f"{self.name}: nobody to send mail is configured",
            code="tool.not_configured",
            hint=f"set host in [tools.{self.name}.smtp], SENDGRID_API_KEY, or region in "
            f"[tools.{self.name}.ses]",
        )

    async def _mail(self, params: EmailParameters, ctx: ToolContext) -> Mail:
        for field in ("body", "html"):
            check_size(self.name, len(getattr(params, field) or ""), field)
        if params.body is None and params.html is None:
            raise wrong(self.name, "body", "is required, or html")
        return Mail(
            sender=params.from_ or self._configured_sender(ctx),
            to=params.to,
            subject=params.subject,
            text=params.body,
            html=params.html,
            cc=params.cc,
            bcc=params.bcc,
            reply_to=params.reply_to,
            parts=await asyncio.to_thread(read_parts, params.attachments, ctx),
        )

    def _configured_sender(self, ctx: ToolContext) -> str:
        sender: Any = option(ctx, "", "from", "")
        if not sender:
            raise wrong(self.name, "from", f"is required: [tools.{self.name}] has none")
        try:
            split_address(sender)
        except ValueError as error:
            raise ConfigError(f"[tools.{self.name}] from: {error}") from None
        return str(sender)
