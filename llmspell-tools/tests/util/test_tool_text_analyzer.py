from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.util import _analysis
from llmspell_tools.util.text_analyzer import TextAnalyzer

ENGLISH = (
    "The quick brown fox jumps over the lazy dog. Natural language processing makes computers "
    "understand text. Natural language processing is not easy!"
)


def run(**params: Any) -> ToolResult:
    tool = TextAnalyzer()
    result: ToolResult = asyncio.run(tool.run_tool(tool.validate(params), None))  # type: ignore[arg-type]
    return result


def test_tokens_of_several_scripts() -> None:
    result = run(operation="tokens", input="Don't pay 3,50 € — l'été, well-known 日本の naïve_x!")
    assert result.output == [
        "Don't", "pay", "3,50", "l'été", "well-known", "日", "本", "の", "naïve", "x",
    ]  # fmt: skip
    short = run(operation="words", input="A a B", limit=2)
    assert short.result == {"tokens": ["A", "a"], "count": 3, "unique": 2, "truncated": True}
    assert short.text == "A\na"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Mr. J. Smith paid 3.50 to Dr. Who. Done", ["Mr. J. Smith paid 3.50 to Dr. Who.", "Done"]),
        ("Fruit, e.g. plums. Done", ["Fruit, e.g. plums.", "Done"]),
        ('He said "No." Then he left.', ['He said "No."', "Then he left."]),
        ("Wait... What?! Yes", ["Wait...", "What?!", "Yes"]),
        ("Am 3. mai war es so. Ja.", ["Am 3. mai war es so.", "Ja."]),
        ("今日は。元気です\uff01はい", ["今日は。", "元気です\uff01", "はい"]),
        ("A title\n\nSome text\nin lines.", ["A title", "Some text in lines."]),
        ("", []),
    ],
)  # fmt: skip
def test_sentences(text: str, parts: list[str]) -> None:
    assert run(operation="sentences", input=text).output == parts


def test_keywords_leave_small_words_out() -> None:
    result = run(operation="keywords", input=ENGLISH, limit=3)
    assert result.output[0] == {
        "keyword": "natural language processing",
        "score": 6,
        "count": 2,
    }
    assert len(result.output) == 3
    assert "language" not in [one["keyword"] for one in result.output]
    german = run(operation="keywords", input="Die Katze und der Hund und die Maus.", language="de")
    assert {one["keyword"] for one in german.output} == {"katze", "hund", "maus"}
    # The language is guessed by its small words.
    assert run(operation="keywords", input="Die Katze und der Hund und die Maus.").output == (
        german.output
    )


def test_ngrams_count_what_follows_what() -> None:
    result = run(operation="n-grams", input="To be, or not to be.", n=2)
    assert result.output[0] == {"ngram": "to be", "count": 2}
    assert (result.result["count"], result.result["n"]) == (4, 2)
    assert run(operation="ngrams", input="a", n=3).output == []


def test_readability_tells_easy_from_hard() -> None:
    easy = run(operation="readability", input="The cat sat. The dog ran. It was fun.").result
    hard = run(
        operation="readability",
        input="Notwithstanding considerable organizational complexities, interdepartmental "
        "communication necessitates comprehensive methodological standardization initiatives.",
    ).result
    assert easy["flesch_reading_ease"] > 100
    assert hard["flesch_reading_ease"] < 0
    assert easy["flesch_kincaid_grade"] < 2
    assert hard["flesch_kincaid_grade"] > 15
    assert (easy["level"], hard["level"]) == ("very easy", "very difficult")
    assert (easy["words"], easy["sentences"], easy["syllables"]) == (9, 3, 9)
    assert run(operation="readability", input="1 2 3").result["words"] == 0


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en"),
        ("Das Wetter ist heute sehr schön, und wir gehen spazieren.", "de"),
        ("Il fait très beau aujourd'hui et nous allons nous promener.", "fr"),
        ("Сегодня очень хорошая погода, и мы идём гулять.", "ru"),
        ("今日は天気がとても良いです。", "ja"),
    ],
)
def test_languages(text: str, language: str) -> None:
    result = run(operation="language", input=text)
    assert result.output == result.text == language
    assert 0.5 < result.result["confidence"] <= 1
    assert result.result["candidates"][0]["language"] == language


def test_a_text_without_letters_is_of_no_language() -> None:
    result = run(operation="language", input="123 !?")
    assert result.result == {"language": None, "confidence": 0.0, "candidates": []}


def test_analyze_is_what_is_obvious() -> None:
    result = run(text=f"{ENGLISH}\n\nA last one.")
    assert result.result["words"] == 25
    assert result.result["sentences"] == 4
    assert result.result["paragraphs"] == 2
    assert result.result["language"]["language"] == "en"
    assert result.result["readability"]["language"] == "en"
    assert result.text.startswith("25 words, 4 sentences, 2 paragraphs\nlanguage: en\n")
    assert run(input="").result["language"] is None


@given(st.text())
def test_any_text_can_be_analyzed(text: str) -> None:
    found = _analysis.everything(text, "", 5)
    assert found["characters"] == len(text)
    assert len(found["keywords"]) <= 5
    joined = "".join("".join(_analysis.split_sentences(text)).split())
    assert joined == "".join(text.split())


def test_a_long_text_is_analyzed_in_a_helper_process() -> None:
    text = (ENGLISH + " ") * 2000

    async def main() -> None:
        async with Runtime({}) as runtime:
            result = await TextAnalyzer().call(
                {"input": text, "operation": "ngrams"}, runtime.context()
            )
            assert result.output[0]["count"] == 4000

    asyncio.run(main())


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", [".", "a-", ". ", "1.", "\n \n", "\n ", "\u3002", "a b "])
def test_no_text_takes_long(piece: str) -> None:
    started = time.monotonic()
    _analysis.everything(piece * 20_000, "en", 5)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, 'input is required for "analyze"'),
        ({"input": []}, "input must be a string, not a list"),
        ({"input": "a", "operation": "sing"}, "operation must be one of analyze, tokens"),
        ({"input": "a", "operation": "ngrams", "n": 9}, "n must be less than or equal to 5"),
        ({"input": "a", "limit": 0}, "limit must be greater than or equal to 1"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        run(**params)
