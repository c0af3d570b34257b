from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import ConfigError, LimitError, LLMSpellError, PolicyError
from llmspell_core.security.audit import AuditLog
from llmspell_core.security.module_pins import Lock, Pin, digest
from llmspell_core.security.modules import MAX_MODULE_BYTES, ModuleGate
from llmspell_core.security.policy import Policy
from llmspell_core.security.profile import ModulesPolicy, SecurityProfile, merged

SOURCE = b"return 1"


def gate(
    project: Path, profile: str = "medium", *allow: str, audit: Path | None = None, **modules: Any
) -> ModuleGate:
    base = SecurityProfile.named(profile)
    chosen = merged(base, {"modules": {"allow": allow, **modules}})
    log = AuditLog(audit) if audit else None
    return Policy(chosen, project=project, cwd=project, audit=log, protected=()).modules


def pin(project: Path, name: str, path: str, source: bytes = SOURCE) -> Path:
    file = project / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(source)
    lock = Lock.read(project / "llmspell.lock")
    lock.add(name, file, digest(source))
    lock.write()
    return file


def refused(found: ModuleGate, name: str, path: Path) -> LLMSpellError:
    with pytest.raises(LLMSpellError) as caught:
        found.read(name, str(path))
    return caught.value


def test_nothing_is_loaded_until_it_is_named(tmp_path: Path) -> None:
    for profile in ("low", "medium"):
        assert not gate(tmp_path, profile).allowed("json")
        with pytest.raises(PolicyError, match="not named") as caught:
            gate(tmp_path, profile, "jsom").check("json")
        assert caught.value.code == "module.denied"
        assert caught.value.hint == 'did you mean "jsom"?'


def test_an_entry_is_a_name_a_glob_or_a_library(tmp_path: Path) -> None:
    found = gate(tmp_path, "medium", "json", "lib.*", "lodash-es", "@s/p")
    for name in ("json", "lib.a", "lib.a.b", "json.codec", "lodash-es/add.js", "@s/p/x.js"):
        assert found.allowed(name), name
    for name in ("jsonx", "lib", "lodash", "@s/q", "x.json"):
        assert not found.allowed(name), name


def test_high_loads_none_whatever_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="profile high loads none") as caught:
        gate(tmp_path, "high", "json", "*").check("json")
    assert caught.value.code == "module.denied"


def test_a_named_module_must_be_the_pinned_one(tmp_path: Path) -> None:
    file = pin(tmp_path, "lib.a", "lib/a.lua")
    assert gate(tmp_path).read("lib.a", str(file)) == SOURCE
    unpinned = tmp_path / "b.lua"
    unpinned.write_bytes(SOURCE)
    error = refused(gate(tmp_path), "b", unpinned)
    assert (error.code, error.hint) == ("module.denied", "read it, then: llmspell modules pin b")
    file.write_bytes(b"return 2")
    error = refused(gate(tmp_path), "lib.a", file)
    assert error.code == "module.changed"
    assert digest(SOURCE)[:12] in error.message
    assert digest(b"return 2")[:12] in error.message
    assert error.hint == "if the change is meant: llmspell modules pin lib.a"


def test_a_pin_is_of_one_file_not_of_all_by_that_name(tmp_path: Path) -> None:
    pin(tmp_path, "util", "lib/util.lua")
    other = tmp_path / "other" / "util.lua"
    other.parent.mkdir()
    other.write_bytes(SOURCE)
    assert refused(gate(tmp_path), "util", other).code == "module.denied"


def test_without_restrictions_no_pin_is_needed(tmp_path: Path) -> None:
    file = tmp_path / "x.lua"
    file.write_bytes(SOURCE)
    free = gate(tmp_path, "none")
    free.check("anything")
    assert free.read("x", str(file)) == SOURCE
    layers = (SecurityProfile.none().modules, SecurityProfile.high().modules)
    assert not ModuleGate(layers).allowed("anything")


def test_narrowing_takes_names_away_and_keeps_the_pins(tmp_path: Path) -> None:
    file = pin(tmp_path, "a", "a.lua")
    base = merged(SecurityProfile.medium(), {"modules": {"allow": ("a", "b")}})
    policy = Policy(base, project=tmp_path, cwd=tmp_path, protected=()).narrow(modules=["a", "c"])
    assert [policy.modules.allowed(name) for name in "abc"] == [True, False, False]
    assert policy.modules.read("a", str(file)) == SOURCE
    file.write_bytes(b"x")
    assert refused(policy.modules, "a", file).code == "module.changed"


