"""`AnswerDecoder`: whatever the pieces, the text is the answer's."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from llmspell_local.decode import AnswerDecoder


def fed(pieces: list[str]) -> list[str]:
    decoder = AnswerDecoder()
    return [decoder.feed(piece) for piece in pieces]


def cut(text: str, places: list[int]) -> list[str]:
    bounds = [0, *sorted({place % (len(text) + 1) for place in places}), len(text)]
    return [text[a:b] for a, b in pairwise(bounds)]


places = st.lists(st.integers(0, 10_000), max_size=40)


@given(st.text(), places, st.booleans())
def test_any_cutting_of_an_answer_gives_its_text(answer: str, at: list[int], ascii_: bool) -> None:
    whole = json.dumps({"answer": answer}, ensure_ascii=ascii_)
    assert "".join(fed(cut(whole, at))) == answer


@given(st.text(), places)
def test_what_was_given_out_is_always_a_beginning_of_the_answer(answer: str, at: list[int]) -> None:
    shown = ""
    for piece in fed(cut(json.dumps({"answer": answer}), at)):
        shown += piece
        assert answer.startswith(shown)


def test_an_answer_cut_off_in_an_escape_gives_what_is_certain() -> None:
    assert "".join(fed(['{"answer": "a\\n', "b\\u00"])) == "a\nb"
    assert "".join(fed(['{"answer": "a\\ud83d'])) == "a"


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert "".join(fed(['{"answer":"x\\ud83d', 'y"}'])) == "x\ufffdy"
    assert "".join(fed(['{"answer":"\\ud83d"}'])) == "\ufffd"


def test_a_tool_call_gives_no_text() -> None:
    call = '{"tool":"t","arguments":{"answer":"no"}}'
    assert "".join(fed([*call])) == ""


def test_nothing_after_the_answer_is_text() -> None:
    assert "".join(fed(['{"answer":"yes"', ',"more":"no"}'])) == "yes"
