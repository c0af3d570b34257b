"""Where settings come from: files, variables, options; which one wins; where each came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.config.mistakes import ConfigMistakes
from llmspell_core.config.sources import Loaded, load
from llmspell_core.errors import ConfigError


class Place:
    """A machine of its own: a system file, a user's folder, a project."""

    def __init__(self, root: Path) -> None:
        self.system = root / "etc" / "config.toml"
        self.home = root / "home"
        self.user = self.home / ".config" / "config.toml"
        self.project = self.home / "work" / "project"
        for folder in (self.system.parent, self.user.parent, self.project / "sub"):
            folder.mkdir(parents=True)

    def load(self, env: Mapping[str, str] | None = None, **options: Any) -> Loaded:
        variables = {"LLMSPELL_CONFIG_DIR": str(self.user.parent), "LLMSPELL_TRUST_PROJECT": "1"}
        options.setdefault("cwd", self.project)
        return load(
            env={**variables, **(env or {})},
            home=self.home,
            system_file=self.system,
            **options,
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_nothing_anywhere_gives_the_defaults(place: Place) -> None:
    loaded = place.load()
    assert loaded.settings.system.log_level == "warn"
    assert loaded.files == []
    assert loaded.origins == {}
    assert loaded.origin("system.log_level") == "default"
    assert loaded.project == place.project
    assert loaded.warnings == []


def test_each_place_wins_over_those_before_it(place: Place) -> None:
    files = [
        place.system,
        place.user,
        place.project / "llmspell.toml",
        place.project / "llmspell.staging.toml",
        place.project / "llmspell.local.toml",
    ]
    for number, file in enumerate(files):
        file.write_text(f"[events]\nhistory = {number}\n\n[agents.a{number}]\nx = {number}\n")
    env = {"LLMSPELL_ENV": "staging"}
    loaded = place.load(env)
    assert loaded.files == files
    assert loaded.settings.events.history == 4
    assert sorted(loaded.settings.agents) == ["a0", "a1", "a2", "a3", "a4"]
    assert loaded.origin("events.history") == "llmspell.local.toml:2"
    assert loaded.origins["agents.a1.x"] == f"{place.user}:5"
    assert loaded.settings.system.environment == "staging"
    assert loaded.origin("system.environment") == "LLMSPELL_ENV"
    env["LLMSPELL_EVENTS__HISTORY"] = "5"
    loaded = place.load(env)
    assert (loaded.settings.events.history, loaded.origin("events.history")) == (
        5,
        "LLMSPELL_EVENTS__HISTORY",
    )
    loaded = place.load(env, overrides=["events.history=6"])
    assert loaded.settings.events.history == 6
    assert loaded.origin("events.history") == "--set events.history"


def test_tables_merge_and_lists_replace(place: Place) -> None:
    place.user.write_text('[providers.a]\nmodels = ["x", "y"]\nheaders = { one = "1" }\n')
    (place.project / "llmspell.toml").write_text(
        '[providers.a]\nmodels = ["z"]\nheaders = { two = "2" }\n[providers.b]\n'
    )
    providers = place.load().settings.providers
    assert providers["a"].models == ["z"]
    assert providers["a"].headers == {"one": "1", "two": "2"}
    assert providers["b"].max_retries == 3


def test_the_environment_named_in_a_file_chooses_the_next_file(place: Place) -> None:
    (place.project / "llmspell.toml").write_text('[system]\nenvironment = "prod"\n')
    (place.project / "llmspell.prod.json").write_text('{"events": {"queue": 7}}')
    (place.project / "llmspell.dev.toml").write_text("[events]\nqueue = 8\n")
    assert place.load().settings.events.queue == 7
    assert place.load({"LLMSPELL_ENV": "dev"}).settings.events.queue == 8
    assert place.load({"LLMSPELL_ENV": "../dev"}).settings.events.queue == 1024


@pytest.mark.parametrize(
    "name", ["llmspell.toml", "llmspell.yaml", "llmspell.yml", "llmspell.json"]
)
def test_the_project_is_found_from_the_script_upwards(place: Place, name: str) -> None:
    texts = {
        ".toml": "[events]\nhistory = 3\n",
        ".json": '{\n  "events": {"history": 3}}',
        ".yaml": "events:\n  history: 3\n",
        ".yml": "events:\n  history: 3\n",
    }
    file = place.project / name
    file.write_text(texts[file.suffix])
    script = place.project / "sub" / "spell.lua"
    loaded = place.load(script=script, cwd=place.home)
    assert loaded.project == place.project
    assert loaded.settings.events.history == 3
    assert loaded.origin("events.history") == f"{Path('work', 'project', name)}:2"


def test_the_search_ends_at_the_repository_and_at_home(place: Place) -> None:
    (place.home.parent / "llmspell.toml").write_text("[events]\nhistory = 1\n")
    assert place.load().settings.events.history == 1000
    (place.home / "llmspell.toml").write_text("[events]\nhistory = 2\n")
    assert place.load().settings.events.history == 2
    (place.project / ".git").mkdir()
    loaded = place.load(script=place.project / "sub" / "a.lua")
    assert loaded.settings.events.history == 1000
    assert loaded.project == place.project / "sub"


def test_a_named_file_replaces_those_of_the_project(place: Place) -> None:
    place.user.write_text("[events]\nqueue = 5\n")
    (place.project / "llmspell.toml").write_text("[events]\nhistory = 1\n")
    other = place.home / "other.toml"
    other.write_text("[events]\nhistory = 2\n")
    events = place.load(config_file=other).settings.events
    assert (events.history, events.queue) == (2, 5)
    with pytest.raises(ConfigError) as caught:
        place.load(config_file=Path("missing.toml"))
    assert caught.value.code == "config.not_found"


def test_values_of_variables_and_options_have_the_type_of_their_key(place: Place) -> None:
    place.user.write_text('[providers.my-service]\nbase_url = "http://a"\n')
    loaded = place.load(
        {
            "LLMSPELL_DEFAULT__MODEL": "123",
            "LLMSPELL_EVENTS__SHARE": '["a.*"]',
            "LLMSPELL_PROVIDERS__MY_SERVICE__API_KEY": "0x77",
            "LLMSPELL_PROVIDERS__MY_SERVICE__HEADERS__X": "5",
            "LLMSPELL_TOOLS__CALCULATOR__ENABLED": "false",
            "LLMSPELL_PLUGINS__ACME__DEPTH": "3",
            "LLMSPELL_LOG_LEVEL": "nothing of ours",
        },
        overrides=['prices."a/b".input=2', 'prompts."x=y"=a=b', "system.log_level=debug"],
    )
    settings = loaded.settings
    assert settings.default.model == "123"
    assert settings.events.share == ["a.*"]
    assert settings.providers["my-service"].api_key == "0x77"
    assert settings.providers["my-service"].headers == {"x": "5"}
    assert settings.tools["calculator"].enabled is False
    assert settings.plugins == {"acme": {"depth": 3}}
    assert settings.prices["a/b"].input == 2
    assert settings.prompts == {"x=y": "a=b"}
    assert settings.system.log_level == "debug"


def test_mistakes_of_all_places_are_told_together_with_their_lines(place: Place) -> None:
    place.user.write_text('[system]\n\nlog_levle = "debug"\n')
    (place.project / "llmspell.toml").write_text('[events]\nhistory = "x"\n[nonsense]\n')
    (place.project / "llmspell.local.toml").write_text("[events\n")
    with pytest.raises(ConfigMistakes) as caught:
        place.load(
            {"LLMSPELL_STATE__BACKED": "x", "LLMSPELL__X": "1", "LLMSPELL_FOO__X": "1"},
            overrides=["events.queue=0", "nothing"],
        )
    assert [one.as_dict() for one in caught.value.mistakes] == [
        {
            "where": f"{place.user}:3",
            "key": "system.log_levle",
            "message": "unknown key",
            "hint": 'did you mean "log_level"?',
        },
        {
            "where": "llmspell.toml:2",
            "key": "events.history",
            "message": '"x" is not a whole number (events, 0 or more)',
        },
        {"where": "llmspell.toml:3", "key": "nonsense", "message": "unknown key"},
        {
            "where": "--set events.queue",
            "key": "events.queue",
            "message": "0 is not a whole number (events, 1 or more)",
        },
        {"where": "--set nothing", "message": '"nothing" is not section.key=value'},
        {"where": "LLMSPELL_FOO__X", "key": "foo", "message": "unknown key"},
        {
            "where": "LLMSPELL_STATE__BACKED",
            "key": "state.backed",
            "message": "unknown key",
            "hint": 'did you mean "backend"?',
        },
        {"where": "LLMSPELL__X", "message": "is no key: LLMSPELL_SECTION__KEY"},
        {
            "where": "llmspell.local.toml:1",
            "message": "invalid TOML: expected ']' at the end of a table declaration",
        },
    ]
    assert caught.value.details["mistakes"] == [one.as_dict() for one in caught.value.mistakes]
    assert str(caught.value).startswith("9 mistakes in the configuration\n")
    assert caught.value.message == "9 mistakes in the configuration"


@pytest.mark.parametrize(
    ("name", "content", "where", "message"),
    [
        ("bad.toml", b"a = \n", "bad.toml:1", "invalid TOML: invalid value"),
        ("bad.toml", b'\n\na = """x', "bad.toml:3", "invalid TOML"),
        ("bad.toml", b"a = 1\nb = '\xff'\n", "bad.toml:2", "is not UTF-8 text"),
        ("bad.toml", b"a = " + b"[" * 5000, "bad.toml", "nested too deep"),
        ("bad.toml", b"# " + b"x" * (1 << 20), "bad.toml", "is over 1 MiB"),
        ("bad.json", b'{\n"a": }', "bad.json:2", "invalid JSON: expecting value"),
        ("bad.json", b"[]", "bad.json", "is not a table"),
        ("bad.yaml", b"a:\n  - b\n c: 1\n", "bad.yaml:3", "invalid YAML"),
        ("bad.yaml", b"a: !!python/object:os.system 1\n", "bad.yaml:1", "invalid YAML"),
    ],
)
def test_a_file_that_cannot_be_parsed_names_its_line(
    place: Place, name: str, content: bytes, where: str, message: str
) -> None:
    file = place.project / name
    file.write_bytes(content)
    with pytest.raises(ConfigMistakes) as caught:
        place.load(config_file=file)
    (mistake,) = caught.value.mistakes
    assert mistake.where == where
    assert message in mistake.message


def test_settings_given_as_data_read_no_file_and_no_variable(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMSPELL_EVENTS__HISTORY", "5")
    (place.project / "llmspell.toml").write_text("[events]\nqueue = 1\n")
    loaded = load(data={"state": {"backend": "memory"}}, cwd=place.project, profile="high")
    assert loaded.files == []
    assert (loaded.settings.events.history, loaded.settings.events.queue) == (1000, 1024)
    assert loaded.settings.state.backend == "memory"
    assert loaded.settings.security.profile == "high"
    assert loaded.security_tables == [{"profile": "high"}]


def test_what_differs_for_a_script_is_over_the_files_and_below_the_command(place: Place) -> None:
    (place.project / "llmspell.toml").write_text(
        '[scripts]\nlog_level = "error"\n'
        '[script_overrides."sub/*.lua"]\nlog_level = "debug"\n'
        '[script_overrides."sub/**/night.lua"]\n'
        'security = { profile = "low", stdlib_access = { lua = ["io"] }, reason = "reviewed" }\n'
    )
    other = place.load(script=place.project / "a.lua")
    assert other.settings.scripts.log_level == "error"
    assert other.override is None
    loaded = place.load(script=place.project / "sub" / "night.lua")
    assert loaded.settings.scripts.log_level == "debug"
    assert loaded.settings.security.profile == "low"
    assert loaded.settings.security.stdlib_access == {"lua": ["io"]}
    assert loaded.override is not None
    assert loaded.override.reason == "reviewed"
    assert loaded.override.where == "llmspell.toml:5"
    assert loaded.origin("security.profile") == "llmspell.toml:6"
    again = place.load(script=place.project / "sub" / "night.lua", profile="high")
    assert again.settings.security.profile == "high"


def test_a_security_override_needs_a_reason(place: Place) -> None:
    (place.project / "llmspell.toml").write_text(
        '[script_overrides."*.lua"]\n\nsecurity = { profile = "low" }\n'
    )
    with pytest.raises(ConfigMistakes) as caught:
        place.load()
    assert str(caught.value.mistakes[0]) == (
        'llmspell.toml:3   script_overrides."*.lua".security: needs a reason, add reason = "..."'
    )


def test_paths_are_relative_to_the_file_that_names_them(place: Place) -> None:
    place.user.write_text('[security.files]\nread = ["notes"]\n[system]\nlog_file = "a.log"\n')
    project = place.project / "llmspell.toml"
    project.write_text(
        '[security.files]\nwrite = [".", "$temp", "/abs", "~/x"]\n[prompts.p]\nfile = "p.txt"\n'
    )
    settings = place.load(cwd=place.home, script=place.project / "s.lua").settings
    assert settings.security.files.read == [str(place.user.parent / "notes")]
    assert settings.security.files.write == [
        str(place.project), "$temp", "/abs", str(Path("~/x").expanduser()),
    ]  # fmt: skip
    assert settings.system.log_file == str(place.user.parent / "a.log")
    prompt = settings.prompts["p"]
    assert not isinstance(prompt, str)
    assert prompt.file == str(place.project / "p.txt")
    (option,) = (
        place.load(overrides=['security.files.read=["x"]']).settings.security.files.read or []
    )
    assert option == str(place.project / "x")
