from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from llmspell_core.errors import LimitError, LLMSpellError, NotFoundError, PolicyError
from llmspell_core.security.fileaccess import FileError
from llmspell_core.security.files import FileGate
from llmspell_core.security.policy import Policy
from llmspell_core.security.profile import SecurityProfile

posix = pytest.mark.skipif(os.name != "posix", reason="links and modes of POSIX")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def gate(project: Path, *, read: str = ".", write: str = "out", **limits: int) -> FileGate:
    profile = SecurityProfile.custom("t", base="high").allow_read(read).allow_write(write).build()
    if limits:
        profile = profile.model_copy(update={"files": profile.files.model_copy(update=limits)})
    return Policy(profile, project=project, cwd=project, protected=[]).files


def test_what_is_written_is_read_again_and_directories_are_made(project: Path) -> None:
    files = gate(project)
    assert files.write_text("out/a/b.txt", "grüße") == 7
    assert files.read_text("out/a/b.txt") == "grüße"
    assert files.write_bytes("out/a/b.txt", b"!", append=True) == 1
    assert files.read_bytes(project / "out" / "a" / "b.txt") == "grüße!".encode()


def test_writing_replaces_in_one_step_and_leaves_nothing_behind(project: Path) -> None:
    files = gate(project)
    files.write_text("out/a.txt", "old")
    seen: set[str] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(files.read_text("out/a.txt")[:3])

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(50):
        files.write_text("out/a.txt", "new" * 10_000)
        files.write_text("out/a.txt", "old" * 10_000)
    done.set()
    reader.join()
    assert seen <= {"old", "new"}
    assert [one.name for one in (project / "out").iterdir()] == ["a.txt"]


def test_a_failed_write_keeps_the_old_file(project: Path) -> None:
    files = gate(project, max_bytes=10)
    files.write_text("out/a.txt", "old")
    with pytest.raises(LimitError):
        files.write_chunks("out/a.txt", [b"123456", b"7890123"])
    assert files.read_text("out/a.txt") == "old"
    assert [one.name for one in (project / "out").iterdir()] == ["a.txt"]


@posix
def test_replacing_keeps_the_mode(project: Path) -> None:
    files = gate(project)
    files.write_text("out/run.sh", "a")
    (project / "out" / "run.sh").chmod(0o750)
    files.write_text("out/run.sh", "b")
    assert (project / "out" / "run.sh").stat().st_mode & 0o777 == 0o750


def test_open_has_the_modes_of_python(project: Path) -> None:
    files = gate(project)
    with files.open("out/a.txt", "w") as file:
        file.write("one\ntwo\n")
    with files.open("out/a.txt") as file:
        assert file.readlines() == ["one\n", "two\n"]
    with files.open("out/a.txt", "a") as file:
        file.write("three\n")
    with files.open("out/a.txt", "r+") as file:
        assert file.read() == "one\ntwo\nthree\n"
        file.seek(0)
        file.write("ONE")
    with files.open("out/a.txt", "w+b") as file:
        file.write(b"x")
        file.seek(0)
        assert file.read() == b"x"
    with pytest.raises(FileError) as caught:
        files.open("out/a.txt", "x")
    assert caught.value.code == "file.exists"
    with pytest.raises(NotFoundError):
        files.open("out/none.txt", "r+")


def test_reading_and_writing_are_bounded(project: Path) -> None:
    files = gate(project, max_bytes=10)
    (project / "big").write_bytes(b"x" * 11)
    with pytest.raises(LimitError) as caught:
        files.read_bytes("big")
    assert caught.value.code == "limit.file_size"
    with pytest.raises(LimitError):
        files.write_bytes("out/big", b"x" * 11)
    file = files.open("out/big", "wb")
    file.write(b"1234567890")
    file.flush()
    file.write(b"1")
    with pytest.raises(LimitError):
        file.close()
    assert (project / "out" / "big").stat().st_size == 10
    (project / "small").write_bytes(b"x" * 9)
    with pytest.raises(LimitError):
        files.read_bytes("small", limit=5)


def test_text_in_another_encoding_is_an_error_that_says_so(project: Path) -> None:
    (project / "latin").write_bytes("é".encode("latin-1"))
    with pytest.raises(FileError) as caught:
        gate(project).read_text("latin")
    assert caught.value.code == "file.encoding"
    assert gate(project).read_text("latin", "latin-1") == "é"


def test_listing_and_walking_show_what_may_be_read(project: Path) -> None:
    for name in ("b.txt", "a.txt", ".env", "sub/c.txt", ".git/config", "sub/id_rsa"):
        path = project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    files = gate(project)
    assert [(one.name, one.is_dir, one.size) for one in files.list(".")] == [
        ("a.txt", False, 1),
        ("b.txt", False, 1),
        ("sub", True, 0),
    ]
    walked = [Path(one.path).relative_to(project.resolve()).as_posix() for one in files.walk()]
    assert walked == ["a.txt", "b.txt", "sub", "sub/c.txt"]
    assert [one.name for one in files.walk(".", max_depth=1)] == ["a.txt", "b.txt", "sub"]
    assert files.list(".")[0].modified.endswith("Z")


