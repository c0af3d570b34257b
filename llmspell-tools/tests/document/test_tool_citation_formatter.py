from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.document import _bibtex
from llmspell_tools.document._entries import from_bibtex, names_of
from llmspell_tools.document._styles import STYLES
from llmspell_tools.document.citation_formatter import CitationFormatter

BIBTEX = r"""
Words between entries are comments.
@string{lms = "Proc. " # {LMS}}
@comment{nothing}
@preamble{"\newcommand{x}"}
@article{turing,
  author = {Turing, Alan M. and Doe, Jane}, title = {On Computable {Numbers}}, journal = lms,
  year = 1936, month = nov, volume = 42, number = 1, pages = {230--265},
  doi = {https://doi.org/10.1112/plms/s2-42.1.230},
}
@book(knuth, author = "Donald Knuth", title = "The Art", edition = 2,
  publisher = {Addison-Wesley}, address = {Reading}, year = 1968)
@inproceedings{vaswani, author = {Vaswani, Ashish and Shazeer, Noam and Parmar, Niki and
  Uszkoreit, Jakob}, title = {Attention Is All You Need}, booktitle = {Advances},
  editor = {Isabelle Guyon and Ulrike von Luxburg}, pages = {5998--6008}, year = 2017}
@online{svg, author = {{World Wide Web Consortium}}, title = {SVG 2}, year = 2018, month = 10,
  day = 4, url = {https://www.w3.org/TR/SVG2/}, urldate = {2024-01-02}}
"""


def run(**params: Any) -> ToolResult:
    async def main() -> ToolResult:
        async with Runtime({}) as runtime:
            return await CitationFormatter().call(params, runtime.context())

    return asyncio.run(main())


def test_exact_examples_are_exact() -> None:
    for params, shows in CitationFormatter.examples:
        assert run(**params).text == shows


DOI = "https://doi.org/10.1112/plms/s2-42.1.230"


@pytest.mark.parametrize(
    ("style", "turing", "citation"),
    [
        (
            "APA",
            "Turing, A. M., & Doe, J. (1936). On Computable Numbers. *Proc. LMS*, *42*(1), "
            f"230\u2013265. {DOI}",
            "(Turing & Doe, 1936)",
        ),
        (
            "mla",
            "Turing, Alan M., and Jane Doe. “On Computable Numbers.” *Proc. LMS*, vol. 42, "
            f"no. 1, Nov. 1936, pp. 230\u2013265, {DOI}.",
            "(Turing and Doe)",
        ),
        (
            "chicago",
            "Turing, Alan M., and Jane Doe. 1936. “On Computable Numbers.” *Proc. LMS* 42 (1): "
            f"230\u2013265. {DOI}.",
            "(Turing and Doe 1936)",
        ),
        (
            "ieee",
            "[1] A. M. Turing and J. Doe, “On Computable Numbers,” *Proc. LMS*, vol. 42, no. 1, "
            "pp. 230\u2013265, Nov. 1936, doi: 10.1112/plms/s2-42.1.230.",
            "[1]",
        ),
        (
            "harvard",
            "Turing, A.M. and Doe, J. (1936) \u2018On Computable Numbers\u2019, *Proc. LMS*, "
            f"42(1), pp. 230\u2013265. Available at: {DOI}.",
            "(Turing and Doe, 1936)",
        ),
    ],
)
def test_an_article_in_each_style(style: str, turing: str, citation: str) -> None:
    result = run(input=BIBTEX, style=style, cite_keys="turing", output_format="markdown")
    assert result.output == turing
    assert result.result["citations"] == [
        {"key": "turing", "citation": citation, "reference": turing}
    ]


@pytest.mark.parametrize(
    ("style", "lines"),
    [
        (
            "apa",
            [
                "Knuth, D. (1968). <i>The Art</i> (2nd ed.). Addison-Wesley.",
                "Vaswani, A., Shazeer, N., Parmar, N., &amp; Uszkoreit, J. (2017). Attention Is "
                "All You Need. In I. Guyon &amp; U. von Luxburg (Eds.), <i>Advances</i> "
                "(pp. 5998\u20136008).",
                "World Wide Web Consortium. (2018, October 4). <i>SVG 2</i>. "
                "https://www.w3.org/TR/SVG2/",
            ],
        ),
        (
            "harvard",
            [
                "Knuth, D. (1968) <i>The Art</i>. 2nd edn. Reading: Addison-Wesley.",
                "Vaswani, A. <i>et al.</i> (2017) \u2018Attention Is All You Need\u2019, in Guyon, "
                "I. and von Luxburg, U. (eds.) <i>Advances</i>. pp. 5998\u20136008.",
                "World Wide Web Consortium (2018) <i>SVG 2</i>. Available at: "
                "https://www.w3.org/TR/SVG2/ (Accessed: 2024-01-02).",
            ],
        ),
    ],
)
def test_other_works(style: str, lines: list[str]) -> None:
    keys = ["vaswani", "svg", "knuth"]
    result = run(input=BIBTEX, style=style, cite_keys=keys, output_format="html")
    assert result.result["bibliography"] == lines
    assert [one["key"] for one in result.result["citations"]] == keys


