from __future__ import annotations

from typing import Any

import pytest
from web_test_server import Answer, Call, Request, WebServer, using

from llmspell_core.errors import LLMSpellError
from llmspell_tools.web.web_searcher import WebSearcher

KEYS = ("TAVILY", "BRAVE", "BING", "GOOGLE", "SERPER", "SERPAPI")
NAMES = ("tavily", "brave", "bing", "google", "serper", "serpapi", "searxng", "duckduckgo")


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)


def search(routes: dict[str, Any], work: Any, *ready: str, **own: Any) -> None:
    """`ready` are configured: all are on the test's server, under a path of their own."""

    def settings(server: WebServer) -> dict[str, Any]:
        table: dict[str, Any] = {
            name: {"base_url": f"{server.url}/{name}/" if name in ready else ""} for name in NAMES
        }
        table["duckduckgo"]["base_url"] = f"{server.url}/duckduckgo"
        for name in ready:
            if name not in ("searxng", "duckduckgo"):
                table[name]["api_key"] = f"key-of-{name}"
        if "google" in ready:
            table["google"]["cx"] = "engine"
        return {"tools": {"web-searcher": {**table, **own}}}

    using(WebSearcher, routes, work, settings=settings)


def test_tavily() -> None:
    def answer(request: Request) -> dict[str, Any]:
        assert request.method == "POST"
        assert request.headers["authorization"] == "Bearer key-of-tavily"
        if request.json["include_images"]:
            return {"results": [], "images": [{"url": "http://i/1.png", "description": "cup"}]}
        assert request.json["query"] == "tea"
        assert request.json["max_results"] == 2
        assert request.json["topic"] == "general"
        return {
            "query": "tea",
            "answer": None,
            "images": [],
            "results": [
                {"title": "Tea", "url": "https://t/", "content": "Leaves.", "score": 0.9,
                 "raw_content": None}
            ],
            "response_time": 1.2,
        }  # fmt: skip

    async def work(server: WebServer, call: Call) -> None:
        result = await call(query="tea", max_results=2)
        assert result.result["provider"] == "tavily"
        assert result.output == [
            {"title": "Tea", "url": "https://t/", "snippet": "Leaves.", "score": 0.9}
        ]
        assert result.text == "1. Tea\n   https://t/\n   Leaves."
        images = await call(query="tea", search_type="image")
        assert images.output[0]["image"] == "http://i/1.png"

    search({"/tavily/search": answer}, work, "tavily")


def test_brave() -> None:
    def answer(request: Request) -> dict[str, Any]:
        assert request.headers["x-subscription-token"] == "key-of-brave"
        assert request.query["q"] == "thé"
        page = {"title": "Thé", "url": "https://t/", "description": "Bu.", "age": "2 days ago"}
        if request.path.endswith("/web/search"):
            assert request.query["search_lang"] == "fr"
            assert request.query["country"] == "CA"
            assert request.query["safesearch"] == "moderate"
            return {"type": "search", "web": {"type": "search", "results": [page]}}
        if request.path.endswith("/news/search"):
            return {"type": "news", "results": [page]}
        assert request.query["safesearch"] == "strict"
        image = {"title": "Cup", "url": "https://t/", "source": "t", "thumbnail": {"src": "s"},
                 "properties": {"url": "https://t/cup.png"}}  # fmt: skip
        return {"type": "images", "results": [image]}

    async def work(server: WebServer, call: Call) -> None:
        web = await call(input="thé", language="fr-CA", provider="brave")
        assert web.output[0] == {
            "title": "Thé", "url": "https://t/", "snippet": "Bu.", "published": "2 days ago",
        }  # fmt: skip
        assert (await call(input="thé", search_type="news")).output[0]["title"] == "Thé"
        images = (await call(input="thé", type="images")).output
        assert images[0]["image"] == "https://t/cup.png"

    search({"*": answer}, work, "brave")


