from __future__ import annotations

import pytest

from llmspell_core.errors import ConfigError, NotFoundError
from llmspell_core.security.builder import profile_from_settings
from llmspell_core.security.limits import LimitsPolicy, tightest_limits
from llmspell_core.security.presets import PROFILES
from llmspell_core.security.profile import BUILTIN_DENY, SecurityProfile, tightest


def test_the_levels_are_as_the_table_says() -> None:
    none, low, medium, high = (
        SecurityProfile.named(name) for name in ("none", "low", "medium", "high")
    )
    assert [p.isolation for p in (none, low, medium, high)] == [
        "process",
        "process",
        "worker",
        "sandbox",
    ]
    assert [p.tools.max_level for p in (none, low, medium, high)] == [
        "privileged",
        "privileged",
        "restricted",
        "safe",
    ]
    assert low.tools.confirm_levels == ("privileged",)
    assert low.processes == medium.processes == high.processes == ()
    assert low.environment == ("HOME", "LANG", "TZ", "USER", "PATH")
    assert high.environment == ()
    assert high.files.read == high.files.write == ()
    assert "$output" in medium.files.write
    assert "$project" not in medium.files.write
    assert high.state_scopes == ()


@pytest.mark.parametrize("name", PROFILES)
def test_each_built_in_profile_is_valid(name: str) -> None:
    profile = SecurityProfile.named(name)
    assert profile.name == name
    assert SecurityProfile.model_validate(profile.model_dump()) == profile
    assert SecurityProfile.named(name) is profile


def test_the_figures_of_high_are_exact() -> None:
    limits = SecurityProfile.high().limits
    assert (limits.memory_mb, limits.cpu_s, limits.wall_s) == (64, 10, 30)
    assert (limits.host_calls, limits.host_calls_per_s, limits.output_mb) == (10_000, 500, 8)
    assert (limits.tasks, limits.value_mb, limits.value_depth) == (100, 1, 32)
    assert (limits.subscriptions, limits.hooks, limits.state_mb) == (1000, 1000, 64)


def test_the_figures_of_medium_are_those_of_the_settings_reference() -> None:
    limits = SecurityProfile.medium().limits
    assert (limits.memory_mb, limits.cpu_s, limits.wall_s) == (256, 60, 300)
    assert (limits.host_calls, limits.host_calls_per_s, limits.output_mb) == (100_000, 5000, 64)
    assert (limits.tasks, limits.value_mb, limits.value_depth) == (1000, 16, 64)


def test_presets_are_customs_of_their_base() -> None:
    assert SecurityProfile.development().base == "low"
    assert "git" in SecurityProfile.development().processes
    assert SecurityProfile.testing().limits.wall_s == 60
    assert SecurityProfile.production().audit
    assert SecurityProfile.production().tools.require_approval == ("destructive", "privileged")
    assert SecurityProfile.data_analysis().network.mode == "none"
    assert SecurityProfile.data_analysis().limits.memory_mb == 2048


def test_an_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="mediun") as caught:
        SecurityProfile.named("mediun")
    assert caught.value.code == "security.unknown_profile"
    assert "medium" in (caught.value.hint or "")


def test_the_builder_adds_to_its_base() -> None:
    built = (
        SecurityProfile.custom("reports", base="medium")
        .allow_read("data")
        .allow_host("10.0.0.5")
        .allow_env("REPORT_DIR")
        .allow_process("git")
        .with_library("lua", "debug")
        .limit(memory_mb=512)
        .build()
    )
    assert built.name == "reports"
    assert built.base == "medium"
    assert built.files.read[-1] == "data"
    assert built.network.allowed_hosts == ("*", "10.0.0.5")
    assert "debug" in built.libraries["lua"]
    assert built.limits.memory_mb == 512
    assert built.limits.wall_s == SecurityProfile.medium().limits.wall_s
    assert SecurityProfile.medium().files.read[-1] != "data"


def test_a_host_added_to_no_network_opens_that_host_only() -> None:
    built = SecurityProfile.custom("x", base="data_analysis").allow_host("a.example").build()
    assert built.network.mode == "listed"
    assert built.network.allowed_hosts == ("a.example",)


def test_tightest_keeps_both_and_the_smaller_limits() -> None:
    a = SecurityProfile.custom("a", base="none").limit(wall_s=10).build()
    both = tightest(a, SecurityProfile.medium())
    assert [one.name for one in both.chain()] == ["a", "medium"]
    assert both.isolation == "worker"
    assert both.limits.wall_s == 10
    assert both.limits.memory_mb == 256
    assert both.state_scopes == SecurityProfile.medium().state_scopes
    assert tightest(both, SecurityProfile.medium()) == both


def test_zero_is_no_limit_when_limits_meet() -> None:
    met = tightest_limits(LimitsPolicy(memory_mb=0, wall_s=5), LimitsPolicy(memory_mb=7, wall_s=0))
    assert (met.memory_mb, met.wall_s, met.tasks) == (7, 5, 0)


def test_settings_replace_lists_and_keep_what_is_unset() -> None:
    made = profile_from_settings(
        {
            "profile": "medium",
            "files": {"read": ["data"], "write": None},
            "environment": {"allowed": ["LANG"]},
            "stdlib_access": {"lua": ["debug"]},
            "tools": {"deny": ["x"]},
        }
    )
    assert made.files.read == ("data",)
    assert made.files.write == SecurityProfile.medium().files.write
    assert made.environment == ("LANG",)
    assert made.libraries["lua"][-1] == "debug"
    assert made.tools.deny == ("x",)
    assert made.tools.allow == ("*",)


def test_settings_cannot_lift_the_built_in_denials() -> None:
    made = profile_from_settings({"files": {"deny": ["*.bak"]}})
    assert set(BUILTIN_DENY) < set(made.files.deny)
    assert "*.bak" in made.files.deny


def test_settings_only_lower_the_limits_of_high() -> None:
    made = profile_from_settings({"profile": "high", "limits": {"memory_mb": 9999, "wall_s": 5}})
    assert (made.limits.memory_mb, made.limits.wall_s) == (64, 5)
    unlimited = profile_from_settings({"profile": "high", "limits": {"memory_mb": 0}})
    assert unlimited.limits.memory_mb == 64


def test_named_custom_profiles_may_build_on_each_other() -> None:
    security = {
        "profile": "b",
        "profiles": {
            "a": {"base": "high", "network": {"allowed_hosts": ["a.example"]}},
            "b": {"base": "a", "limits": {"wall_s": 3}},
        },
    }
    made = profile_from_settings(security)
    assert (made.name, made.base) == ("b", "a")
    assert made.network.allowed_hosts == ("a.example",)
    assert made.limits.wall_s == 3
    assert made.isolation == "sandbox"


def test_a_profile_based_on_itself_is_an_error() -> None:
    with pytest.raises(ConfigError):
        profile_from_settings({"profile": "a", "profiles": {"a": {"base": "a"}}})