def test_numbers_follow_the_order_of_citing() -> None:
    result = run(input=BIBTEX, style="ieee", cite_keys=["knuth", "turing", "knuth"])
    assert [one["citation"] for one in result.result["citations"]] == ["[1]", "[2]"]
    assert result.text.startswith("[1] D. Knuth, The Art, 2nd ed. Reading: Addison-Wesley, 1968.")


def test_bibliographies_of_other_forms() -> None:
    yaml = """
harry:
  type: Book
  title: Harry Potter
  author: Rowling, J. K.
  date: 2003-06-21
  publisher: Bloomsbury
kin:
  type: article
  title: Kinetics
  author: ["Aaa, Bob", "Ccc, D."]
  date: 1998-05
  page-range: 10-20
  serial-number: {doi: "10.1000/x1"}
  parent: {type: periodical, title: Chem, volume: 3, issue: 2}
"""
    assert run(input=yaml, style="apa").text.splitlines() == [
        "Aaa, B., & Ccc, D. (1998). Kinetics. Chem, 3(2), 10\u201320. https://doi.org/10.1000/x1",
        "Rowling, J. K. (2003). Harry Potter. Bloomsbury.",
    ]
    csl = [
        {
            "id": "a",
            "type": "article-journal",
            "title": "T",
            "author": [{"family": "Beethoven", "given": "L", "non-dropping-particle": "van"}],
            "issued": {"date-parts": [[2001, 2, 3]]},
            "container-title": "J",
            "page": "1-2",
        }
    ]
    assert run(input=csl).text == "van Beethoven, L. (2001). T. J, 1\u20132."
    assert run(input='{"title": "Only", "url": "https://x.example/"}').text == (
        "Only (n.d.). https://x.example/"
    )


def test_works_of_one_author_and_year_are_told_apart() -> None:
    works = [
        {"id": key, "title": title, "author": "Ada B", "year": 2000}
        for key, title in (("z", "Alpha"), ("y", "Beta"))
    ]
    result = run(input=works, style="chicago")
    assert [one["citation"] for one in result.result["citations"]] == ["(B 2000a)", "(B 2000b)"]


def test_texts_of_tex() -> None:
    for given_text, shown in {
        r"M{\"u}ller \'{e}\~n \c{c} \v s {\aa} \o{} \ss": "Müller éñ ç š å ø ß",
        r"A \& B 50\% --- x--y": "A & B 50% — x\u2013y",
        r"``quoted'' {Braces} $n$ \emph{it}": "“quoted” Braces n it",
        r"\'{\i}": "í",
    }.items():
        assert _bibtex.plain(given_text) == shown
    assert [
        (n.family, n.given) for n in names_of("Ludwig van Beethoven and {A and B Inc.}", "x")
    ] == [
        ("van Beethoven", "Ludwig"),
        ("A and B Inc.", ""),
    ]
    many = " and ".join(f"A{n}, B." for n in range(25))
    text = run(input=[{"title": "T", "author": many, "year": 1}]).text
    assert text.startswith("A0, B., A1, B.,")
    assert ", . . . A24, B. (1)" in text


def test_mistakes_of_entries_are_found() -> None:
    result = run(
        operation="validate",
        input="@article{a, title={T}, author={X}, year={soon}, doi={x}, url={ftp:/y}}\n@book{a}",
    )
    assert result.result["valid"] is False
    assert {(one["field"], one["message"]) for one in result.result["errors"]} == {
        ("journal or booktitle", "is missing"),
        ("year", 'is no year: "soon"'),
        ("doi", 'is no DOI: "x"'),
        ("url", 'is no URL: "ftp:/y"'),
        ("key", "is there twice"),
        ("title", "is missing"),
        ("author", "is missing"),
        ("year", "is missing"),
        ("publisher", "is missing"),
    }
    assert run(operation="validate", input=BIBTEX).text == "valid"
    assert run(operation="styles").result["count"] == 5


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "input is required"),
        ({"input": "@book{x, title}"}, "is no BibTeX: a field or the end of the entry"),
        ({"input": "\n@book{x, title={a"}, "a value does not end at line 2"),
        ({"input": "@book x"}, '"{" is missing'),
        ({"input": "@book{x title=1}"}, "a comma is missing"),
        ({"input": "a: ["}, "input is no YAML"),
        ({"input": "{"}, "input is no JSON"),
        ({"input": "[1]"}, "input.0 must be an entry, not 1"),
        ({"input": "5"}, "input must be a bibliography, not 5"),
        ({"input": [{"title": "x", "author": 5}]}, "author must be names, not 5"),
        ({"input": BIBTEX, "cite_keys": "turin"}, 'did you mean "turing"?'),
        ({"input": BIBTEX, "style": "aap"}, "style must be one of"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        run(**params)
    assert message in caught.value.message


def test_hostile_texts_end() -> None:
    for text in (
        "\n" * 200_000,
        "@" * 100_000,
        "@a{" * 50_000,
        "{" * 100_000,
        "@a{b," + "x={" * 9999,
    ):
        with pytest.raises(LLMSpellError):
            run(input=text, format="bibtex" if "@" in text else None)


@settings(max_examples=150)
@given(st.text(alphabet="@ab{}(),=#\"\\'` \n12", max_size=40))
def test_any_text_is_a_bibliography_or_a_mistake(text: str) -> None:
    try:
        entries = from_bibtex(text)
    except ValidationError:
        return
    for entry in entries:
        for style in STYLES.values():
            assert style.reference(entry)
            assert style.cite(entry, 1)