def test_bing() -> None:
    def answer(request: Request) -> dict[str, Any]:
        assert request.headers["ocp-apim-subscription-key"] == "key-of-bing"
        assert request.query["safeSearch"] == "Strict"
        if request.path == "/bing/v7.0/search":
            assert (request.query["mkt"], request.query["setLang"]) == ("de-AT", "de")
            page = {"name": "Tee", "url": "https://t/", "snippet": "Blätter."}
            return {"_type": "SearchResponse", "webPages": {"value": [page]}}
        if request.path == "/bing/v7.0/news/search":
            news = {"name": "Tee", "url": "https://n/", "description": "Neu.",
                    "datePublished": "2026-01-01T00:00:00Z"}  # fmt: skip
            return {"_type": "News", "value": [news]}
        image = {"name": "Tasse", "hostPageUrl": "https://h/", "contentUrl": "https://c/",
                 "thumbnailUrl": "https://d/"}  # fmt: skip
        return {"_type": "Images", "value": [image]}

    async def work(server: WebServer, call: Call) -> None:
        web = await call(input="tee", safe_search=True, language="de-AT")
        assert web.output == [{"title": "Tee", "url": "https://t/", "snippet": "Blätter."}]
        news = await call(input="tee", safe_search="strict", search_type="news")
        assert news.output[0]["published"] == "2026-01-01T00:00:00Z"
        images = await call(input="tee", safe_search="on", search_type="images")
        assert (images.output[0]["url"], images.output[0]["image"]) == ("https://h/", "https://c/")

    search({"*": answer}, work, "bing")


def test_google_by_pages_of_ten() -> None:
    def answer(request: Request) -> dict[str, Any]:
        assert request.query["key"] == "key-of-google"
        assert request.query["cx"] == "engine"
        assert request.query["lr"] == "lang_en"
        assert request.query["safe"] == "off"
        start, count = int(request.query["start"]), int(request.query["num"])
        last = min(start + count, 16)
        items = [
            {"title": f"T{n}", "link": f"https://t/{n}", "snippet": "s"} for n in range(start, last)
        ]
        return {"kind": "customsearch#search", "items": items}

    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="tea", max_results=25, language="en", safe_search=False)
        assert result.result["count"] == 15
        assert [request.query["start"] for request in server.requests] == ["1", "11"]
        with pytest.raises(LLMSpellError, match="search_type must not be news for google"):
            await call(input="tea", provider="google", search_type="news")

    search({"/google/customsearch/v1": answer}, work, "google")


def test_serper() -> None:
    def answer(request: Request) -> dict[str, Any]:
        assert request.method == "POST"
        assert request.headers["x-api-key"] == "key-of-serper"
        assert request.json["q"] == "tea"
        page = {"title": "Tea", "link": "https://t/", "snippet": "Leaves.", "position": 1}
        if request.path == "/serper/search":
            return {"searchParameters": {"q": "tea"}, "organic": [page]}
        if request.path == "/serper/news":
            return {"news": [{**page, "date": "1 day ago", "source": "Paper"}]}
        return {"images": [{"title": "Cup", "link": "https://t/", "imageUrl": "https://i/"}]}

    async def work(server: WebServer, call: Call) -> None:
        assert (await call(input="tea")).output[0]["snippet"] == "Leaves."
        assert (await call(input="tea", search_type="news")).output[0]["source"] == "Paper"
        assert (await call(input="tea", search_type="images")).output[0]["image"] == "https://i/"

    search({"*": answer}, work, "serper")


def test_serpapi() -> None:
    def answer(request: Request) -> Any:
        assert request.path == "/serpapi/search.json"
        assert request.query["api_key"] == "key-of-serpapi"
        assert request.query["engine"] == "google"
        page = {"position": 1, "title": "Tea", "link": "https://t/", "snippet": "Leaves."}
        kind = request.query.get("tbm")
        if request.query["q"] == "limit":
            return {"error": "Your account has run out of searches."}
        if request.query["q"] == "page":
            return "<html>"
        if kind == "nws":
            return {"news_results": [{**page, "date": "today"}]}
        if kind == "isch":
            return {
                "images_results": [{**page, "original": "https://i/", "thumbnail": "https://h/"}]
            }
        return {"search_metadata": {"status": "Success"}, "organic_results": [page]}

    async def work(server: WebServer, call: Call) -> None:
        assert (await call(input="tea")).output[0]["title"] == "Tea"
        assert (await call(input="tea", search_type="news")).output[0]["published"] == "today"
        assert (await call(input="tea", search_type="images")).output[0]["image"] == "https://i/"
        for query, words in (("limit", "run out of searches"), ("page", "JSON object")):
            with pytest.raises(LLMSpellError, match=words) as caught:
                await call(input=query, provider="serpapi")
            assert "key-of-serpapi" not in caught.value.message

    search({"*": answer}, work, "serpapi")


def test_searxng() -> None:
    def answer(request: Request) -> dict[str, Any]:
        assert request.path == "/searxng/search"
        assert request.query == {
            "q": "tea", "format": "json", "categories": "general", "safesearch": "1",
            "language": "all",
        }  # fmt: skip
        found = {"title": "Tea", "url": "https://t/", "content": "Leaves.", "engine": "brave",
                 "score": 1.5, "publishedDate": None}  # fmt: skip
        return {"query": "tea", "number_of_results": 1, "results": [found, found, {"url": "ftp:x"}]}

    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="tea")
        assert result.result["count"] == 1
        assert result.output[0]["source"] == "brave"

    search({"*": answer}, work, "searxng")


