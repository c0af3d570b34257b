"""What the catalogue's tools reach: services on 127.0.0.1 that answer as their documents say."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import postgres_test_server
from web_test_server import Answer, Request, Route
from web_test_server import serving as web_server

from llmspell_cli.testing import serving
from llmspell_core.testing import FakeOpenAI

PAGE = """<html><head><title>Tea prices</title><meta name="description" content="What tea costs">
</head><body><h1>Tea</h1><p>Prices of today. <a href="/about">About us</a></p>
<table class="prices"><tr><th>tea</th><th>price</th></tr><tr><td>Assam</td><td>5</td></tr></table>
</body></html>"""

ITEMS = [{"id": 7, "name": "Tea"}, {"id": 8, "name": "Cup"}]

WORKS = {
    "status": "ok",
    "message": {"total-results": 1, "items": [
        {"DOI": "10.1000/tea.1", "title": ["On the brewing of tea"],
         "author": [{"given": "Ada", "family": "Leaf"}],
         "published": {"date-parts": [[2021, 3]]}, "container-title": ["Journal of Tea"],
         "URL": "https://doi.org/10.1000/tea.1", "type": "journal-article",
         "is-referenced-by-count": 12},
    ]},
}  # fmt: skip

ISSUE = {
    "number": 7, "title": "A typo", "state": "open", "body": "In line 3.", "comments": 0,
    "user": {"login": "ada"}, "labels": [{"name": "docs"}], "assignees": [],
    "html_url": "https://github.com/octocat/hello-world/issues/7",
    "created_at": "2026-01-01T00:00:00Z", "closed_at": None,
}  # fmt: skip


def routes() -> dict[str, Route]:
    """Of the web server: pages, an API, and the services with a base URL of their own."""
    return {
        "/": PAGE,
        "/robots.txt": lambda request: Answer(
            f"User-agent: *\nDisallow: /private\nSitemap: {_here(request)}/sitemap.xml\n",
            kind="text/plain",
        ),
        "/sitemap.xml": _sitemap,
        "/health": {"status": "ok"},
        "/items": lambda request: (
            Answer({"id": 9, **request.json}, 201) if request.method == "POST" else ITEMS
        ),
        "/hooks/builds": _hook,
        "/graphql": _graphql,
        "/tavily/search": _tavily,
        "/crossref/works": WORKS,
        "/slack/chat.postMessage": _slack,
        "/github/repos/octocat/hello-world/issues": lambda request: (
            Answer({**ISSUE, **request.json, "labels": ISSUE["labels"]}, 201)
            if request.method == "POST" else [ISSUE]
        ),
    }  # fmt: skip


def _here(request: Request) -> str:
    return f"http://{request.headers['host']}"


def _sitemap(request: Request) -> Answer:
    urls = "".join(f"<url><loc>{_here(request)}/{one}</loc></url>" for one in ("", "private/a"))
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return Answer(f'<urlset xmlns="{space}">{urls}</urlset>', kind="text/xml")


def _hook(request: Request) -> Answer:
    """Takes deliveries that are signed with `shared-secret`."""
    import hashlib
    import hmac

    made = hmac.new(b"shared-secret", request.body, hashlib.sha256).hexdigest()
    signed = request.headers.get("x-hub-signature-256") == f"sha256={made}"
    return Answer("taken" if signed else "forged", 200 if signed else 403, kind="text/plain")


def _graphql(request: Request) -> Answer:
    from graphql import build_schema, graphql_sync

    schema = build_schema("type Item { id: ID! name: String } type Query { item(id: ID!): Item }")
    body = request.json
    made = graphql_sync(
        schema,
        body["query"],
        {"item": lambda _, **item: {**item, "name": "Tea"}},
        variable_values=body.get("variables"),
    )
    return Answer(dict(made.formatted), 400 if made.data is None else 200)


def _tavily(request: Request) -> Answer:
    if request.headers.get("authorization") != "Bearer tavily-key":
        return Answer({"detail": {"error": "Unauthorized"}}, 401)
    found = {"title": "Tea", "url": "https://tea.example/", "content": "Leaves.", "score": 0.9}
    return Answer({"query": request.json["query"], "results": [found], "images": []})


def _slack(request: Request) -> Answer:
    if request.headers.get("authorization") != "Bearer xoxb-key":
        return Answer({"ok": False, "error": "invalid_auth"})
    message = {"type": "message", "user": "U1", "ts": "17.1", "text": request.json["text"]}
    return Answer({"ok": True, "channel": "C1", "ts": "17.1", "message": message})


class Mailbox:
    """An SMTP server that takes every mail."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self.port = 0

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        self.contents.append(envelope.content)
        return "250 taken"

    async def __aenter__(self) -> Mailbox:
        from aiosmtpd.smtp import SMTP

        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="test", loop=loop), "127.0.0.1", 0
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        # The tool has said QUIT: its connection ends within a turn or two.
        await asyncio.sleep(0.05)


@contextlib.contextmanager
def model(replies: dict[str, Any]) -> Iterator[str]:
    """A model that answers a request by the first of these words it contains; its address.

    An answer is a text, data, or a function of the request's body.
    """

    def reply(body: dict[str, Any]) -> str:
        asked = str(body["messages"][-1]["content"])
        found = next((answer for words, answer in replies.items() if words in asked), "Yes.")
        found = found(body) if callable(found) else found
        return found if isinstance(found, str) else json.dumps(found)

    with serving(FakeOpenAI(reply)) as server:
        yield server.base_url


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL, or "" where none is installed."""
    if postgres_test_server.binaries() is None:
        yield ""
        return
    with postgres_test_server.postgres() as url:
        yield url


@contextlib.contextmanager
def services(replies: dict[str, Any]) -> Iterator[dict[str, str]]:
    """All of them, by the names that the cases use."""
    with (
        serving(web_server(routes())) as web,
        serving(Mailbox()) as mailbox,
        model(replies) as model_url,
        postgres() as database,
    ):
        yield {
            "http": web.url,
            "host": urlsplit(web.url).netloc,
            "smtp_port": str(mailbox.port),
            "model": model_url,
            "postgres": database,
        }


def settings(places: dict[str, str]) -> dict[str, Any]:
    """A configuration with these services, whose profile allows what the cases do."""
    web = places["http"]
    return {
        "default": {"model": "fake/m", "embedding_model": "fake/e"},
        "providers": {"fake": {"type": "openai", "base_url": places["model"]}},
        "state": {"backend": "memory"},
        "security": {
            "profile": "medium",
            "files": {"read": ["."], "write": ["."]},
            "network": {"allowed_hosts": ["127.0.0.1"]},
            "processes": {"allowed": ["cat", "echo"]},
            "environment": {"allowed": ["GREETING", "LANG"]},
            "tools": {"allow": ["*", "process-executor"]},
        },
        "tools": {
            "academic-searcher": {"crossref": {"base_url": f"{web}/crossref"}},
            "email-sender": {
                "from": "Reports <reports@example.com>",
                "smtp": {
                    "host": "127.0.0.1",
                    "port": int(places["smtp_port"]),
                    "security": "none",
                },
            },
            "github-client": {"base_url": f"{web}/github", "api_key": "github-key"},
            "slack-sender": {"base_url": f"{web}/slack", "api_key": "xoxb-key"},
            "web-searcher": {"tavily": {"base_url": f"{web}/tavily", "api_key": "tavily-key"}},
        },
    }
