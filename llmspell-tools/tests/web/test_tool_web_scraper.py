from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from web_test_server import (
    Answer,
    Call,
    Request,
    WebServer,
    gzipped,
    local_authority,
    redirect,
    using,
)

from llmspell_core.errors import LLMSpellError
from llmspell_tools.web.web_scraper import WebScraper

SHOP = """<!doctype html><html lang="en"><head><title> The  Shop </title>
<meta charset="utf-8"><meta name="description" content="Tea & more">
<meta property="og:title" content="Shop"><link rel="canonical" href="/shop"></head>
<body><nav><a href="/">Home</a></nav><h1>Tea</h1>
<p>Fine <strong>green</strong> tea, <a href="tea?id=1">read   more</a>.</p>
<ul><li>Sencha</li><li>Mat<b>cha</b><ol><li>one</li><li>two</li></ol></li></ul>
<blockquote><p>Good.</p></blockquote><pre>a
  b</pre>
<table><tr><th>Name</th><th>Price</th></tr><tr><td>Sencha</td><td>7 | 8</td></tr>
<tr><td>Matcha</td><td><p>20</p></td></tr></table>
<img src="/tea.png" alt="A cup"><img src="data:image/png;base64,AA">
<script>alert("no")</script><style>p { color: red }</style><!-- nor this --></body></html>"""


def scrape(routes: dict[str, Any], work: Any, **more: Any) -> None:
    using(WebScraper, routes, work, **more)


def test_a_page_is_text_with_a_line_for_each_block() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(url=server.url)
        assert result.result["title"] == "The Shop"
        assert result.output == result.text == result.result["content"]
        assert result.text.splitlines() == [
            "Home",
            "Tea",
            "Fine green tea, read more.",
            "- Sencha",
            "- Matcha",
            "  - one",
            "  - two",
            "Good.",
            "a",
            "  b",
            "Name\tPrice",
            "Sencha\t7 | 8",
            "Matcha",
            "20",
        ]

    scrape({"*": SHOP}, work)


def test_a_page_as_markdown() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="/", format="MD")
        assert result.text == (
            f"[Home]({server.url}/)\n\n# Tea\n\n"
            f"Fine **green** tea, [read more]({server.url}/tea?id=1).\n\n"
            "- Sencha\n- Mat**cha**\n  1. one\n  2. two\n\n"
            "> Good.\n\n```\na\n  b\n```\n\n"
            "| Name | Price |\n| --- | --- |\n| Sencha | 7 \\| 8 |\n| Matcha | 20 |\n\n"
            f"![A cup]({server.url}/tea.png)"
        )

    scrape({"*": SHOP}, work)


def test_selectors_give_fields_and_matches() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(
            input="/",
            selector="li",
            selectors={"head": "h1", "to": "p a::attr(href)", "raw": "b::html", "none": "h6"},
        )
        assert result.output == {
            "head": ["Tea"],
            "to": [server.url + "/tea?id=1"],
            "raw": ["<b>cha</b>"],
            "none": [],
        }
        assert result.result["count"] == len(result.result["matches"]) == 4
        only = await call(input="/", selector="li > ol li", format="html")
        assert only.output == ["<li>one</li>", "<li>two</li>"]
        assert only.text == "<li>one</li>\n\n<li>two</li>"

    scrape({"*": SHOP}, work)


def test_links_images_meta_and_tables() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = (await call(
            input="/", links=True, extract_images=True, extract_metadata=True, tables=True
        )).result  # fmt: skip
        assert result["links"] == [
            {"url": server.url + "/", "text": "Home"},
            {"url": server.url + "/tea?id=1", "text": "read more"},
        ]
        assert result["images"] == [{"url": server.url + "/tea.png", "alt": "A cup"}]
        assert result["meta"] == {
            "description": "Tea & more",
            "og:title": "Shop",
            "canonical": server.url + "/shop",
            "language": "en",
        }
        rows = [["Sencha", "7 | 8"], ["Matcha", "20"]]
        assert result["tables"] == [{"headers": ["Name", "Price"], "rows": rows}]

    scrape({"*": SHOP}, work)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (Answer("Größe".encode("cp1252"), kind="text/html; charset=iso-8859-1"), "Größe"),
        (Answer(b"<meta charset=koi8-r><p>" + "чай".encode("koi8-r")), "чай"),
        (Answer("\ufeffチャ".encode("utf-16-le")), "チャ"),
        (Answer("tea", kind="text/html; charset=nonsense"), "tea"),
        (Answer("tea", kind="text/html; charset=hex"), "tea"),
        (Answer("a < b", kind="text/plain"), "a < b"),
        (gzipped(b"<p>small</p>"), "small"),
        (Answer("", pieces=(b"<p>slow", b"ly</p>"), pause_s=0.01), "slowly"),
    ],
)
def test_whatever_the_encoding(answer: Answer, shown: str) -> None:
    async def work(server: WebServer, call: Call) -> None:
        assert (await call(input="/")).text == shown

    scrape({"*": answer}, work)


