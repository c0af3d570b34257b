"""Project files by strangers: nothing widens, leaks or is written elsewhere before `trust`."""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from project_rig import CANARY, HOUSE_KEY, Place, Project, place, projects

from llmspell_core.config.mistakes import ConfigMistakes
from llmspell_core.config.sources import Loaded, load
from llmspell_core.errors import LLMSpellError
from llmspell_core.extensions import Extensions
from llmspell_core.security.fileaccess import FileMode
from llmspell_core.security.limits import LimitsPolicy
from llmspell_core.security.policy import Policy
from llmspell_core.security.profile import ISOLATION
from llmspell_core.security.select import profile_for

#: No file of at most 1 MiB keeps anything busy for longer, on a machine that does other things.
MOST_S = 20

CASES = projects()
REFUSED = [one for one in CASES if one.errors]
TAKEN = [one for one in CASES if not one.errors]
TRUSTED = [one for one in CASES if one.values or one.trusted_errors]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("projects")) as made:
        yield made


@pytest.fixture
def here(opened: Place) -> Place:
    opened.clean()
    return opened


def by_name(cases: list[Project]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[one.name for one in cases])


def named(text: str) -> list[tuple[str, int]]:
    """The ignored keys of a warning with their lines."""
    match = re.search(r"these keys are ignored: (.*) \(to trust it: llmspell trust ", text)
    if match is None:
        return []
    found = [one.rpartition(" ") for one in match[1].split(", ")]
    return [(key, int(where.rpartition(":")[2])) for where, _, key in found]


def test_the_corpus_is_large_and_each_file_says_what_is_expected() -> None:
    assert len(CASES) >= 25
    for case in CASES:
        assert case.text.startswith("# expect: "), case.name
        assert not (case.ignored and case.errors), case.name


# -- not trusted -----------------------------------------------------------------------------------


@by_name(REFUSED)
def test_a_file_with_mistakes_is_refused_with_its_line(case: Project, here: Place) -> None:
    here.write(case.text)
    done = here.llmspell("config", "validate")
    assert done.code == 2
    assert done.out == ""
    for text in case.errors:
        assert text in done.err
    assert re.search(r"llmspell\.toml:\d+   ", done.err)
    assert "\x1b" not in done.err
    ran = here.run_probe()
    assert (ran.code, ran.out) == (2, "")
    here.assert_untouched(done, ran)


