"""One pass over a history: what each step does, in which order, and what it never touches."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_agents.history.compaction import Compaction, Gap, turn_starts
from llmspell_agents.history.repair import is_sendable
from llmspell_agents.history.sizes import Gauge, size_of, sizes_of
from llmspell_agents.history.summary import transcript
from llmspell_core.messages import Message, Reasoning, ToolCall


def user(text: str) -> Message:
    return Message(role="user", content=text)


def said(text: str) -> Message:
    return Message(role="assistant", content=text)


def round_of(id_: str, text: str, thought: str = "") -> list[Message]:
    back = Reasoning(provider="p", text=thought, signature={"r": thought}) if thought else None
    call = ToolCall(id=id_, name="stock", arguments={"n": 1})
    return [
        Message(role="assistant", tool_calls=[call], reasoning=back),
        Message(role="tool", content=text, tool_call_id=id_),
    ]


def conversation(count: int, long: int = 2000) -> list[Message]:
    """`count` turns of a question, a round of calls and an answer."""
    made: list[Message] = []
    for number in range(count):
        made.append(user(f"question {number}"))
        made += round_of(f"c{number}", f"result {number} " + "x" * long, "t" * 500)
        made.append(said(f"answer {number} " + "y" * 300))
    return made


def compaction(history: list[Message], gap: Gap | None, goal: int, keep_turns: int) -> Compaction:
    return Compaction(history, sizes_of(history), gap, goal, keep_turns)


def turns(history: list[Message]) -> list[list[Message]]:
    starts = turn_starts(history, [one.role for one in history])
    return [history[a:b] for a, b in zip(starts, [*starts[1:], len(history)], strict=True)]


def size(messages: list[Message]) -> int:
    return sum(map(size_of, messages))


def test_a_turn_is_a_question_and_of_the_newest_each_round_of_calls() -> None:
    rounds = [*round_of("1", "x"), *round_of("2", "y")]
    again = [*round_of("3", "x"), *round_of("4", "y")]
    history = [user("a"), *rounds, said("b"), user("c"), *again, said("d")]
    assert [[one.role[0] for one in turn] for turn in turns(history)] == [
        ["u", "a", "t", "a", "t", "a"],
        ["u", "a", "t"],
        ["a", "t", "a"],
    ]


def test_old_results_are_shortened_first_the_oldest_before_the_others() -> None:
    history = conversation(6)
    work = compaction(history, None, size(history) - 1, keep_turns=4)
    work.shorten_results()
    assert work.done
    assert work.steps == ["shorten_results"]
    left, mark = work.result()
    assert mark is None
    texts = [one.text for one in left if one.role == "tool"]
    assert "characters left out" in texts[0]
    assert texts[0].startswith("result 0 ")
    assert texts[1:] == [one.text for one in history if one.role == "tool"][1:]
    assert work.size == size(left)
    assert "characters left out" not in history[2].text


def test_then_thoughts_of_old_turns_go() -> None:
    history = conversation(6)
    work = compaction(history, None, 0, keep_turns=4)
    work.drop_reasoning()
    thinking = [one.reasoning is not None for one in work.result()[0] if one.tool_calls]
    assert thinking == [False, False, True, True, True, True]
    assert all(one.reasoning for one in history if one.tool_calls)


def test_then_old_turns_become_a_summary_behind_the_first_question() -> None:
    history = conversation(6)
    work = compaction(history, None, size(history) // 2, keep_turns=4)
    old = work.to_summarize()
    assert history[0] not in old
    assert [*old, *history[-16:]] == history[1:]
    work.summarized("They asked for numbers.")
    left, mark = work.result()
    assert left[0] is history[0]
    assert left[1] is mark
    assert left[1].text.endswith("They asked for numbers.")
    assert left[2:] == history[-16:]
    assert abs(work.size - size(left)) < 100
    assert is_sendable([*left, user("x")])


def test_a_summary_that_is_no_shorter_is_not_used() -> None:
    history = conversation(6, long=10)
    work = compaction(history, None, 0, keep_turns=4)
    work.summarized("z" * 100_000)
    assert work.result() == (history, None)
    assert work.steps == []


def test_at_last_whole_turns_go_but_never_the_last() -> None:
    history = conversation(6)
    work = compaction(history, Gap(3, "Before."), 0, keep_turns=4)
    work.drop_turns()
    left, mark = work.result()
    assert work.steps == ["drop_turns"]
    assert left == [history[0], mark, *history[-4:]]
    assert mark is not None
    assert "Before." in mark.text
    assert work.gap is not None
    assert work.gap.left_out == 3 + len(history) - 5


def test_a_long_run_keeps_its_question_and_its_last_round() -> None:
    history = [user("first"), said("hm"), user("the task")]
    for number in range(8):
        history += round_of(str(number), "x" * 900)
    work = compaction(history, None, 0, keep_turns=2)
    work.drop_turns()
    left, mark = work.result()
    assert [one.text for one in left if one.role == "user" and one is not mark] == [
        "first",
        "the task",
    ]
    assert left[-2:] == history[-2:]
    assert is_sendable(left)


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    made = [user("first")]
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(["ask", "round", "answer"]))
        text = "w" * draw(st.integers(1, 3000))
        if kind == "ask":
            made.append(user(text))
        elif kind == "answer":
            made.append(said(text))
        else:
            made += round_of(str(number), text, draw(st.sampled_from(["", "t" * 700])))
    return made if made[-1].role != "assistant" else [*made, user("last")]


@given(
    histories(), st.integers(0, 4000), st.integers(1, 5), st.sampled_from(["", "short", "s" * 900])
)
@settings(max_examples=120, deadline=None)
def test_whatever_is_done_it_can_be_sent_and_keeps_what_must_stay(
    history: list[Message], goal: int, keep: int, summary: str
) -> None:
    work = compaction(history, None, goal, keep)
    before = [one.model_copy(deep=True) for one in history]
    for step in (work.shorten_results, work.drop_reasoning):
        step()
    work.summarized(summary)
    work.drop_turns()
    left, mark = work.result()
    assert history == before
    assert is_sendable(left)
    assert work.size == size(left) or (mark is not None and abs(work.size - size(left)) < 100)
    last = turns(history)[-1]
    assert left[-len(last) :] == last
    asked = [one for one in history if one.role == "user"]
    assert left[0] is asked[0]
    assert any(one is asked[-1] for one in left)
    assert work.done or len(turns([one for one in left if one is not mark])) <= 3


def test_tokens_are_put_right_by_what_the_service_counts() -> None:
    gauge = Gauge()
    assert gauge.tokens(4000) == 1000
    gauge.learn(4000, 1500)
    assert gauge.tokens(4000) == 1500
    assert gauge.size(1500) == 4000
    gauge.learn(4000, 0)
    gauge.learn(40, 1000)
    assert gauge.tokens(4000) == 1500
    gauge.learn(4000, 10)
    assert gauge.tokens(4000) == 700


def test_a_transcript_is_shortened_to_what_fits() -> None:
    history = conversation(30)
    text = transcript(history, "Before.", 30_000)
    assert len(text) <= 30_000
    assert text.startswith("Before: Before.")
    assert "question 0" in text
    assert "question 29" in text
    assert "assistant calls stock {'n': 1}" in text
    assert len(transcript(history, "", 1000)) < 1100