def test_configured_folders_may_lie_outside_of_what_is_read(tmp_path: Path) -> None:
    project, vendor = tmp_path / "project", tmp_path / "vendor"
    project.mkdir()
    file = vendor / "x.lua"
    lock = Lock.read(project / "llmspell.lock")
    lock.add("x", file, digest(SOURCE))
    lock.write()
    vendor.mkdir()
    file.write_bytes(SOURCE)
    files = {"read": ("$project",), "write": ()}
    profile = merged(SecurityProfile.medium(), {"files": files})
    closed = Policy(profile, project=project, cwd=project, protected=()).modules
    assert refused(closed, "x", file).code == "module.denied"
    opened = merged(profile, {"modules": {"paths": (str(vendor),)}})
    policy = Policy(opened, project=project, cwd=project, protected=())
    assert policy.modules.read("x", str(file)) == SOURCE
    with pytest.raises(PolicyError):
        policy.files.read_bytes(file)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_out_special_and_huge_files_are_refused(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside.lua"
    project.mkdir()
    outside.write_bytes(SOURCE)
    link, pipe, huge = project / "link.lua", project / "pipe.lua", project / "huge.lua"
    link.symlink_to(outside)
    os.mkfifo(pipe)
    with huge.open("wb") as file:
        file.truncate(MAX_MODULE_BYTES + 1)
    lock = Lock.read(project / "llmspell.lock")
    for path in (link, pipe, huge):
        lock.add(path.stem, path, digest(SOURCE))
    lock.write()
    files = {"read": ("$project",), "write": ()}
    profile = merged(SecurityProfile.medium(), {"files": files})
    found = Policy(profile, project=project, cwd=project, protected=()).modules
    assert refused(found, "link", link).code == "module.denied"
    assert refused(found, "pipe", pipe).code == "module.denied"
    assert refused(found, "huge", huge).code == "limit.module_size"
    assert isinstance(refused(found, "huge", huge), LimitError)


def test_every_decision_is_recorded(tmp_path: Path) -> None:
    file, log = pin(tmp_path, "a", "a.lua"), tmp_path / "audit.jsonl"
    found = gate(tmp_path, "medium", "a", audit=log)
    found.read("a", str(file))
    file.write_bytes(b"x")
    refused(found, "a", file)
    with pytest.raises(PolicyError):
        found.check("b")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(one["target"], one["verdict"], one["rule"]) for one in lines] == [
        ("a", "allow", "modules.pins"),
        ("a", "deny", "modules.pins"),
        ("b", "deny", "modules.allow"),
    ]
    assert lines[1]["module_sha256"] == digest(b"x")


# -- the lock file -------------------------------------------------------------------------------


def test_a_lock_file_reads_what_it_wrote(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "sub" / "llmspell.lock")
    lock.file.parent.mkdir()
    names = ["plain", 'quo"te', "b\\s", "ünïcode", "\x7fdel", "emoji \U0001f600"]
    for number, name in enumerate(names):
        lock.add(name, tmp_path / f"{number}.lua", digest(name.encode()))
    lock.write()
    again = Lock.read(lock.file)
    assert [pin.name for pin in again.pins] == names
    assert again.pins[0].path == "../0.lua"
    assert again.path_of(again.pins[0]) == tmp_path / "0.lua"
    assert again.find(tmp_path / "sub" / ".." / "1.lua") == again.pins[1]


def test_a_missing_lock_file_pins_nothing(tmp_path: Path) -> None:
    assert Lock.read(tmp_path / "none").pins == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("version = 2", "version is 2"),
        ("", "version is None"),
        ("version = 1\n[[module]]\nname = 'x'", "module 1 has no name, path and sha256"),
        ("version = 1\nmodule = 3", "no list"),
        ("version = 1\n[[module]]\nname='x'\npath='x'\nsha256='zz'", "module 1"),
        ("[", "no usable lock file"),
        ("\udcff", "utf-8"),
    ],
)
def test_a_broken_lock_file_is_named(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "llmspell.lock"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=why) as caught:
        Lock.read(file)
    assert str(file) in caught.value.message


def test_pins_are_replaced_and_removed(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "llmspell.lock")
    lock.add("a", tmp_path / "a.lua", "0" * 64)
    lock.add("a", tmp_path / "a.lua", "1" * 64)
    assert lock.pins == [Pin("a", "a.lua", "1" * 64)]
    lock.remove(lock.pins[0])
    assert lock.pins == []


def test_an_empty_pins_setting_is_the_usual_file() -> None:
    from llmspell_core.security.builder import profile_from_settings

    found = profile_from_settings({"modules": {"pins": "", "allow": ["a"]}})
    assert found.modules == ModulesPolicy(mode="listed", allow=("a",))
