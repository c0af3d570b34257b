"""Paths and files by which an attacker would leave the allowed directories."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_core.errors import LLMSpellError, NotFoundError, PolicyError
from llmspell_core.security import beneath
from llmspell_core.security.files import FileGate
from llmspell_core.security.patterns import DenyList, windows_problem
from llmspell_core.security.policy import Policy
from llmspell_core.security.profile import BUILTIN_DENY, SecurityProfile

posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices of POSIX")
SECRET = "the-secret-outside"


@pytest.fixture
def yard(tmp_path: Path) -> Path:
    """`inside` is allowed, `outside` is not; both are full of traps."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for place in (inside / "sub", inside / "out", outside / "dir", tmp_path / "inside-too"):
        place.mkdir(parents=True)
    (inside / "ok.txt").write_text("ok")
    (outside / "secret.txt").write_text(SECRET)
    (outside / "dir" / "deep.txt").write_text(SECRET)
    (tmp_path / "inside-too" / "secret.txt").write_text(SECRET)
    for denied in (".env", ".env.local", "sub/server.pem", "sub/id_ed25519", "sub/a.KEY", ".NetRC"):
        (inside / denied).write_text(SECRET)
    for folder in (".ssh", ".git", "sub/.aws", ".config/gcloud"):
        (inside / folder).mkdir(parents=True)
        (inside / folder / "config").write_text(SECRET)
    return tmp_path


