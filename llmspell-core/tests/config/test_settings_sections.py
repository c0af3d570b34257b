"""The sections of the settings: defaults, checks, data in and out."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest

from llmspell_core.config.mistakes import ConfigMistakes
from llmspell_core.config.settings import SECTIONS, Settings


def wrong(data: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigMistakes) as caught:
        Settings.model_validate(data)
    return [str(one) for one in caught.value.mistakes]


def test_every_section_has_its_documented_defaults() -> None:
    settings = Settings()
    assert settings.version == 1
    assert settings.system.log_level == "warn"
    assert settings.scripts.default_engine == "lua"
    assert settings.default.model == "local/smollm2-135m"
    assert settings.default.timeout_ms == 120_000
    assert (settings.events.history, settings.events.queue) == (1000, 1024)
    assert settings.state.backend == "sqlite"
    assert settings.workflow_defaults.max_concurrency == 16
    assert settings.security.profile == "medium"
    assert settings.security.limits.memory_mb is None
    assert settings.repl.history_size == 10_000
    for empty in (settings.providers, settings.agents, settings.plugins):
        assert not empty
    for name in SECTIONS:
        assert getattr(settings, name) is not None


def test_plain_data_becomes_settings_without_reading_a_file() -> None:
    settings = Settings.model_validate(
        {
            "version": 1,
            "providers": {"mine": {"base_url": "http://127.0.0.1:1", "region": "north"}},
            "models": {"fast": {"model": "mine/small", "temperature": 0, "top_p": 0.5}},
            "prompts": {
                "short": "Be brief.",
                "long": {"template": "{{ x }}", "variables": {"x": 1}},
            },
            "tools": {"web-searcher": {"provider": "searxng"}},
            "security": {"profiles": {"strict": {"base": "high", "limits": {"wall_s": 5}}}},
            "agents": {"reviewer": {"anything": ["goes"]}},
        }
    )
    assert settings.providers["mine"].max_retries == 3
    assert settings.providers["mine"].model_extra == {"region": "north"}
    assert settings.models["fast"].temperature == 0
    assert settings.models["fast"].model_extra == {"top_p": 0.5}
    assert settings.prompts["short"] == "Be brief."
    assert settings.tools["web-searcher"].enabled is True
    assert settings.security.profiles["strict"].limits.wall_s == 5
    assert settings.agents["reviewer"] == {"anything": ["goes"]}


def test_all_mistakes_are_told_at_once_in_words() -> None:
    assert wrong(
        {
            "version": 7,
            "sytem": {},
            "system": {"log_level": "loud", "log_levle": "debug"},
            "events": [],
            "providers": {"a": 5, "b": {"headers": {"x": 1}, "models": ["m", 3]}},
            "prompts": {"p": 1},
            "security": {
                "limits": {"memory_mb": "lots", "tasks": -1},
                "profiles": {"a": {"limits": {"cpu": 1}}},
            },
        }
    ) == [
        "version: 7 is no version that this llmspell reads (1), "
        "a newer file needs a newer llmspell",
        'sytem: unknown key, did you mean "system"?',
        'system.log_level: "loud" is not one of trace, debug, info, warn or error',
        'system.log_levle: unknown key, did you mean "log_level"?',
        "events: is not a table, write it as [events]",
        "providers.a: is not a table",
        "providers.b.models: item 2: 3 is not text",
        "providers.b.headers.x: 1 is not text",
        "prompts.p: is not text or a table",
        'security.profiles.a.limits.cpu: unknown key, did you mean "cpu_s"?',
        'security.limits.memory_mb: "lots" is not a whole number (MiB, 16 or more)',
        "security.limits.tasks: -1 is not a whole number (0 or more)",
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"default": {"timeout_ms": "120000"}}, '"120000" is not a whole number (ms, 1 or more)'),
        ({"default": {"timeout_ms": 1.5}}, "1.5 is not a whole number (ms, 1 or more)"),
        ({"default": {"timeout_ms": True}}, "true is not a whole number (ms, 1 or more)"),
        ({"default": {"max_cost_usd": -1}}, "-1 is not a number (USD, 0 or more)"),
        ({"default": {"model": 3}}, "3 is not text"),
        ({"security": {"enforce": "yes"}}, '"yes" is not true or false'),
        ({"events": {"share": "a.*"}}, '"a.*" is not a list'),
        ({"security": {"files": []}}, "a list is not a table"),
        (
            {"security": {"limits": {"wall_s": None, "cpu_s": "1"}}},
            '"1" is not a number (s, 0 or more)',
        ),
    ],
)
def test_a_wrong_value_is_answered_with_what_was_expected(
    data: dict[str, Any], message: str
) -> None:
    (text,) = wrong(data)
    assert text.endswith(message)


def test_a_changed_value_makes_other_settings() -> None:
    before = Settings.model_validate({"events": {"history": 5}})
    after = before.changed("events.history", 6)
    assert (before.events.history, after.events.history) == (5, 6)
    assert before != after
    assert after == Settings.model_validate({"events": {"history": 6}})
    assert before.changed(("prices", "a/b.c", "input"), 2).prices["a/b.c"].input == 2.0
    with pytest.raises(ConfigMistakes):
        before.changed("events.history", "many")
    with pytest.raises(AttributeError, match="never change"):
        before.events = after.events
    with pytest.raises(AttributeError, match="no section 'nothing'"):
        _ = before.nothing
    assert copy.deepcopy(before) == before


def test_settings_as_data_have_every_section_or_only_what_was_set() -> None:
    settings = Settings.model_validate({"events": {"history": 5}})
    assert settings.data() == {"events": {"history": 5}}
    dumped = settings.model_dump()
    assert dumped["events"] == {"history": 5, "queue": 1024, "share": []}
    assert set(dumped) == {*SECTIONS, "version"}
    assert Settings.model_validate(dumped).model_dump() == dumped


def test_a_section_is_imported_when_it_is_used() -> None:
    code = (
        "import sys\n"
        "from llmspell_core.config.settings import Settings\n"
        "s = Settings()\n"
        "assert 'pydantic' not in sys.modules\n"
        "s.events\n"
        "loaded = {m for m in sys.modules if m.startswith('llmspell_core.config.sections.')}\n"
        "assert loaded == {'llmspell_core.config.sections.base',"
        " 'llmspell_core.config.sections.events'}, loaded\n"
        "made = Settings.model_validate({'system': {'log_level': 'info'}})\n"
        "assert made.system.log_level == 'info'\n"
        "assert 'pydantic' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
