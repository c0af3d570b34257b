from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from web_test_server import Answer, Call, Request, WebServer, using

from llmspell_core.errors import LLMSpellError
from llmspell_tools.search._works import day, plain
from llmspell_tools.search.academic_searcher import AcademicSearcher

ARXIV = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>ArXiv Query</title>
<entry><id>http://arxiv.org/abs/2101.00001v2</id><updated>2021-02-01T00:00:00Z</updated>
<published>2021-01-01T10:00:00Z</published><title>On the brewing
  of tea and other drinks</title><summary> We brew. </summary>
<author><name>Ada Leaf</name></author><author><name>Bo Cup</name></author>
<arxiv:doi xmlns:arxiv="http://arxiv.org/schemas/atom">10.1000/tea.1</arxiv:doi>
<link href="http://arxiv.org/abs/2101.00001v2" rel="alternate" type="text/html"/>
<link title="pdf" href="http://arxiv.org/pdf/2101.00001v2" rel="related"/></entry></feed>"""

ARXIV_ERROR = """<feed xmlns="http://www.w3.org/2005/Atom"><entry>
<id>http://arxiv.org/api/errors#bad</id><title>Error</title><summary>malformed</summary></entry></feed>"""

CROSSREF = {
    "status": "ok", "message-type": "work-list",
    "message": {"total-results": 2, "items": [
        {"DOI": "10.1000/TEA.1", "title": ["On the brewing of tea and other drinks"],
         "author": [{"given": "Ada", "family": "Leaf"}, {"name": "The Tea Group"}],
         "published": {"date-parts": [[2021, 3]]}, "container-title": ["Journal of Tea"],
         "abstract": "<jats:p>We <jats:italic>brew</jats:italic> &amp; a &lt; b.</jats:p>",
         "URL": "https://doi.org/10.1000/tea.1", "type": "journal-article",
         "is-referenced-by-count": 12},
        {"DOI": "10.1000/cup", "title": [], "is-referenced-by-count": 40},
    ]},
}  # fmt: skip

SEARCHED = {"header": {"type": "esearch"}, "esearchresult": {"count": "2", "idlist": ["22", "11"]}}
FETCHED = """<?xml version="1.0" ?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2024//EN"
 "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_240101.dtd">
<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID Version="1">11</PMID><Article>
<Journal><Title>Tea Medicine</Title><JournalIssue><PubDate><Year>2019</Year><Month>Jun</Month>
<Day>3</Day></PubDate></JournalIssue></Journal><ArticleTitle>Tea <i>in vitro</i></ArticleTitle>
<Abstract><AbstractText Label="AIM">To sip.</AbstractText><AbstractText>Done.</AbstractText>
</Abstract><AuthorList><Author><LastName>Kanne</LastName><ForeName>Eva</ForeName></Author>
<Author><CollectiveName>Sippers</CollectiveName></Author></AuthorList></Article>
</MedlineCitation><PubmedData><ArticleIdList><ArticleId IdType="pubmed">11</ArticleId>
<ArticleId IdType="doi">10.1000/pm</ArticleId></ArticleIdList></PubmedData></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID>22</PMID></MedlineCitation></PubmedArticle>
</PubmedArticleSet>"""

OPENALEX = {
    "meta": {"count": 1},
    "results": [
        {"id": "https://openalex.org/W1", "doi": "https://doi.org/10.1000/oa",
         "display_name": "Open tea", "publication_date": "2023-05-06", "publication_year": 2023,
         "authorships": [{"author": {"display_name": "Cy Pot"}}], "cited_by_count": 3,
         "primary_location": {"landing_page_url": "https://l/", "pdf_url": None,
                              "source": {"display_name": "Open Journal"}},
         "open_access": {"oa_url": "https://l/x.pdf"},
         "abstract_inverted_index": {"is": [1], "Tea": [0, 2]}}
    ],
}  # fmt: skip

ROUTES: dict[str, Any] = {
    "/arxiv/api/query": Answer(ARXIV, kind="application/atom+xml"),
    "/crossref/works": CROSSREF,
    "/pubmed/entrez/eutils/esearch.fcgi": SEARCHED,
    "/pubmed/entrez/eutils/efetch.fcgi": Answer(FETCHED, kind="text/xml"),
    "/openalex/works": OPENALEX,
}


def search(work: Any, routes: dict[str, Any] | None = None) -> None:
    def settings(server: WebServer) -> dict[str, Any]:
        table = {
            name: {"base_url": f"{server.url}/{name}"}
            for name in ("arxiv", "crossref", "pubmed", "openalex")
        }
        return {"tools": {"academic-searcher": {**table, "mailto": "me@example.com"}}}

    using(AcademicSearcher, {**ROUTES, **(routes or {})}, work, settings=settings)


def asked(server: WebServer, path: str) -> Request:
    return next(request for request in server.requests if request.path == path)


def test_arxiv() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(
            input="green tea!", source="arxiv", dates="2020..2021-06", sort_by="newest"
        )
        assert result.output == [
            {
                "title": "On the brewing of tea and other drinks",
                "authors": ["Ada Leaf", "Bo Cup"],
                "year": 2021,
                "published": "2021-01-01",
                "url": "http://arxiv.org/abs/2101.00001v2",
                "doi": "10.1000/tea.1",
                "abstract": "We brew.",
                "pdf_url": "http://arxiv.org/pdf/2101.00001v2",
                "type": "preprint",
                "id": "2101.00001v2",
                "source": "arxiv",
                "sources": ["arxiv"],
            }
        ]
        query = server.requests[0].query
        assert query["search_query"] == (
            "all:green AND all:tea AND submittedDate:[202001010000 TO 202106302359]"
        )
        assert query["sortBy"] == "submittedDate"
        await call(input="au:leaf ANDNOT ti:cup", sources=["arxiv"])
        assert server.requests[1].query["search_query"] == "(au:leaf ANDNOT ti:cup)"

    search(work)


