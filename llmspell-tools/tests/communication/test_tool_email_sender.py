from __future__ import annotations

import asyncio
import base64
import email
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from web_test_server import Answer, Call, Request, WebServer, local_authority, using

from llmspell_core.errors import LLMSpellError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.communication._mail import split_address
from llmspell_tools.communication._sigv4 import Credentials, signed
from llmspell_tools.communication.email_sender import EmailSender

SECRETS = (
    "SMTP_PASSWORD", "SENDGRID", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)


class Mailbox:
    """Takes every mail, but for recipients whose name begins with `no`."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.sessions: list[Session] = []
        self.answer = "250 taken"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("no"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.envelopes.append(envelope)
        self.sessions.append(session)
        return self.answer

    def message(self) -> EmailMessage:
        content = self.envelopes[-1].content
        assert isinstance(content, bytes)
        made = email.message_from_bytes(content, policy=default)
        assert isinstance(made, EmailMessage)
        return made


Send = Callable[..., Awaitable[ToolResult]]


def mailing(
    work: Callable[[Mailbox, Send], Awaitable[None]],
    *,
    folder: Path | None = None,
    tls: ssl.SSLContext | None = None,
    implicit: bool = False,
    host: str = "127.0.0.1",
    own: dict[str, Any] | None = None,
    **smtp: Any,
) -> None:
    """Start a real SMTP server on loopback, configure the tool for it, and let `work` send."""

    async def main() -> None:
        mailbox, loop = Mailbox(), asyncio.get_running_loop()

        def check(server: SMTP, session: Session, envelope: Envelope, how: str, who: Any) -> Any:
            return AuthResult(success=who.password == b"s3cret-word", handled=False)

        def protocol() -> SMTP:
            return SMTP(
                mailbox, hostname="test", loop=loop, tls_context=None if implicit else tls,
                require_starttls=bool(tls) and not implicit, authenticator=check,
                auth_require_tls=False,
            )  # fmt: skip

        listening = await loop.create_server(
            protocol, "127.0.0.1", 0, ssl=tls if implicit else None
        )
        port = listening.sockets[0].getsockname()[1]
        settings = {
            "security": {
                "network": {"allowed_hosts": ["127.0.0.1", "localhost"]},
                "files": {"read": [str(folder)] if folder else []},
            },
            "state": {"backend": "memory"},
            "tools": {
                "email-sender": {
                    "from": "Reports <reports@example.com>",
                    "smtp": {"host": host, "port": port, "security": "none", **smtp},
                    **(own or {}),
                }
            },
        }
        async with listening, Runtime(settings) as runtime:

            async def send(**params: Any) -> ToolResult:
                return await EmailSender().call(params, runtime.context())

            await work(mailbox, send)
            await asyncio.sleep(0.02)

    asyncio.run(main())


def test_a_mail_arrives_with_text_html_and_attachments(tmp_path: Path) -> None:
    (tmp_path / "größe.pdf").write_bytes(b"%PDF\0")

    async def work(mailbox: Mailbox, send: Send) -> None:
        result = await send(
            to=["Ada Ü <ada@example.com>", "bo@example.com"],
            cc="cy@example.com",
            bcc=["di@example.com", "bo@example.com"],
            subject="Tee für zwei",
            body="Hällo\n.\nEnde",
            html="<p>Hällo</p>",
            reply_to="team@example.com",
            attachments=[
                str(tmp_path / "größe.pdf"),
                {"name": "a.csv", "content": "a,b\n"},
                {"name": "x.bin", "content": "AAE=", "encoding": "base64"},
            ],
        )
        envelope, message = mailbox.envelopes[0], mailbox.message()
        assert envelope.mail_from == "reports@example.com"
        assert envelope.rcpt_tos == [
            "ada@example.com", "bo@example.com", "cy@example.com", "di@example.com",
        ]  # fmt: skip
        assert message["From"] == "Reports <reports@example.com>"
        assert message["To"] == "Ada Ü <ada@example.com>, bo@example.com"
        assert (message["Cc"], message["Bcc"]) == ("cy@example.com", None)
        assert message["Subject"] == "Tee für zwei"
        assert message["Reply-To"] == "team@example.com"
        assert message["Message-ID"] == result.result["message_id"]
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        assert text is not None
        assert html is not None
        assert text.get_content().splitlines() == ["Hällo", ".", "Ende"]
        assert html.get_content().strip() == "<p>Hällo</p>"
        pdf, csv, other = message.iter_attachments()
        assert (pdf.get_filename(), pdf.get_content_type()) == ("größe.pdf", "application/pdf")
        assert pdf.get_content() == b"%PDF\0"
        assert csv.get_content_type() == "text/csv"
        assert other.get_content() == b"\0\1"
        assert result.result["sent"]
        assert result.result["accepted"] == envelope.rcpt_tos
        assert result.text.startswith("sent to ada@example.com, bo@example.com")

    mailing(work, folder=tmp_path)


def test_recipients_that_are_refused_are_told() -> None:
    async def work(mailbox: Mailbox, send: Send) -> None:
        result = await send(to=["ada@example.com", "nobody@example.com"], body="x")
        assert result.result["accepted"] == ["ada@example.com"]
        assert result.result["refused"] == {"nobody@example.com": "550 no such mailbox"}
        assert "refused: nobody@example.com" in result.text
        with pytest.raises(LLMSpellError) as caught:
            await send(to="nobody@example.com", body="x")
        assert caught.value.code == "tool.smtp"
        assert "550 no such mailbox" in caught.value.message
        mailbox.answer = "451 come again"
        with pytest.raises(LLMSpellError) as caught:
            await send(to="ada@example.com", html="<p>")
        assert (caught.value.code, caught.value.retryable) == ("tool.smtp", True)

    mailing(work)


def test_it_logs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(mailbox: Mailbox, send: Send) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await send(to="ada@example.com", body="x")
        assert caught.value.code == "tool.smtp"
        assert "does not let reports in" in caught.value.message
        monkeypatch.setenv("SMTP_PASSWORD", "s3cret-word")
        await send(to="ada@example.com", body="x")
        assert mailbox.sessions[0].authenticated

    mailing(work, username="reports", api_key="wrong-word")


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_encrypted(security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(mailbox: Mailbox, send: Send) -> None:
        await send(to="ada@example.com", body="x")
        assert mailbox.sessions[0].ssl is not None or security == "tls"
        assert mailbox.sessions[0].authenticated

    with local_authority(tmp_path, monkeypatch) as tls:
        mailing(work, tls=tls, implicit=security == "tls", security=security, username="reports",
                api_key="s3cret-word")  # fmt: skip


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_for_another_name_is_refused(
    security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(mailbox: Mailbox, send: Send) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await send(to="ada@example.com", body="x")
        assert caught.value.code == "network.tls"
        assert not mailbox.envelopes

    with local_authority(tmp_path, monkeypatch) as tls:
        mailing(work, tls=tls, implicit=security == "tls", security=security, host="localhost")


def test_nothing_is_sent_in_the_clear_where_encryption_was_asked_for() -> None:
    async def work(mailbox: Mailbox, send: Send) -> None:
        with pytest.raises(LLMSpellError, match="STARTTLS"):
            await send(to="ada@example.com", body="x")
        assert not mailbox.envelopes

    mailing(work, security="starttls")


@pytest.mark.parametrize(
    ("smtp", "code", "message"),
    [
        ({"host": "10.0.0.1"}, "policy.network", "10.0.0.1"),
        ({"port": 1}, "network.connection", "cannot connect"),
        ({"host": "mail.example.com", "username": "u"}, "config.invalid", "unencrypted"),
        ({"security": "ssl"}, "config.invalid", "security must be starttls, tls or none"),
        ({"host": ""}, "tool.not_configured", "nobody to send mail"),
        ({"port": "25"}, "config.invalid", "port must be a whole number"),
    ],
)
def test_servers_that_cannot_be_used(smtp: dict[str, Any], code: str, message: str) -> None:
    async def work(mailbox: Mailbox, send: Send) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await send(to="ada@example.com", body="x")
        assert (caught.value.code, message in caught.value.message) == (code, True)

    mailing(work, **smtp)


def test_a_server_that_says_nothing_times_out() -> None:
    async def main() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()
            await writer.wait_closed()
            gone.set()

        gone = asyncio.Event()
        listening = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        smtp = {"host": "127.0.0.1", "port": port, "security": "none"}
        settings = {
            "security": {"network": {"allowed_hosts": ["127.0.0.1"]}},
            "tools": {"email-sender": {"from": "a@example.com", "smtp": smtp}},
        }
        async with listening, Runtime(settings) as runtime:
            with pytest.raises(LLMSpellError) as caught:
                await EmailSender().call(
                    {"to": "b@example.com", "body": "x", "timeout_ms": 200}, runtime.context()
                )
            assert caught.value.code == "timeout"
            await gone.wait()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"to": [], "body": "x"}, "to"),
        ({"to": "ada", "body": "x"}, 'to.0: "ada" is no mail address'),
        ({"to": "a@b.c, d@e.f", "body": "x"}, "is no mail address"),
        ({"to": "a@b.c\r\nBcc: x@y.z", "body": "x"}, "is no mail address"),
        ({"to": "A\nB <a@b.c>", "body": "x"}, "is no mail address"),
        ({"to": "a@b.c", "body": "x", "subject": "a\r\nBcc: x@y.z"}, "subject must be one line"),
        ({"to": "a@b.c", "body": "x", "from": "me"}, 'from: "me" is no mail address'),
        ({"to": "a@b.c"}, "body is required, or html"),
        ({"to": "a@b.c", "body": "x", "attachments": [{}]}, "attachments.0 must have either"),
        (
            {"to": "a@b.c", "body": "x", "attachments": [{"content": "?", "encoding": "base64"}]},
            "attachments.0.content must be base64",
        ),
        (
            {"to": "a@b.c", "body": "x", "attachments": [{"content": "x", "name": "a\nb"}]},
            "attachments.0.name must be one line",
        ),
        ({"to": "a@b.c", "body": "x", "provider": "pigeon"}, "provider must be one of smtp"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    async def work(mailbox: Mailbox, send: Send) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await send(**params)
        assert caught.value.code == "input.invalid"
        assert message in caught.value.message

    mailing(work)


def test_attachments_are_read_through_the_gate(tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to("/etc/hostname")
    (tmp_path / "big.bin").write_bytes(b"\0" * (16 * 1024 * 1024))

    async def work(mailbox: Mailbox, send: Send) -> None:
        for path, code in (
            ("/etc/hostname", "policy.file"),
            (f"{tmp_path}/../../../../../../etc/hostname", "policy.file"),
            (f"{tmp_path}/link.txt", "policy.file"),
            (f"{tmp_path}/none.txt", "file.not_found"),
        ):
            with pytest.raises(LLMSpellError) as caught:
                await send(to="a@b.c", body="x", attachments=path)
            assert caught.value.code == code
        big = str(tmp_path / "big.bin")
        with pytest.raises(LLMSpellError) as caught:
            await send(to="a@b.c", body="x", attachments=[big, {"content": "more"}])
        assert caught.value.code == "limit.value"
        assert not mailbox.envelopes

    mailing(work, folder=tmp_path)


def service(name: str, routes: dict[str, Any], work: Any, **own: Any) -> None:
    def settings(server: WebServer) -> dict[str, Any]:
        table = {"from": "me@example.com", name: {"base_url": server.url, **own}}
        return {"tools": {"email-sender": table}}

    using(EmailSender, routes, work, settings=settings)


def test_sendgrid() -> None:
    def answer(request: Request) -> Answer:
        assert request.headers["authorization"] == "Bearer sg-key"
        return Answer("", 202, headers={"x-message-id": "m1"})

    async def work(server: WebServer, call: Call) -> None:
        result = await call(
            to="Ada <ada@example.com>", cc=["ada@example.com", "bo@example.com"], subject="Tea",
            body="x", html="<p>x", attachments={"name": "a.txt", "content": "hi"},
        )  # fmt: skip
        assert result.result["message_id"] == "m1"
        assert result.result["provider"] == "sendgrid"
        assert server.requests[0].json == {
            "personalizations": [
                {
                    "to": [{"email": "ada@example.com", "name": "Ada"}],
                    "cc": [{"email": "bo@example.com"}],
                }
            ],
            "from": {"email": "me@example.com"},
            "subject": "Tea",
            "content": [
                {"type": "text/plain", "value": "x"},
                {"type": "text/html", "value": "<p>x"},
            ],
            "attachments": [
                {"content": "aGk=", "filename": "a.txt", "type": "text/plain",
                 "disposition": "attachment"}
            ],
        }  # fmt: skip
        server.routes["/v3/mail/send"] = Answer({"errors": [{"message": "bad from"}]}, 400)
        with pytest.raises(LLMSpellError, match="bad from"):
            await call(to="a@b.c", body="x")

    service("sendgrid", {"/v3/mail/send": answer}, work, api_key="sg-key")


def test_ses(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: Request) -> Any:
        now = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        credentials = Credentials("AKID", "aws-secret", "eu-west-1", "ses", "session")
        url = f"http://{request.headers['host']}{request.path}"
        made = signed(credentials, "POST", url, request.body, now)
        assert request.headers["authorization"] == made["Authorization"]
        assert request.headers["x-amz-security-token"] == "session"
        return {"MessageId": "m2"}

    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(to="ada@example.com", body="x")
        assert caught.value.hint == "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-secret")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
        result = await call(to="Ada <ada@example.com>", bcc="bo@example.com", body="Hällo")
        assert (result.result["provider"], result.result["message_id"]) == ("ses", "m2")
        body = server.requests[0].json
        assert body["Destination"] == {
            "ToAddresses": ["ada@example.com"], "BccAddresses": ["bo@example.com"],
        }  # fmt: skip
        raw = base64.b64decode(body["Content"]["Raw"]["Data"])
        message = email.message_from_bytes(raw, policy=default)
        assert message["To"] == "Ada <ada@example.com>"
        assert b"bo@example.com" not in raw

    service("ses", {"/v2/email/outbound-emails": answer}, work, region="eu-west-1")


def test_signatures_are_those_of_amazons_own_test_suite() -> None:
    credentials = Credentials(
        "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service"
    )
    now = datetime(2015, 8, 30, 12, 36, 0, tzinfo=UTC)
    made = signed(credentials, "GET", "https://example.amazonaws.com/", b"", now)
    assert made["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, "
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )


def test_addresses() -> None:
    assert split_address('"Leaf, Ada" <ada@example.com>') == ("Leaf, Ada", "ada@example.com")
    assert split_address("<a+b@x.y>") == ("", "a+b@x.y")
    for wrong in ("a@", "@b.c", "a b@c.d", "a@b..c", "a@b.c>", "<<a@b.c>>", "a@b.c\0", ""):
        with pytest.raises(ValueError, match="is no mail address"):
            split_address(wrong)
