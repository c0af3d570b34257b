"""A mail: its addresses and attachments, checked, and the message that is made of them."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from llmspell_core.script.model import ScriptModel
from llmspell_tools._parameters import MAX_SIZE, Text, check_size, wrong

if TYPE_CHECKING:
    from email.message import EmailMessage

    from llmspell_core.context import ToolContext

TOOL = "email-sender"
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}"
)
_NAMED = re.compile(r"\s*(?:\"?([^\"<>\r\n\0]*?)\"?\s*)<([^<>\s]+)>\s*")
_TYPES = {
    "csv": "text/csv", "gif": "image/gif", "htm": "text/html", "html": "text/html",
    "ics": "text/calendar", "jpeg": "image/jpeg", "jpg": "image/jpeg", "json": "application/json",
    "md": "text/markdown", "mp3": "audio/mpeg", "mp4": "video/mp4", "pdf": "application/pdf",
    "png": "image/png", "svg": "image/svg+xml", "txt": "text/plain", "wav": "audio/wav",
    "webp": "image/webp", "xml": "application/xml", "zip": "application/zip",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


#: What ends a line for one of those who read mail.
_LINE_ENDS = frozenset("\0\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")


def _one_line(text: str) -> str:
    if not _LINE_ENDS.isdisjoint(text):
        raise ValueError("must be one line")
    return text


#: Text for a header: what has a line break would begin another one.
Line = Annotated[Text, AfterValidator(_one_line)]


def _mailbox(text: str) -> str:
    split_address(text)
    return text


#: `ada@example.com` or `Ada <ada@example.com>`.
Mailbox = Annotated[str, AfterValidator(_mailbox)]


def _list(value: Any) -> Any:
    return [value] if isinstance(value, (str, dict)) and value else value or []


Mailboxes = Annotated[list[Mailbox], BeforeValidator(_list), Field(max_length=100)]


def split_address(text: str) -> tuple[str, str]:
    """Name and address. Raises ValueError for what is none."""
    found = _NAMED.fullmatch(text)
    name, address = (found[1].strip(), found[2]) if found else ("", text.strip())
    many = not _LINE_ENDS.isdisjoint(name) or not _LINE_ENDS.isdisjoint(address)
    if many or not _ADDRESS.fullmatch(address) or len(address) > 254:  # noqa: PLR2004 - RFC 5321
        raise ValueError(f'"{text[:80]}" is no mail address')
    return name, address


class Attachment(ScriptModel):
    """A file, or content of its own."""

    aliases: ClassVar[dict[str, str]] = {"filename": "name", "data": "content", "file": "path"}

    path: str | None = Field(None, description="A file to read")
    name: Line | None = Field(None, max_length=200, description="How it is called in the mail")
    content: Text | None = Field(None, description="Its content instead of a file")
    encoding: str = Field("text", pattern="^(text|base64)$", description="Of the content")
    type: str | None = Field(
        None, pattern=r"^[\w.+-]+/[\w.+-]+$", description="Its media type; by the name"
    )


def _attachment(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


Attachments = Annotated[
    list[Annotated[Attachment, BeforeValidator(_attachment)]],
    BeforeValidator(_list),
    Field(max_length=50),
]


@dataclass(frozen=True, slots=True)
class Part:
    """An attachment as it is sent."""

    name: str
    type: str
    data: bytes


@dataclass(slots=True)
class Mail:
    """What is sent, whoever sends it. Addresses are as they were given."""

    sender: str
    to: list[str]
    subject: str
    text: str | None
    html: str | None
    cc: list[str] = field(default_factory=list)
    bcc: list[str] = field(default_factory=list)
    reply_to: str | None = None
    parts: list[Part] = field(default_factory=list)

    @property
    def recipients(self) -> list[str]:
        """The bare addresses of all of them, each once."""
        return [*dict.fromkeys(split_address(one)[1] for one in (*self.to, *self.cc, *self.bcc))]

    def message(self) -> EmailMessage:
        """The message of RFC 5322; who receives a blind copy does not stand in it."""
        from email.message import EmailMessage
        from email.policy import SMTP
        from email.utils import format_datetime, make_msgid

        made = EmailMessage(policy=SMTP)
        made["From"] = _header(self.sender)
        for name, given in (("To", self.to), ("Cc", self.cc)):
            if given:
                made[name] = tuple(_header(one) for one in given)
        if self.reply_to:
            made["Reply-To"] = _header(self.reply_to)
        made["Subject"] = self.subject
        made["Date"] = format_datetime(datetime.now(UTC))
        made["Message-ID"] = make_msgid(domain=split_address(self.sender)[1].rpartition("@")[2])
        if self.text is not None or self.html is None:
            made.set_content(_clean(self.text or ""))
            if self.html is not None:
                made.add_alternative(_clean(self.html), subtype="html")
        else:
            made.set_content(_clean(self.html), subtype="html")
        for part in self.parts:
            kind, _, subtype = part.type.partition("/")
            made.add_attachment(part.data, maintype=kind, subtype=subtype, filename=part.name)
        return made


def read_parts(given: list[Attachment], ctx: ToolContext) -> list[Part]:
    """Read all attachments through the file gate, 16 MiB together at most."""
    parts: list[Part] = []
    left = MAX_SIZE
    for number, one in enumerate(given):
        where = f"attachments.{number}"
        if (one.path is None) == (one.content is None):
            raise wrong(TOOL, where, "must have either path or content")
        if one.path is not None:
            data = ctx.files.read_bytes(one.path, left)
        else:
            data = _content(one, where)
        left -= len(data)
        check_size(TOOL, MAX_SIZE - left, "the attachments together")
        # A limit of nothing would be no limit to the gate.
        left = max(left, 1)
        path = (one.path or "").replace("\\", "/").rpartition("/")[2]
        name = one.name or path or f"attachment-{number + 1}"
        kind = one.type or _TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
        parts.append(Part(name, kind, data))
    return parts


def _content(one: Attachment, where: str) -> bytes:
    content = one.content or ""
    if one.encoding == "text":
        return content.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(content, validate=True)
    except (ValueError, binascii.Error):
        raise wrong(TOOL, f"{where}.content", "must be base64") from None


def _header(text: str) -> Any:
    from email.headerregistry import Address

    name, address = split_address(text)
    return Address(display_name=name, addr_spec=address)


def _clean(text: str) -> str:
    # A lone surrogate has no form in any encoding of mail.
    return text.encode("utf-8", "replace").decode()