def test_exists_and_stat_tell_inside_and_refuse_outside(project: Path) -> None:
    files = gate(project)
    (project / "a.txt").write_text("abc")
    assert files.exists("a.txt")
    assert not files.exists("b.txt")
    assert not files.exists("a.txt/below")
    assert files.stat("a.txt").size == 3
    assert files.stat(".").is_dir
    with pytest.raises(NotFoundError) as caught:
        files.stat("b.txt")
    assert caught.value.code == "file.not_found"
    with pytest.raises(PolicyError):
        files.exists("/etc")


def test_copy_move_mkdir_and_remove(project: Path) -> None:
    files = gate(project)
    (project / "src" / "deep").mkdir(parents=True)
    (project / "src" / "a").write_text("a")
    (project / "src" / "deep" / "b").write_text("b")
    (project / "src" / ".env").write_text("secret")
    assert files.copy("src/a", "out/a2") == 1
    with pytest.raises(FileError):
        files.copy("src", "out/all")
    assert files.copy("src", "out/all", recursive=True) == 2
    assert not (project / "out" / "all" / ".env").exists()
    files.move("out/all", "out/moved")
    assert (project / "out" / "moved" / "deep" / "b").read_text() == "b"
    files.mkdir("out/new/er")
    files.mkdir("out/new/er")
    with pytest.raises(FileError) as caught:
        files.remove("out/new")
    assert caught.value.code == "file.not_empty"
    files.remove("out/new", recursive=True)
    files.remove("out/a2")
    assert [one.name for one in files.list("out")] == ["moved"]
    with pytest.raises(FileError):
        files.copy("out", "out/moved/inside", recursive=True)


def test_an_allowed_directory_itself_cannot_be_removed_or_moved(project: Path) -> None:
    files = gate(project, write=".")
    with pytest.raises(PolicyError):
        files.remove(".", recursive=True)
    with pytest.raises(PolicyError):
        files.move(".", "sub")


def test_a_directory_with_denied_files_is_neither_removed_nor_moved(project: Path) -> None:
    files = gate(project, write=".")
    (project / "sub" / ".ssh").mkdir(parents=True)
    with pytest.raises(PolicyError):
        files.remove("sub", recursive=True)
    with pytest.raises(PolicyError):
        files.move("sub", "x")
    assert (project / "sub" / ".ssh").is_dir()


def test_a_single_file_can_be_a_root(project: Path) -> None:
    (project / "one.txt").write_text("1")
    (project / "two.txt").write_text("2")
    files = gate(project, read="one.txt", write="result.txt")
    assert files.read_text("one.txt") == "1"
    files.write_text("result.txt", "r")
    with pytest.raises(PolicyError):
        files.read_text("two.txt")


def test_errors_of_the_system_have_words_and_codes(project: Path) -> None:
    files = gate(project)
    (project / "dir").mkdir()
    cases = {"dir": "file.is_directory", "missing/x": "file.not_found"}
    for path, code in cases.items():
        with pytest.raises(LLMSpellError) as caught:
            files.read_text(path)
        assert caught.value.code == code
        assert path in caught.value.message


def test_medium_reads_the_project_and_writes_output(tmp_path: Path, project: Path) -> None:
    policy = Policy(SecurityProfile.medium(), project=project, cwd=project, protected=[])
    (project / "a.txt").write_text("a")
    assert policy.files.read_text("a.txt") == "a"
    policy.files.write_text("output/b.txt", "b")
    # The project lies in the temporary directory here: that does not make it writable.
    with pytest.raises(PolicyError):
        policy.files.write_text("a.txt", "b")
    policy.files.write_text(tmp_path / "scratch.txt", "t")


def test_the_home_directory_and_above_are_no_roots_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / "me"
    home.mkdir(parents=True)
    (home / "a.txt").write_text("a")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    rules = {"read": ("$project", "$cwd"), "write": ()}
    for place in (home, home.parent, Path("/")):
        profile = SecurityProfile.custom("t").build()
        inner = profile.model_copy(update={"files": profile.files.model_copy(update=rules)})
        policy = Policy(inner, project=place, cwd=place, protected=[])
        with pytest.raises(PolicyError):
            policy.files.read_text(home / "a.txt")
    named = Policy(inner, project=home, cwd=home, protected=[], readable=["a.txt"])
    assert named.files.read_text("a.txt") == "a"


def test_the_profile_none_reaches_everything(project: Path, tmp_path: Path) -> None:
    files = Policy(SecurityProfile.none(), project=project, cwd=project).files
    files.write_text(tmp_path / "outside" / ".env", "x")
    assert files.read_text("../outside/.env") == "x"
    assert [one.name for one in files.list("../outside")] == [".env"]
    files.remove("../outside", recursive=True)
    assert not files.exists("../outside")


def test_llmspells_own_places_are_closed(project: Path) -> None:
    profile = SecurityProfile.custom("t", base="low").build()
    own = project / "data"
    own.mkdir()
    policy = Policy(profile, project=project, cwd=project, protected=[own])
    for path in ("data", "data/state.db", "llmspell.toml", "sub/llmspell.local.toml"):
        with pytest.raises(PolicyError):
            policy.files.write_text(path, "x")
        with pytest.raises(PolicyError):
            policy.files.resolve(path, "read")


@posix
def test_an_output_directory_that_is_a_link_is_no_root(project: Path) -> None:
    (project / "src").mkdir()
    (project / "output").symlink_to("src")
    files = Policy(SecurityProfile.medium(), project=project, cwd=project, protected=[]).files
    with pytest.raises(PolicyError):
        files.write_text("output/x", "x")
