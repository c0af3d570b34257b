"""`Config`: what a script reads, and what it may change for its run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.config.mistakes import ConfigMistakes
from llmspell_core.errors import PolicyError, ValidationError
from llmspell_core.globals.config import ConfigGlobal
from llmspell_core.globals.security import SecurityGlobal
from llmspell_core.globals.utils import UtilsGlobal
from llmspell_core.runtime import Runtime

DATA: dict[str, Any] = {
    "state": {"backend": "memory"},
    "providers": {"mine": {"base_url": "http://127.0.0.1:9", "api_key": "key-of-mine-123"}},
    "plugins": {"acme": {"note": "uses key-of-mine-123", "token": "t"}},
}


def within(check: Callable[[Any], None], **security: Any) -> None:
    async def main() -> None:
        async with Runtime({**DATA, "security": security}) as runtime:
            runtime.redactor.add("key-of-mine-123")
            overlay = runtime.base.child()
            check(runtime.context(overlay=overlay, language="lua", state_scope="script:a.lua"))
            await overlay.close()

    asyncio.run(main())


def test_a_value_is_read_by_its_path_and_secrets_are_masked() -> None:
    def check(ctx: Any) -> None:
        config = ConfigGlobal(ctx)
        assert config.get("default.timeout_ms") == 120_000
        assert config.get("events") == {"history": 1000, "queue": 1024, "share": []}
        assert config.get("providers.mine.api_key") == "***"
        assert config.get("plugins.acme") == {"note": "uses ***", "token": "***"}
        assert config.get("nothing.here", "fallback") == "fallback"
        assert config.get("security.limits.memory_mb", 7) == 7
        assert config.get()["providers"]["mine"]["api_key"] == "***"
        provider = config.get_provider("mine")
        assert provider is not None
        assert (provider["name"], provider["api_key"]) == ("mine", "***")
        assert provider["base_url"] == "http://127.0.0.1:9"
        assert config.get_provider("other") is None

    within(check)


def test_a_script_changes_what_cannot_widen_and_only_for_its_run() -> None:
    def check(ctx: Any) -> None:
        config = ConfigGlobal(ctx)
        config.set("default.model", "mine/small")
        config.set('models."a.b".model', "mine/large")
        config.set("prompts.short", "Be brief.")
        assert ctx.settings.default.model == "mine/small"
        assert config.get("default.model") == "mine/small"
        assert ctx.settings.models["a.b"].model == "mine/large"
        assert ctx.child(depth_of="x").settings.default.model == "mine/small"
        assert ctx.runtime.settings.default.model == "local/smollm2-135m"

    within(check)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("security.profile", "none"),
        ("secrets.command", "evil"),
        ("providers.mine.base_url", "http://evil.example"),
        ("system.log_file", "x"),
        ("default.max_cost_usd", 100),
        ("default", {"model": "a"}),
        ("prompts.p", {"file": "/etc/passwd"}),
        ("prompts.p.file", "/etc/passwd"),
        ("models.m", {"model": "a/b", "options": {"base_url": "http://evil.example"}}),
        ("tools.calculator.enabled", True),
    ],
)
def test_a_script_cannot_change_what_widens(path: str, value: Any) -> None:
    def check(ctx: Any) -> None:
        with pytest.raises((PolicyError, ValidationError)):
            ConfigGlobal(ctx).set(path, value)
        assert ctx.overlay.settings is None

    within(check)


def test_a_wrong_value_is_told_like_one_of_a_file() -> None:
    def check(ctx: Any) -> None:
        with pytest.raises(ConfigMistakes, match='timeout_ms: "soon" is not a whole number'):
            ConfigGlobal(ctx).set("default.timeout_ms", "soon")

    within(check)


def test_access_is_answered_as_the_gates_would(tmp_path: Path) -> None:
    def check(ctx: Any) -> None:
        config, security = ConfigGlobal(ctx), SecurityGlobal(ctx)
        inside, outside = str(tmp_path / "a.txt"), str(Path(tmp_path.anchor) / "etc" / "passwd")
        assert config.is_file_access_allowed()
        assert config.is_file_access_allowed(inside)
        assert not config.is_file_access_allowed(outside)
        assert security.check("read", inside)
        assert not security.check("write", inside)
        assert config.is_network_access_allowed()
        assert config.is_network_access_allowed("api.example.com")
        assert not config.is_network_access_allowed("127.0.0.1")
        assert config.is_network_access_allowed("127.0.0.1:8080")
        assert not security.check("host", "10.0.0.1:1")
        assert not security.check("process", "git")
        assert not security.check("module", "anything")
        assert security.check("environment", "LANG")
        assert not security.check("environment", "AWS_SECRET")
        assert security.check("state", "global")
        assert security.check("state", "script:a.lua")
        assert not security.check("state", "script:b.lua")
        assert security.check("library", "string")
        assert not security.check("library", "debug")

    within(
        check,
        files={"read": [str(tmp_path)], "write": []},
        network={"allowed_hosts": ["*", "127.0.0.1:8080"]},
    )


def test_a_profile_without_access_says_so() -> None:
    def check(ctx: Any) -> None:
        config = ConfigGlobal(ctx)
        assert not config.is_file_access_allowed()
        assert not config.is_network_access_allowed()
        assert not config.is_network_access_allowed("api.example.com")
        assert not SecurityGlobal(ctx).check("state", "global")

    within(check, profile="high")


def test_the_readable_fields_of_security_are_plain_data() -> None:
    def check(ctx: Any) -> None:
        values = SecurityGlobal.script_values(ctx)
        assert values["profile"] == "medium"
        assert values["limits"]["memory_mb"] == 256
        assert values["permissions"]["tools"]["max_level"] == "restricted"

    within(check)


def test_a_variable_is_given_when_the_policy_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "en")
    monkeypatch.setenv("HIDDEN", "x")

    def check(ctx: Any) -> None:
        assert UtilsGlobal(ctx).env("LANG") == "en"
        assert UtilsGlobal(ctx).env("HIDDEN") is None

    within(check)