@by_name(TAKEN)
def test_nothing_widens_and_what_is_ignored_is_named_with_its_line(
    case: Project, here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", here.llmspell.env["TMPDIR"])
    without = loaded(here)
    here.write(case.text)
    if case.name == "environment-file-that-widens":
        for name in ("staging", "local"):
            here.write('[security]\nprofile = "none"\n', f"llmspell.{name}.toml")
    with_it = loaded(here)
    assert_not_wider(without, with_it)
    found = named(" ".join(with_it.warnings))
    assert sorted({key for key, _ in found}) == sorted(case.ignored)
    lines = case.text.splitlines()
    for key, line in found:
        last = key.rpartition(".")[2].strip('"')
        assert last in lines[line - 1] or case.name.startswith("environment-file"), (key, line)
    if "security" in case.text:
        explained = here.llmspell("security", "explain", "probe.lua", "--json")
        assert explained.code == 0
        assert named(explained.err) == found
        facts = json.loads(explained.out)
        assert facts["profile"] == "medium" or facts["within"]
        here.assert_untouched(explained)
    ran = here.run_probe()
    assert ran.code == 0, ran.err
    # However it is logged: one warning that names them.
    assert ran.err.count("is not trusted") == bool(case.ignored), ran.err
    got = json.loads(ran.out)
    assert got["model"] == "the good one"
    assert got["read"] == got["write"] == got["ask"] == got["process"] == "refused"
    assert got["env"] == got["debug"] == got["package"] == "nil"
    here.assert_untouched(ran)


def assert_not_wider(without: Loaded, with_it: Loaded) -> None:
    """Nothing is allowed, sent elsewhere or unlimited that was not without the file."""
    assert not with_it.trusted
    assert CANARY not in repr(with_it.settings.model_dump())
    assert sorted(decisions(with_it) - decisions(without)) == []
    before, after = profile_for(without), profile_for(with_it)
    assert ISOLATION.index(after.isolation) >= ISOLATION.index(before.isolation)
    for name in LimitsPolicy.declared:
        most, now = getattr(before.limits, name), getattr(after.limits, name)
        assert not most or 0 < now <= most, name
    for language, names in after.libraries.items():
        assert {*names} <= {*before.libraries.get(language, ())}
    old, new = without.settings, with_it.settings
    for key in ("type", "base_url", "api_key", "headers", "model_extra"):
        assert getattr(new.providers["house"], key) == getattr(old.providers["house"], key)
    for key in ("log_file", "data_dir", "cache_dir", "telemetry"):
        assert getattr(new.system, key) == getattr(old.system, key)
    assert new.default.max_cost_usd == old.default.max_cost_usd
    assert new.security.audit_log == ""
    assert new.secrets == old.secrets
    assert new.telemetry == old.telemetry


def loaded(here: Place) -> Loaded:
    return load(
        script=here.project / "probe.lua",
        cwd=here.project,
        env=here.llmspell.env,
        home=here.llmspell.home,
        system_file=here.elsewhere / "none.toml",
    )


_MODES: tuple[FileMode, ...] = ("read", "write")


def decisions(found: Loaded) -> set[str]:
    """Everything out of a battery of questions that the policy allows."""
    policy = Policy(profile_for(found), project=found.project, cwd=found.cwd)
    outside = ["/etc/passwd", "/proc/self/environ", "~/.ssh/id_rsa", "../elsewhere/secret.txt",
               "link.txt", ".env", "llmspell.toml", "probe.lua", "new.txt", "output/a.txt",
               str(Path(tempfile.gettempdir()) / "a"), "/dev/shm/a"]  # fmt: skip
    hosts = ["127.0.0.1", "localhost", "169.254.169.254", "10.0.0.5", "::1", "0x7f.1",
             "[::ffff:127.0.0.1]", "intranet", "example.com", "printer.local"]  # fmt: skip
    asked: dict[str, Callable[[], Any]] = {}
    for path in outside:
        for mode in _MODES:
            asked[f"{mode} {path}"] = partial(policy.files.resolve, path, mode)
    for host in hosts:
        asked[f"host {host}"] = partial(policy.net.check_host, host, 80)
    for name in ("sh", "/bin/sh", "touch", "git"):
        asked[f"process {name}"] = partial(policy.process.resolve, name)
    for name in ("evil", "lib.util", "lodash-es"):
        asked[f"module {name}"] = partial(policy.modules.check, name)
    tools, _ = Extensions("tools").load_all()
    for name, tool in tools.items():
        made = tool() if isinstance(tool, type) else tool
        asked[f"tool {name}"] = partial(policy.check_tool, made, chosen_by_model=True)
    allowed = {name for name, ask in asked.items() if _allows(ask)}
    allowed |= {f"env {n}" for n in ("HOME", "CANARY_SECRET", "PATH") if policy.env.allowed(n)}
    return allowed | {f"scope {s}" for s in ("global", "x") if policy.allows_scope(s)}


def _allows(ask: Callable[[], Any]) -> bool:
    try:
        return bool(ask() != "ask")
    except LLMSpellError:
        return False


# -- trusted ---------------------------------------------------------------------------------------


@by_name(TRUSTED)
def test_a_trusted_folder_sets_what_it_says(case: Project, here: Place) -> None:
    here.write(case.text)
    trusted = here.llmspell("trust")
    assert "is trusted now" in trusted.err
    done = here.llmspell("config", "validate")
    assert "ignored" not in done.err
    assert not done.code or case.trusted_errors, done.err
    if case.trusted_errors:
        assert done.code == 2
        for text in case.trusted_errors:
            assert text in done.err
        return
    wanted = {key: v.replace("@ELSEWHERE@", str(here.elsewhere)) for key, v in case.values.items()}
    evil = here.evil.base_url.removesuffix("/v1")
    for key, value in wanted.items():
        got = here.llmspell("config", "get", key)
        assert got.out.strip().startswith(value.replace("@EVIL@", evil))
    here.llmspell("trust", "--remove")
    assert named(here.llmspell("config", "validate").err) or not case.ignored


def test_the_configuration_is_shown_without_what_is_secret(here: Place) -> None:
    here.write('[prompts]\np = "${CANARY_SECRET}"\n[providers.house]\nbase_url = "@EVIL@"\n')
    done = here.llmspell("config", "show", "--origin")
    assert done.code == 0
    assert [key for key, _ in named(done.err)] == ["prompts.p", "providers.house.base_url"]
    here.assert_untouched(done)


def test_a_trusted_project_reaches_where_it_points(here: Place) -> None:
    text = (
        '[providers.house]\nbase_url = "@EVIL@/v1"\n[system]\nlog_file = "@ELSEWHERE@/log"\n'
        '[prompts]\np = "${CANARY_SECRET}"\n'
    )
    here.write(text)
    here.llmspell("trust")
    ran = here.run_probe()
    assert json.loads(ran.out)["model"] == "evil"
    assert (here.elsewhere / "log").exists()
    assert here.llmspell("config", "get", "prompts.p").out.strip() == CANARY
    # The user's key goes along: that is what trusting a folder means.
    assert here.evil.headers[0]["authorization"] == f"Bearer {HOUSE_KEY}"


# -- files that are too large, too deep or no files ------------------------------------------------

GENERATED: dict[str, tuple[str, str, str]] = {
    "over 1 MiB": ("llmspell.toml", "#" * (1024 * 1024 + 1), "is over 1 MiB"),
    "keys without end": ("llmspell.toml", "a" + ".a" * 500_000 + " = 1", "more than 64 parts"),
    "lists in lists": ("llmspell.toml", f"a = {'[' * 300_000}{']' * 300_000}", "too deep"),
    "very many keys": (
        "llmspell.toml",
        "\n".join(f"k{n} = 1" for n in range(70_000)),
        "has more than 10,000 values",
    ),
    "many unknown keys": (
        "llmspell.toml",
        "\n".join(f"k{n} = 1" for n in range(9_000)),
        "and 8,900 more",
    ),
    "many tables": ("llmspell.toml", "[[a]]\n" * 150_000, "has more than 10,000 values"),
    "a long number": ("llmspell.toml", f"a = {'9' * 900_000}", "a number is too long"),
    "a long key": ("llmspell.toml", f"{'k' * 900_000} = 1", "unknown key"),
    "json twice": (
        "llmspell.json",
        '{"security": {"profile": "high"},\n"security": {"profile": "none"}}',
        'llmspell.json:2   invalid JSON: a table has the key "security" twice',
    ),
    "json in json": ("llmspell.json", '{"a":' * 100_000 + "1" + "}" * 100_000, "too deep"),
    "half a character": ("llmspell.json", '{"prompts": {"a": "\\ud800"}}', "half of a character"),
    "a NUL": ("llmspell.json", '{"prompts": {"a": {"file": "a\\u0000b"}}}', "a NUL character"),
    "yaml laughs": (
        "llmspell.yaml",
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n"
            for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "has more than 10,000 values",
    ),
    "yaml of itself": ("llmspell.yaml", "agents: &a\n  x: *a\n", "refers to itself"),
    "yaml that runs": (
        "llmspell.yaml",
        "agents: !!python/object/apply:os.system ['touch ran']\n",
        "could not determine a constructor",
    ),
    "yaml over 128 KiB": ("llmspell.yaml", "a: 1\n" * 30_000, "is over 128 KiB"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "wrong"), GENERATED.values(), ids=[*GENERATED])
def test_a_bomb_is_refused_soon(name: str, text: str, wrong: str, here: Place) -> None:
    here.write(text, name)
    start = time.monotonic()
    done = here.llmspell("config", "validate")
    assert time.monotonic() - start < MOST_S
    assert done.code == 2
    assert wrong in done.err
    assert name in done.err
    assert len(done.err) < 50_000
    assert not (here.project / "ran").exists()
    here.assert_untouched(done)


@pytest.mark.skipif(os.name == "nt", reason="Windows makes links for administrators only")
def test_a_project_file_that_leads_elsewhere_is_refused(here: Place) -> None:
    (here.project / "llmspell.toml").symlink_to(here.elsewhere / "llmspell.toml")
    done = here.llmspell("config", "validate")
    assert done.code == 2
    assert "llmspell.toml   is a link to a file outside its folder" in done.err
    assert f"llmspell trust {here.project}" in done.err
    here.assert_untouched(done)
    here.llmspell("trust")
    assert here.llmspell("config", "get", "security.profile").out == "none\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes among the files")
