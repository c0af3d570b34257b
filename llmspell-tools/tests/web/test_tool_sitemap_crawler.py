from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_test_server import Answer, Call, Request, WebServer, redirect, using

from llmspell_core.errors import LLMSpellError
from llmspell_tools.web import _robots
from llmspell_tools.web.sitemap_crawler import SitemapCrawler

NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def crawl(routes: dict[str, Any], work: Any) -> None:
    using(SitemapCrawler, routes, work)


def urlset(*paths: str, more: str = "") -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        host = request.headers["host"]
        urls = "".join(f"<url><loc>http://{host}{path}</loc>{more}</url>" for path in paths)
        return Answer(f'<?xml version="1.0"?><urlset {NAMESPACE}>{urls}</urlset>', kind="text/xml")

    return answer


def index(*paths: str) -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        host = request.headers["host"]
        maps = "".join(f"<sitemap><loc>http://{host}{path}</loc></sitemap>" for path in paths)
        return Answer(f"<sitemapindex {NAMESPACE}>{maps}</sitemapindex>", kind="text/xml")

    return answer


def robots(text: str) -> Callable[[Request], Answer]:
    return lambda request: Answer(
        text.replace("HOST", f"http://{request.headers['host']}"), kind="text/plain"
    )


def paths(server: WebServer, result: Any) -> list[str]:
    return [one["url"].removeprefix(server.url) for one in result.result["urls"]]


def test_a_sitemap_gives_its_addresses_with_what_it_says_of_them() -> None:
    more = "<lastmod>2026-01-02</lastmod><changefreq>daily</changefreq><priority>0.8</priority>"

    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="/sitemap.xml")
        assert result.output[0] == {
            "url": server.url + "/a",
            "lastmod": "2026-01-02",
            "changefreq": "daily",
            "priority": 0.8,
        }
        assert result.result["count"] == 2
        assert result.text == f"{server.url}/a\n{server.url}/b"

    crawl({"/sitemap.xml": urlset("/a", "/b", "/a", more=more)}, work)


def test_a_site_names_its_sitemaps_in_robots_txt_and_forbids_some_pages() -> None:
    routes = {
        "/robots.txt": robots(
            "Sitemap: HOST/one.xml\nSitemap: HOST/two.txt\nUser-agent: *\nDisallow: /private\n"
            "Allow: /private/but-this$\nCrawl-delay: 0.01\n"
        ),
        "/one.xml": index("/in/x.xml.gz", "/in/none.xml", "/one.xml"),
        "/in/x.xml.gz": lambda r: Answer(
            gzip.compress(urlset("/a", "/private/x", "/private/but-this")(r).data()),
            kind="application/gzip",
        ),
        "/two.txt": robots("HOST/b\nHOST/a\nnot an address\n"),
    }

    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="/")
        assert paths(server, result) == ["/b", "/a", "/private/but-this"]
        assert result.result["skipped"] == 1
        read = {one["url"].removeprefix(server.url): one for one in result.result["sitemaps"]}
        assert "HTTP 404" in read["/in/none.xml"]["error"]
        assert read["/in/x.xml.gz"]["count"] == 3
        free = await call(input="/", respect_robots=False)
        assert "/private/x" in paths(server, free)

    crawl(routes, work)


def test_without_robots_txt_the_usual_place_is_asked() -> None:
    async def work(server: WebServer, call: Call) -> None:
        assert paths(server, await call(url=server.url)) == ["/a"]
        assert server.paths == ["/robots.txt", "/sitemap.xml", "/map.xml"]

    crawl({"/sitemap.xml": redirect("/map.xml"), "/map.xml": urlset("/a")}, work)


def test_limits_hold() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="/index.xml", max_urls=3)
        assert paths(server, result) == ["/a", "/b", "/c"]
        assert result.result["truncated"]
        assert "/second.xml" not in server.paths
        flat = await call(input="/index.xml", follow_sitemaps=False)
        assert paths(server, flat) == ["/first.xml", "/second.xml"]

    routes = {
        "/index.xml": index("/first.xml", "/second.xml"),
        "/first.xml": urlset("/a", "/b", "/c", "/d"),
        "/second.xml": urlset("/e"),
    }
    crawl(routes, work)


def test_an_index_without_end_ends() -> None:
    count = 0

    def endless(request: Request) -> Answer:
        nonlocal count
        count += 1
        return index(f"/{count}.xml", f"/x{count}.xml")(request)

    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="/0.xml")
        assert result.result["truncated"]
        assert len(result.result["sitemaps"]) == 100

    crawl({"/robots.txt": Answer("", 404), "*": endless}, work)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer("<html><body>no</body></html>"), "its root is <html>"),
        (Answer("<urlset><url>"), "is no sitemap"),
        (Answer("hello there"), "is no sitemap"),
        (Answer(b"\x1f\x8bnonsense"), "is badly compressed"),
        (Answer(gzip.compress(b"<urlset/>")[:-9]), "is cut off"),
        (Answer("<a>" * 100), "nested too deep"),
        (
            Answer('<!DOCTYPE u [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><urlset>&c;</urlset>'),
            "declares a DTD or entities",
        ),
        (
            Answer('<!DOCTYPE u [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset>&a;</urlset>'),
            "declares a DTD or entities",
        ),
        (Answer("gone", 404), "HTTP 404"),
    ],
)
def test_what_is_no_sitemap_is_said_so(answer: Answer, message: str) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError, match=message):
            await call(input="/sitemap.xml")

    crawl({"*": answer}, work)


def test_a_bomb_is_not_unpacked() -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/sitemap.xml.gz")
        assert caught.value.code == "limit.value"

    crawl({"*": Answer(gzip.compress(b" " * 70_000_000, 1), kind="application/gzip")}, work)


def test_input_must_be_an_address() -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError, match="input must be an http or https URL"):
            await call(input="example")

    crawl({}, work)


@pytest.mark.parametrize(
    ("rule", "path", "expected"),
    [
        ("/", "/a", True),
        ("/a", "/b/a", False),
        ("/*.pdf$", "/x/y.pdf", True),
        ("/*.pdf$", "/x/y.pdf?a", False),
        ("/a*b*c", "/a-b-c-d", True),
        ("/a*b*c$", "/acb", False),
        ("/a$", "/a", True),
        ("/a$", "/ab", False),
        ("*", "/", True),
        ("/aa*aa$", "/aaa", False),
    ],
)
def test_rules_of_robots_txt(rule: str, path: str, expected: bool) -> None:
    assert _robots.matches(rule, path) is expected


def test_the_group_of_the_agent_counts_and_the_longest_rule_wins() -> None:
    text = """
    user-agent: other
    disallow: /
    User-Agent: LLMSpell/1.0   # us
    User-agent: third
    Disallow: /shop
    Allow: /shop/open
    Disallow: /%7Eme
    crawl-delay: soon

    User-agent: *
    Disallow: /
    """
    found = _robots.parse(text)
    assert found.allows("http://h/")
    assert not found.allows("http://h/shop/x")
    assert found.allows("http://h/shop/open/x")
    assert not found.allows("http://h/~me")
    assert not _robots.parse(text, "fourth").allows("http://h/x")
    assert _robots.parse("Disallow: /").allows("http://h/x")


@given(st.text(), st.text(alphabet="a*$/?%.", max_size=30), st.text(alphabet="ab/%2", max_size=30))
def test_any_robots_txt_is_read(text: str, rule: str, path: str) -> None:
    made = _robots.parse(f"{text}\nuser-agent: *\ndisallow: {rule}\n")
    assert made.allows(f"http://host/{path}") in (True, False)