def test_crossref() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="tea", sources="crossref", dates={"from": "2020"}, limit=5)
        first, second = result.output
        assert first["authors"] == ["Ada Leaf", "The Tea Group"]
        assert (first["published"], first["year"], first["citations"]) == ("2021-03", 2021, 12)
        assert first["abstract"] == "We brew & a < b."
        assert (first["doi"], first["venue"]) == ("10.1000/tea.1", "Journal of Tea")
        assert second["title"] == "(untitled)"
        query = server.requests[0].query
        assert query["filter"] == "from-pub-date:2020-01-01"
        assert (query["rows"], query["sort"], query["mailto"]) == (
            "5", "relevance", "me@example.com",
        )  # fmt: skip

    search(work)


def test_pubmed() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="tea", sources="pubmed", dates="..2019")
        first, second = result.output
        assert (first["id"], first["title"]) == ("22", "(untitled)")
        assert second == {
            "title": "Tea in vitro",
            "authors": ["Eva Kanne", "Sippers"],
            "year": 2019,
            "published": "2019-06-03",
            "url": "https://pubmed.ncbi.nlm.nih.gov/11/",
            "doi": "10.1000/pm",
            "abstract": "AIM: To sip. Done.",
            "venue": "Tea Medicine",
            "id": "11",
            "source": "pubmed",
            "sources": ["pubmed"],
        }
        query = server.requests[0].query
        assert (query["mindate"], query["maxdate"], query["datetype"]) == (
            "1000", "2019/12/31", "pdat",
        )  # fmt: skip
        assert server.requests[1].query["id"] == "22,11"

    search(work)


def test_openalex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENALEX_API_KEY", "oa-key")

    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="tea", sources=["OpenAlex"], sort="cited", dates=2023)
        assert result.output[0]["abstract"] == "Tea is Tea"
        assert result.output[0]["pdf_url"] == "https://l/x.pdf"
        assert result.output[0]["venue"] == "Open Journal"
        query = server.requests[0].query
        assert query["filter"] == (
            "from_publication_date:2023-01-01,to_publication_date:2023-12-31"
        )
        assert (query["sort"], query["api_key"]) == ("cited_by_count:desc", "oa-key")

    search(work)


def test_all_sources_give_each_work_once() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="tea")
        assert result.result["sources"] == ["arxiv", "crossref", "pubmed", "openalex"]
        assert result.result["count"] == 5
        both = result.output[0]
        assert both["sources"] == ["arxiv", "crossref"]
        assert (both["type"], both["citations"]) == ("preprint", 12)
        cited = await call(input="tea", sort_by="citations", max_results=2)
        assert [one["citations"] for one in cited.output] == [40, 12]
        newest = await call(input="tea", sort_by="date")
        assert [one.get("year") for one in newest.output[:3]] == [2023, 2021, 2019]
        assert result.text.splitlines()[0] == "1. On the brewing of tea and other drinks"

    search(work)


@pytest.mark.parametrize(
    ("source", "answer", "message"),
    [
        ("arxiv", Answer(ARXIV_ERROR), "arxiv: malformed"),
        ("arxiv", Answer("<feed"), "arxiv did not answer with XML"),
        ("arxiv", Answer('<!DOCTYPE f [<!ENTITY a "b">]><feed>&a;</feed>'), "arxiv did not answer"),
        ("arxiv", Answer("busy", 503), "arxiv answered with HTTP 503: busy"),
        ("crossref", [1], "crossref did not answer with a JSON object"),
        ("crossref", {"message": {"items": [{"author": 7}]}}, "not answer in the form"),
        ("openalex", {"results": [{"primary_location": "x"}]}, "not answer in the form"),
        ("openalex", "<html>", "did not answer with a JSON object"),
    ],
)
def test_a_source_that_fails_is_named_and_the_others_count(
    source: str, answer: Any, message: str
) -> None:
    path = {"arxiv": "/arxiv/api/query"}.get(source, f"/{source}/works")

    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="tea")
        assert [one["source"] for one in result.result["failed"]] == [source]
        assert message in result.result["failed"][0]["message"]
        with pytest.raises(LLMSpellError, match=message.replace("(", r"\(")):
            await call(input="tea", sources=[source])

    search(work, {path: answer})


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sources": ["scholar"]}, "sources.0 must be one of arxiv, crossref, pubmed, openalex"),
        ({"date_range": "soon"}, 'date_range: "soon" is no date like'),
        ({"date_range": "2024..2020"}, "date_range must not end before it begins"),
        ({"date_range": "2023-02-31"}, "is no date that there is"),
        ({"date_range": [1]}, "date_range must be like 2020..2024"),
        ({"max_results": 0}, "max_results"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(input="tea", **params)
        assert caught.value.code == "input.invalid"
        assert message in caught.value.message

    search(work)


def test_days_and_plain_text() -> None:
    assert day("2024-02", end=True) == date(2024, 2, 29)
    assert day("2024") == date(2024, 1, 1)
    assert plain("a < b <b>c</b> &lt;d&gt; <br/>") == "a < b c <d>"
    assert len(plain("<" * 100_000)) <= 20_000