def test_duckduckgo() -> None:
    body = {
        "Heading": "Tea", "AbstractText": "A drink.", "AbstractURL": "https://w/Tea",
        "AbstractSource": "Wikipedia", "Results": [],
        "RelatedTopics": [
            {"Text": "Green tea - A kind", "FirstURL": "https://d/green"},
            {"Name": "See also", "Topics": [{"Text": "Cup", "FirstURL": "https://d/cup"}]},
        ],
    }  # fmt: skip

    def answer(request: Request) -> Answer:
        assert request.query["kp"] == "-1"
        assert request.query["format"] == "json"
        return Answer(body, kind="application/x-javascript")

    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="tea", provider="ddg")
        assert [one["url"] for one in result.output] == [
            "https://w/Tea", "https://d/green", "https://d/cup",
        ]  # fmt: skip
        assert result.output[1]["title"] == "Green tea"

    search({"/duckduckgo/": answer}, work)


ROUTES = {
    "/tavily/search": Answer("quota", 429),
    "/brave/res/v1/web/search": {"web": {"results": []}},
    "/searxng/search": {"results": [{"title": "T", "url": "https://t/"}]},
    "/duckduckgo/": {"AbstractURL": "https://d/", "RelatedTopics": []},
}


def test_the_next_one_is_asked_when_one_fails_or_finds_nothing() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = (await call(input="tea")).result
        assert result["provider"] == "searxng"
        assert [one["provider"] for one in result["failed"]] == ["tavily"]
        assert server.paths == [
            "/tavily/search", "/brave/res/v1/web/search", "/searxng/search",
        ]  # fmt: skip

    search(ROUTES, work, "tavily", "brave", "searxng")


def test_the_configuration_says_whom_to_ask() -> None:
    async def work(server: WebServer, call: Call) -> None:
        assert (await call(input="tea")).result["provider"] == "duckduckgo"
        assert server.paths == ["/brave/res/v1/web/search", "/duckduckgo/"]

    search(ROUTES, work, "tavily", "brave", "searxng", provider="brave", fallback=["duckduckgo"])


def test_nothing_found_is_a_result_and_nobody_left_an_error() -> None:
    async def work(server: WebServer, call: Call) -> None:
        empty = await call(input="tea", provider="brave")
        assert (empty.result["count"], empty.text) == (0, "nothing was found")
        with pytest.raises(LLMSpellError) as caught:
            await call(input="tea", provider="tavily")
        assert caught.value.details["status"] == 429
        with pytest.raises(LLMSpellError) as caught:
            await call(input="tea", provider="serper")
        assert caught.value.code == "tool.not_configured"
        assert caught.value.hint == "set SERPER_API_KEY, or api_key in [tools.web-searcher.serper]"
        with pytest.raises(LLMSpellError) as caught:
            await call(input="tea", provider="searxng")
        assert caught.value.code == "tool.not_configured"

    search(ROUTES, work, "tavily", "brave")


def test_a_key_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: Request) -> dict[str, Any]:
        assert request.headers["x-subscription-token"] == "from-the-environment"
        return {"web": {"results": [{"title": "T", "url": "https://t/"}]}}

    async def work(server: WebServer, call: Call) -> None:
        assert (await call(input="tea")).result["provider"] == "brave"

    monkeypatch.setenv("BRAVE_API_KEY", "from-the-environment")
    search({"/brave/res/v1/web/search": answer}, work, "brave")


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"provider": "altavista"}, "there is no provider 'altavista'"),
        ({"fallback": "brave"}, r"\[tools.web-searcher\] fallback must be a list"),
        (
            {"brave": {"base_url": 7, "api_key": "k"}, "provider": "brave"},
            "base_url must be a string",
        ),
        ({"brave": 7, "provider": "brave"}, "brave must be a table"),
    ],
)
def test_mistakes_of_the_configuration(own: dict[str, Any], message: str) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError, match=message):
            await call(input="tea")

    search({}, work, "brave", **own)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"input": ""}, "input"),
        ({"input": "a", "provider": "altavista"}, "provider must be one of tavily, brave"),
        ({"input": "a", "max_results": 0}, "max_results"),
        ({"input": "a", "language": "english"}, "language"),
        ({"input": "a", "safe_search": "maybe"}, "safe_search must be one of"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError, match=message) as caught:
            await call(**params)
        assert caught.value.code == "input.invalid"

    search({}, work)