@pytest.fixture(params=["kernel", "walk"])
def gate(yard: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FileGate:
    """The gate over `inside`, by both ways to open beneath a directory."""
    if request.param == "walk":
        monkeypatch.setattr(beneath, "_opener", lambda: beneath.open_by_walk)
    profile = SecurityProfile.custom("t", base="high").allow_read(".").allow_write("out").build()
    inside = yard / "inside"
    return Policy(profile, project=inside, cwd=inside, protected=[]).files


def everything(gate: FileGate, path: str) -> list[Callable[[], object]]:
    """Each operation of the gate on a path."""
    return [
        lambda: gate.read_bytes(path),
        lambda: gate.open(path, "r+"),
        lambda: gate.write_bytes(path, b"x"),
        lambda: gate.write_bytes(path, b"x", append=True),
        lambda: gate.open(path, "x"),
        lambda: gate.exists(path),
        lambda: gate.stat(path),
        lambda: gate.list(path),
        lambda: list(gate.walk(path)),
        lambda: gate.mkdir(path),
        lambda: gate.remove(path, recursive=True),
        lambda: gate.copy(path, "out/copy", recursive=True),
        lambda: gate.copy("ok.txt", path),
        lambda: gate.move(path, "out/moved"),
        lambda: gate.move("out", path),
        lambda: gate.resolve(path),
    ]


OUTSIDE = [
    "..",
    "../outside/secret.txt",
    "../outside/missing.txt",
    "../inside-too/secret.txt",
    "../inside/../outside/secret.txt",
    "sub/../../outside/secret.txt",
    "./././../outside/./secret.txt",
    "sub//..//..//outside/secret.txt",
    "missing/../../outside/secret.txt",
    "{outside}/secret.txt",
    "{outside}/missing.txt",
    "{inside}/../outside/secret.txt",
    "/",
    "/etc/passwd",
    "/etc/no-such-file",
    "//etc/passwd",
    "/proc/self/environ",
    "/proc/self/cwd/ok.txt",
    "/proc/1/root/etc/passwd",
    "/dev/null",
    "/dev/fd/0",
    "/sys/kernel",
    "ok.txt\0.png",
    "\0",
    "",
    ".env",
    ".ENV",
    ".env.local",
    "./sub/../.env",
    ".ssh",
    ".ssh/config",
    ".SSH/config",
    ".git/config",
    ".git/hooks/new",
    "sub/.aws/config",
    ".config/gcloud/config",
    "sub/server.pem",
    "sub/SERVER.PEM",
    "sub/id_ed25519",
    "sub/a.key",
    ".netrc",
    "llmspell.toml",
    "out/llmspell.local.toml",
    "out/llmspell.lock",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_operation_reaches_a_refused_path(gate: FileGate, yard: Path, path: str) -> None:
    path = path.format(inside=yard / "inside", outside=yard / "outside")
    for position, attempt in enumerate(everything(gate, path)):
        with pytest.raises(PolicyError) as caught:
            attempt()
        assert caught.value.code == "policy.file", position
    assert (yard / "outside" / "secret.txt").read_text() == SECRET


def test_the_refusal_is_the_same_for_what_exists_and_what_does_not(
    gate: FileGate, yard: Path
) -> None:
    def told(name: str) -> str:
        with pytest.raises(PolicyError) as caught:
            gate.exists(yard / "outside" / name)
        return f"{caught.value.message} {caught.value.hint}".replace(name, "NAME")

    assert told("secret.txt") == told("no-file.txt") == told("dir") == told("secret.txt/x")
    with pytest.raises(PolicyError):
        gate.exists(".env")
    with pytest.raises(PolicyError):
        gate.exists(".env.none")


LINKS = {
    "absolute": "{outside}/secret.txt",
    "relative": "../outside/secret.txt",
    "dangling": "../outside/none",
    "folder": "../outside",
    "root": "/",
    "proc": "/proc/self",
    "denied": ".env",
    "denied-folder": ".ssh",
    "up": "..",
}


@posix
@pytest.mark.parametrize("kind", LINKS)
def test_no_link_leads_out(gate: FileGate, yard: Path, kind: str) -> None:
    target = LINKS[kind].format(outside=yard / "outside")
    link = yard / "inside" / "out" / "link"
    up = "" if target.startswith("/") else "../"
    link.symlink_to(up + target)
    paths = ["out/link", "out/link/secret.txt", "out/link/outside/secret.txt", "out/link/x"]
    for path in paths:
        for attempt in everything(gate, path)[:10]:
            with pytest.raises(LLMSpellError) as caught:
                attempt()
            assert caught.value.code in ("policy.file", "file.not_found"), path
    assert SECRET not in str([gate.read_text(one.path) for one in gate.walk() if not one.is_dir])
    assert (yard / "outside" / "secret.txt").read_text() == SECRET
    assert sorted(one.name for one in (yard / "outside").iterdir()) == ["dir", "secret.txt"]


@posix
def test_a_link_inside_works_and_a_chain_that_ends_outside_does_not(
    gate: FileGate, yard: Path
) -> None:
    inside = yard / "inside"
    (inside / "good").symlink_to("sub/../ok.txt")
    (inside / "one").symlink_to("two")
    (inside / "two").symlink_to("sub/three")
    (inside / "sub" / "three").symlink_to("../../outside/secret.txt")
    (inside / "loop").symlink_to("loop")
    assert gate.read_text("good") == "ok"
    for path in ("one", "two", "sub/three", "loop"):
        with pytest.raises(PolicyError):
            gate.read_text(path)


@posix
def test_removing_a_link_leaves_what_it_points_to(gate: FileGate, yard: Path) -> None:
    (yard / "inside" / "out" / "link").symlink_to(yard / "outside")
    gate.remove("out/link", recursive=True)
    assert not (yard / "inside" / "out" / "link").is_symlink()
    assert (yard / "outside" / "dir" / "deep.txt").exists()


@posix
def test_a_file_with_a_second_hard_link_is_read_and_never_written(
    gate: FileGate, yard: Path
) -> None:
    (yard / "inside" / "out" / "hard").hardlink_to(yard / "outside" / "secret.txt")
    for attempt in (
        lambda: gate.write_bytes("out/hard", b"x"),
        lambda: gate.write_bytes("out/hard", b"x", append=True),
        lambda: gate.open("out/hard", "r+"),
        lambda: gate.open("out/hard", "w"),
        lambda: gate.copy("ok.txt", "out/hard"),
    ):
        with pytest.raises(PolicyError, match="hard link"):
            attempt()
    assert (yard / "outside" / "secret.txt").read_text() == SECRET


@posix
def test_pipes_sockets_and_devices_are_refused_without_waiting(gate: FileGate, yard: Path) -> None:
    out = yard / "inside" / "out"
    os.mkfifo(out / "pipe")
    here = Path.cwd()
    os.chdir(out)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        os.chdir(here)
        for name in ("out/pipe", "out/socket"):
            for attempt in (
                lambda name=name: gate.read_bytes(name),
                lambda name=name: gate.write_bytes(name, b"x"),
                lambda name=name: gate.write_bytes(name, b"x", append=True),
                lambda name=name: gate.stat(name),
            ):
                with pytest.raises(PolicyError):
                    attempt()
        assert gate.list("out") == []


@posix
def test_swapping_a_directory_for_a_link_wins_no_race(gate: FileGate, yard: Path) -> None:
    inside = yard / "inside"
    (inside / "turn").mkdir()
    (inside / "turn" / "secret.txt").write_text("mine")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (inside / "turn").rename(inside / "aside")
            (inside / "turn").symlink_to(yard / "outside")
            (inside / "turn").unlink()
            (inside / "aside").rename(inside / "turn")

    swapper = threading.Thread(target=swap)
    swapper.start()
    read = set()
    try:
        for _ in range(500):
            try:
                read.add(gate.read_text("turn/secret.txt"))
            except LLMSpellError as error:
                read.add(error.code)
    finally:
        stop.set()
        swapper.join()
    assert SECRET not in read


@posix
def test_a_folder_that_becomes_a_link_while_it_is_removed_is_refused(
    gate: FileGate, yard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, outside = yard / "inside/out/door", yard / "outside"
    door.mkdir()
    (door / "deep.txt").write_text("mine")
    opened, kept = os.open, sorted(outside.rglob("*"))

    def late(path: str, *rest: Any, **named: Any) -> int:
        if path == "door" and not door.is_symlink():
            door.rename(yard / "inside/out/aside")
            door.symlink_to(outside)
        return opened(path, *rest, **named)

    monkeypatch.setattr(os, "open", late)
    with pytest.raises(PolicyError) as failed:
        gate.remove("out/door", recursive=True)
    assert failed.value.code == "policy.file"
    assert door.is_symlink()
    assert sorted(outside.rglob("*")) == kept


@posix
def test_a_root_that_became_a_link_is_refused(gate: FileGate, yard: Path) -> None:
    gate.read_text("ok.txt")
    shutil.rmtree(yard / "inside" / "out")
    (yard / "inside" / "out").symlink_to(yard / "outside")
    for attempt in everything(gate, "out/secret.txt")[:10]:
        with pytest.raises(PolicyError):
            attempt()


@posix
def test_files_of_others_in_the_temporary_directory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "tmp"
    (shared / "theirs").mkdir(parents=True)
    (shared / "a.txt").write_text("a")
    (shared / "theirs" / "b.txt").write_text("b")
    monkeypatch.setattr("tempfile.tempdir", str(shared))
    project = tmp_path / "project"
    project.mkdir()
    files = Policy(SecurityProfile.medium(), project=project, cwd=project, protected=[]).files
    assert files.read_text(shared / "a.txt") == "a"
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    for path in ("a.txt", "theirs/b.txt"):
        for attempt in (
            lambda path=path: files.read_text(shared / path),
            lambda path=path: files.write_text(shared / path, "x"),
            lambda path=path: files.stat(shared / path),
        ):
            with pytest.raises(PolicyError):
                attempt()
    assert files.list(shared) == []


@posix
def test_a_configured_root_inside_the_project_cannot_be_a_link_out_of_it(yard: Path) -> None:
    inside = yard / "inside"
    (inside / "build").symlink_to(yard / "outside")
    profile = SecurityProfile.custom("t", base="high").allow_write("build").build()
    files = Policy(profile, project=inside, cwd=inside, protected=[]).files
    for path in ("build/secret.txt", yard / "outside" / "secret.txt"):
        with pytest.raises(PolicyError):
            files.write_text(path, "x")


@posix
def test_the_whole_disk_as_a_root_still_has_no_system_files(yard: Path) -> None:
    profile = SecurityProfile.custom("t", base="high").allow_read("/").build()
    files = Policy(profile, project=yard, cwd=yard, protected=[]).files
    assert files.read_text(yard / "outside" / "secret.txt") == SECRET
    for path in ("/proc/self/status", "/dev/zero", "/proc/self/root/etc/hostname"):
        with pytest.raises(PolicyError):
            files.read_bytes(path)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["..", ".", "", "sub", "out", "ok.txt", "secret.txt", "outside", "inside", "link", "~"]
        ),
        min_size=1,
        max_size=8,
    ),
    st.booleans(),
)
def test_no_mix_of_components_reads_the_secret(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], absolute: bool
) -> None:
    yard = _shared_yard(tmp_path_factory)
    inside = yard / "inside"
    profile = SecurityProfile.custom("t", base="high").allow_read(".").build()
    files = Policy(profile, project=inside, cwd=inside, protected=[]).files
    path = "/".join(parts)
    if absolute:
        path = f"{inside}/{path}"
    try:
        real = files.resolve(path)
        assert real.is_relative_to(inside.resolve())
        content = files.read_text(path)
    except (PolicyError, NotFoundError, LLMSpellError):
        return
    assert content == "ok"