def test_redirects_count_as_the_page_where_they_end() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="/a", links=True)
        assert result.result["url"] == server.url + "/x/c"
        assert result.result["links"][0]["url"] == server.url + "/x/d"
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/round")
        assert caught.value.code == "network.redirects"

    routes = {
        "/a": redirect("/b"),
        "/b": redirect("x/c", 301),
        "/x/c": "<a href=d>d</a>",
        "/round": redirect("/round"),
    }
    scrape(routes, work)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer("gone", 404), "network.status"),
        (gzipped(b"x" * 100, broken=True), "network.encoding"),
        (gzipped(b"\0" * 20_000_000), "limit.response_size"),
        (Answer(b"%PDF\0\1", kind="application/pdf"), "tool.unsupported"),
        (Answer("part", cut=True), "network.protocol"),
        (Answer("late", delay_s=5), "timeout"),
        (redirect("http://10.0.0.1/"), "policy.network"),
        (redirect("file:///etc/passwd"), "network.invalid_url"),
    ],
)
def test_what_goes_wrong_has_a_code(answer: Answer, code: str) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/", timeout_ms=1000)
        assert caught.value.code == code

    scrape({"*": answer}, work)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"selector": "p..x"}, 'selector is no valid CSS selector: "p..x"'),
        ({"selectors": {"t": "a["}}, 'selectors.t is no valid CSS selector: "a["'),
        ({"format": "pdf"}, 'format must be one of text, markdown, html, not "pdf"'),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/", **params)
        assert message in caught.value.message

    scrape({"*": SHOP}, work)


def test_a_page_made_to_be_slow_is_stopped() -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/", timeout_ms=300)
        assert caught.value.code == "limit.compute_timeout"
        assert "the page or a selector takes too long" in caught.value.message

    scrape({"*": "<div>" * 100_000}, work)


def test_https_with_a_certificate_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(server: WebServer, call: Call) -> None:
        assert (await call(input="/")).text == "safe"

    with local_authority(tmp_path, monkeypatch) as tls:
        scrape({"*": "<p>safe"}, work, tls=tls)


def test_https_with_a_certificate_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmspell_core.security.transport import tls_context

    async def work(server: WebServer, call: Call) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        tls_context.cache_clear()
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/")
        assert caught.value.code == "network.tls"

    with local_authority(tmp_path, monkeypatch) as tls:
        scrape({"*": "<p>safe"}, work, tls=tls)


def test_a_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(server: WebServer, call: Call) -> None:
        for params, extra in (({}, "web"), ({"wait_for_js": True}, "browser")):
            with pytest.raises(LLMSpellError) as caught:
                await call(input="/", **params)
            assert caught.value.code == "extension.unavailable"
            assert caught.value.hint == f"pip install 'llmspell-tools[{extra}]'"

    for name in ("selectolax", "playwright", "playwright.async_api"):
        monkeypatch.setitem(sys.modules, name, None)
    scrape({"*": SHOP}, work)


BROWSER = find_spec("playwright") is not None and shutil.which("chromium")


@pytest.mark.skipif(not BROWSER, reason="needs playwright and chromium")
def test_scripts_run_in_a_browser_that_reaches_only_what_the_policy_allows() -> None:
    page = """<p id=p>before</p><img src="http://10.0.0.1/x.png"><script type=module>
    const answer = await fetch("/data"); document.querySelector("#p").textContent =
        (await answer.json()).word + await fetch("http://10.0.0.1/").catch(() => ", no more");
    </script>"""

    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="/old", wait_for_js=True)
        assert result.text == "after, no more"
        assert result.result["url"] == server.url + "/page"
        assert "/data" in server.paths

    settings = {
        "security": {
            "network": {"allowed_hosts": ["127.0.0.1"]},
            "processes": {"allowed": ["chromium"]},
        },
        "tools": {"web-scraper": {"browser_sandbox": False}},
    }
    routes = {"/old": redirect("/page"), "/page": page, "/data": {"word": "after"}}
    scrape(routes, work, settings=settings)


@pytest.mark.skipif(find_spec("playwright") is None, reason="needs playwright")
def test_a_browser_is_a_program_that_the_policy_must_allow() -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/", wait_for_js=True)
        assert caught.value.code == "policy.process"
        assert not server.requests

    scrape({"*": SHOP}, work)


def test_cookies_last_as_long_as_the_redirects_of_one_call() -> None:
    def door(request: Request) -> Answer:
        return Answer("", 302, {"location": "/room", "set-cookie": "key=gold; Path=/"})

    def room(request: Request) -> str:
        return f"<p>{request.headers.get('cookie', 'none')}"

    async def work(server: WebServer, call: Call) -> None:
        assert (await call(input="/door")).text == "key=gold"
        assert (await call(input="/room")).text == "none"

    scrape({"/door": door, "/room": room}, work)
