from __future__ import annotations

from typing import Any

import pytest

from llmspell_core.errors import LimitError
from llmspell_core.security.limits import LimitsPolicy, RateLimiter, check_value


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_values_within_the_limits_have_a_size() -> None:
    limits = LimitsPolicy(value_mb=1, value_depth=3)
    assert check_value({"a": ["text", 1]}, limits) > 10
    assert check_value(nested(3), limits)


def test_a_deep_and_a_large_value_are_named() -> None:
    with pytest.raises(LimitError) as caught:
        check_value(nested(4), LimitsPolicy(value_depth=3))
    assert caught.value.code == "limit.value_depth"
    for large in ("x" * 1_100_000, ["x" * 600_000] * 2, {"k" * 1_100_000: 1}):
        with pytest.raises(LimitError) as caught:
            check_value(large, LimitsPolicy(value_mb=1))
        assert caught.value.code == "limit.value_size"


def test_very_deep_values_do_not_overflow_the_stack() -> None:
    with pytest.raises(LimitError):
        check_value(nested(100_000), LimitsPolicy())


def test_the_rate_delays_and_never_fails() -> None:
    limiter = RateLimiter(100)
    assert [limiter.delay(10.0) for _ in range(100)] == pytest.approx([0.0] * 100, abs=1e-9)
    assert limiter.delay(10.0) == pytest.approx(0.01)
    assert limiter.delay(10.0) == pytest.approx(0.02)
    assert limiter.delay(30.0) == 0
    assert RateLimiter(0).delay(1.0) == 0