_YARDS: list[Path] = []


def _shared_yard(factory: pytest.TempPathFactory) -> Path:
    if not _YARDS:
        made = factory.mktemp("yard")
        (made / "inside" / "sub").mkdir(parents=True)
        (made / "outside").mkdir()
        (made / "inside" / "ok.txt").write_text("ok")
        (made / "outside" / "secret.txt").write_text(SECRET)
        if os.name == "posix":
            (made / "inside" / "link").symlink_to("../outside")
            (made / "inside" / "sub" / "link").symlink_to("..")
        _YARDS.append(made)
    return _YARDS[0]


@pytest.mark.parametrize(
    "name",
    [
        "a.txt:hidden",
        "a.txt::$DATA",
        "dir:$I30:$INDEX_ALLOCATION",
        "C:",
        "NUL",
        "nul.txt",
        "Con",
        "COM1",
        "com9.log",
        "LPT1 .txt",
        "COM\u00b9",
        "CONIN$",
        "aux.",
        "name.",
        "name ",
        "a\x01b",
        "a?b",
        "a|b",
    ],
)
def test_names_that_windows_reads_differently_are_recognised(name: str) -> None:
    assert windows_problem(["dir", name, "file"])


def test_ordinary_names_are_fine_on_windows() -> None:
    assert not windows_problem(["..", "context.txt", "console", "com", "lpt10", ".hidden", "a b.c"])


def test_deny_globs_match_anywhere_below_and_in_any_case() -> None:
    deny = DenyList(["**/.env", "secret/*.txt", "/abs/only", "**/deep/**", "*.pem"], ["/own/data"])
    for path in (
        "/x/.env",
        "/x/.ENV",
        "/x/.env/below",
        "/p/secret/a.txt",
        "/abs/only",
        "/abs/only/x",
        "/a/deep/b",
        "/a/b.pem",
        "/own/data",
        "/own/DATA/x",
        "C:\\x\\.env",
    ):
        assert deny.matches(path), path
    for path in ("/x/env", "/p/secret/b/a.txt", "/x/abs/only2", "/a/b.pems", "/own/data2"):
        assert not deny.matches(path), path
    assert not DenyList([]).matches("/x/.env")
    assert DenyList(BUILTIN_DENY).matches("/home/me/.config/gcloud/credentials.db")
