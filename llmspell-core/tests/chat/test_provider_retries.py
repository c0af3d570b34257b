"""How long a failed request waits for its next attempt, and what error texts say."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.chat.errors import (
    Service,
    connection_error,
    http_error,
    retry_after_ms,
)
from llmspell_core.chat.retry import wait_ms
from llmspell_core.errors import ProviderError
from llmspell_core.provider import RetryPolicy


def failed(**details: Any) -> ProviderError:
    return ProviderError("x", retryable=True, details=details)


@given(st.integers(1, 3))
def test_waits_double_and_are_spread_over_the_whole_time(attempt: int) -> None:
    wait = wait_ms(failed(), attempt, RetryPolicy())
    assert wait is not None
    assert 0 <= wait <= 500 * 2 ** (attempt - 1)


def test_without_jitter_the_waits_are_exact() -> None:
    policy = RetryPolicy(max_attempts=4, backoff_ms=100, multiplier=3, jitter=0)
    assert [wait_ms(failed(), n, policy) for n in (1, 2, 3, 4)] == [100, 300, 900, None]


def test_what_the_service_asks_for_wins_up_to_thirty_seconds() -> None:
    assert wait_ms(failed(retry_after_ms=30_000.0), 1, RetryPolicy()) == 30_000
    assert wait_ms(failed(retry_after_ms=30_001.0), 1, RetryPolicy()) is None


def test_what_cannot_get_better_is_not_tried_again() -> None:
    assert wait_ms(ProviderError("x"), 1, RetryPolicy()) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "2"}, 2000),
        ({"retry-after": "0.5"}, 500),
        ({"retry-after-ms": "70", "retry-after": "9"}, 70),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_in_its_forms(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_ms(headers) == expected


def test_retry_after_may_be_a_date() -> None:
    wait = retry_after_ms({"retry-after": formatdate(time.time() + 10, usegmt=True)})
    assert wait is not None
    assert 8_000 < wait <= 10_000


OLLAMA = Service("ollama", "http://127.0.0.1:11434/v1", program="ollama")
OPENAI = Service("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", api_key="sk-1234567890")


def test_a_local_service_that_is_not_there_asks_whether_it_runs() -> None:
    error = connection_error(OLLAMA, "refused", refused=True)
    assert error.message == "nothing answers at http://127.0.0.1:11434/v1"
    assert error.hint == "is ollama running?"


def test_a_missing_local_model_says_how_to_fetch_it() -> None:
    error = http_error(OLLAMA, 404, {}, '{"error": "model \\"x\\" not found"}', "x")
    assert error.hint == "fetch it:  ollama pull x"


def test_a_rejected_key_names_the_variable() -> None:
    error = http_error(OPENAI, 401, {}, '{"error": {"message": "bad sk-1234567890"}}', "m")
    assert error.hint == ("the key was rejected: set OPENAI_API_KEY or [providers.openai] api_key")
    assert "sk-" not in error.message


def test_an_account_without_credit_is_not_asked_again() -> None:
    body = '{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}'
    error = http_error(OPENAI, 429, {}, body, "m")
    assert not error.retryable
    assert "billing" in str(error.hint)


def test_a_services_words_are_shortened_and_on_one_line() -> None:
    error = http_error(OPENAI, 400, {}, "a\x1b[31m\nb" * 500, "m")
    assert "\n" not in error.message
    assert "\x1b" not in error.message
    assert len(error.message) < 400
