from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_test_server import Answer, WebServer, redirect, using

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.tool import ToolResult
from llmspell_tools.web.url_analyzer import UrlAnalyzer


def run(url: str, **params: Any) -> dict[str, Any]:
    tool = UrlAnalyzer()
    given = tool.validate({"input": url, **params})
    result: ToolResult = asyncio.run(tool.run_tool(given, None))  # type: ignore[arg-type]
    found: dict[str, Any] = result.output
    return found


def test_all_parts_of_a_url() -> None:
    found = run("HTTPS://Shop.Example.co.uk:8443/a%20b/list.HTML?q=tea+pot&q=%C3%BC&x&y=#top")
    assert found == {
        "url": "HTTPS://Shop.Example.co.uk:8443/a%20b/list.HTML?q=tea+pot&q=%C3%BC&x&y=#top",
        "valid": True,
        "normalized": "https://shop.example.co.uk:8443/a%20b/list.HTML?q=tea+pot&q=%C3%BC&x&y=",
        "scheme": "https",
        "username": None,
        "has_password": False,
        "host": "shop.example.co.uk",
        "host_type": "domain",
        "unicode_host": "shop.example.co.uk",
        "subdomain": "shop",
        "domain": "example",
        "suffix": "co.uk",
        "registered_domain": "example.co.uk",
        "is_private_suffix": False,
        "port": 8443,
        "is_default_port": False,
        "origin": "https://shop.example.co.uk:8443",
        "path": "/a%20b/list.HTML",
        "path_segments": ["a b", "list.HTML"],
        "extension": "html",
        "query": "q=tea+pot&q=%C3%BC&x&y=",
        "params": {"q": ["tea pot", "ü"], "x": "", "y": ""},
        "fragment": "top",
        "is_secure": True,
        "issues": [],
    }


def test_params_as_they_stand_there() -> None:
    assert run("http://a.example/?a+b=%20", decode_params=False)["params"] == {"a+b": "%20"}


@pytest.mark.parametrize(
    ("url", "registered"),
    [
        ("http://a.b.github.io", "github.io"),
        ("http://www.city.kobe.jp", "city.kobe.jp"),
        ("http://localhost:3000", None),
        ("http://b\u00fccher.example.com", "example.com"),
        ("http://xn--bcher-kva.de", "xn--bcher-kva.de"),
    ],
)
def test_the_registered_domain(url: str, registered: str | None) -> None:
    assert run(url)["registered_domain"] == registered


@pytest.mark.parametrize(
    ("host", "address", "kind"),
    [
        ("127.0.0.1", "127.0.0.1", "loopback"),
        ("0x7f.1", "127.0.0.1", "loopback"),
        ("2852039166", "169.254.169.254", "metadata"),
        ("[::ffff:10.0.0.1]", "10.0.0.1", "private"),
        ("[2606:4700::1111]", "2606:4700::1111", "public"),
    ],
)
def test_addresses_however_they_are_written(host: str, address: str, kind: str) -> None:
    found = run(f"http://{host}/")
    assert (found["host"], found["address_kind"]) == (address, kind)
    assert bool(found["issues"]) is (host.strip("[]") != address)
    assert "registered_domain" not in found


@pytest.mark.parametrize(
    ("url", "normalized"),
    [
        ("http://EXAMPLE.com:80", "http://example.com/"),
        ("https://example.com./a/../b/./c/..?x=1#y", "https://example.com/b/?x=1"),
        ("http://example.com/../../x", "http://example.com/x"),
        ("http://example.com/ä?q=ü", "http://example.com/%C3%A4?q=%C3%BC"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        ("mailto:me@example.com", "mailto:me@example.com"),
    ],
)
def test_one_spelling_for_all(url: str, normalized: str) -> None:
    found = run(url)
    assert found["normalized"] == normalized
    assert run(normalized)["normalized"] == normalized


def test_a_password_is_told_but_not_shown() -> None:
    found = run("https://me:hunter2@bank.example.com@evil.example/")
    assert (found["host"], found["username"], found["has_password"]) == (
        "evil.example",
        "me",
        True,
    )
    assert "hunter2" not in str(found)
    assert "password" in found["issues"][0]


@pytest.mark.parametrize(
    "url",
    [
        "example.com/path",
        "http://",
        "http:///path",
        "http://exa mple.com/",
        "http://a.example/\n",
        "http://a.example\\@evil.example/",
        "http://[::1",
        "http://a.example:99999/",
        "http://256.256.256.256/",
        "http://-bad-.example/",
        "//host/x",
        "\0",
    ],
)
def test_what_is_no_url_says_why(url: str) -> None:
    found = run(url + "x" if url.endswith("\n") else url)
    assert found["valid"] is False
    assert found["issues"]


@given(st.text(min_size=1) | st.from_regex(r"(?:https?|ftp)://[^ ]{0,20}", fullmatch=True))
def test_any_text_is_answered(text: str) -> None:
    found = run(text)
    assert isinstance(found["valid"], bool)
    if not found["valid"]:
        assert found["issues"]


def test_nothing_is_fetched_for_the_list_of_suffixes(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmspell_tools.web import _url

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a socket")

    _url._extractor.cache_clear()
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert _url.analyze("http://a.example.co.uk", decode_params=True)["suffix"] == "co.uk"


PAGE = """<!doctype html><html lang="en"><head><title> A  page </title>
<meta name="description" content="About it"><meta property="og:title" content="OG">
<link rel="canonical" href="/real"></head><body>x</body></html>"""


def test_metadata_of_the_page() -> None:
    async def work(server: WebServer, call: Any) -> None:
        result = await call(input="/old", fetch_metadata=True)
        found = result.output["metadata"]
        assert (found["status"], found["title"], found["description"]) == (
            200,
            "A page",
            "About it",
        )
        assert (found["language"], found["canonical"]) == ("en", f"{server.url}/real")
        assert found["meta"]["og:title"] == "OG"
        assert found["redirects"] == [f"{server.url}/old"]
        assert found["content_type"] == "text/html"
        data = (await call(input="/data", fetch_metadata=True)).output["metadata"]
        assert (data["content_type"], data["size"]) == ("application/json", 2)
        assert "title" not in data
        for path, code in (("/gone", "network.status"), ("/slow", "timeout")):
            with pytest.raises(LLMSpellError) as caught:
                await call(input=path, fetch_metadata=True, timeout_ms=400)
            assert caught.value.code == code

    routes: Any = {
        "/old": redirect("/page"),
        "/page": PAGE,
        "/data": {},
        "/slow": Answer("x", delay_s=2),
    }
    using(UrlAnalyzer, routes, work)


def test_only_allowed_hosts_are_fetched() -> None:
    async def work(_: WebServer, call: Any) -> None:
        for url in ("http://10.0.0.1/", "http://[::1]/", "http://0x7f000002/"):
            with pytest.raises(LLMSpellError) as caught:
                await call(input=url, fetch_metadata=True)
            assert caught.value.code == "policy.network"

    using(UrlAnalyzer, {}, work)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "input is required"),
        ({"input": 1}, "input must be a string"),
        ({"input": "ftp://a.example", "fetch_metadata": True}, "input must be a valid http"),
        ({"input": "x" * 70_000}, "input: String should have at most"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    tool = UrlAnalyzer()
    with pytest.raises(ValidationError, match=message):
        asyncio.run(tool.run_tool(tool.validate(params), None))  # type: ignore[arg-type]