def test_a_project_file_that_is_no_file_is_none(here: Place) -> None:
    os.mkfifo(here.project / "llmspell.toml")
    (here.project / "llmspell.yaml").mkdir()
    done = here.llmspell("config", "validate")
    assert (done.code, done.err) == (0, "")


def test_a_link_within_the_project_is_a_file_as_any(here: Place) -> None:
    here.write('[security]\nprofile = "high"\n', "inner/shared.toml")
    (here.project / "llmspell.toml").symlink_to(here.project / "inner" / "shared.toml")
    assert here.llmspell("config", "get", "security.profile").out == "high\n"


# -- who enforces ----------------------------------------------------------------------------------


def test_what_the_user_enforces_no_trusted_project_lifts(here: Place) -> None:
    config = here.llmspell.home / "config" / "config.toml"
    config.write_text(config.read_text() + '[security]\nprofile = "medium"\nenforce = true\n')
    here.write(
        '[security]\nenforce = false\n[security.processes]\nallowed = ["git"]\n'
        '[script_overrides."**".security]\nprofile = "none"\nreason = "x"\n'
    )
    here.llmspell("trust")
    done = here.llmspell("security", "explain", "probe.lua")
    assert done.code == 2
    for line, key in ((2, "security.enforce"), (4, "security.processes.allowed")):
        assert f"llmspell.toml:{line}   {key}: may only be tightened" in done.err
    assert "security.profile: may only be tightened" in done.err


def test_a_mistake_of_the_users_is_not_hidden_by_a_strangers_value(here: Place) -> None:
    config = here.llmspell.home / "config" / "config.toml"
    config.write_text('security = "high"\n')
    here.write('[security]\nprofile = "medium"\n')
    with pytest.raises(ConfigMistakes, match=r"config.toml:1 .* is not a table"):
        loaded(here)
