from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import LLMSpellError, NotFoundError, PolicyError, ValidationError
from llmspell_core.security.policy import Policy
from llmspell_core.security.process import ProcessGate, ProcessLimits, ProcessResult
from llmspell_core.security.profile import SecurityProfile

pytestmark = pytest.mark.skipif(os.name != "posix", reason="runs programs of POSIX")


def gate(project: Path, *allowed: str, base: str = "low") -> ProcessGate:
    profile = SecurityProfile.custom("t", base=base).allow_process(*allowed).build()
    return Policy(profile, project=project, cwd=project, protected=[]).process


def run(gate: ProcessGate, *command: str, **options: Any) -> ProcessResult:
    executable, *arguments = command
    return asyncio.run(gate.run(executable, arguments, **options))


def test_a_listed_program_runs_with_its_arguments_as_they_are(tmp_path: Path) -> None:
    result = run(gate(tmp_path, "echo"), "echo", "$HOME; rm *", "`id`", "a b")
    assert result.stdout == b"$HOME; rm * `id` a b\n"
    assert (result.exit_code, result.timed_out, result.truncated) == (0, False, False)
    assert result.duration_ms > 0


def test_input_goes_in_and_the_exit_code_comes_out(tmp_path: Path) -> None:
    shell = gate(tmp_path, "sh")
    result = run(shell, "sh", "-c", "cat; echo oops >&2; exit 7", input="gr\u00fc\u00df")
    assert result.stdout.decode() == "gr\u00fc\u00df"
    assert result.stderr == b"oops\n"
    assert result.exit_code == 7


def test_a_program_that_reads_nothing_does_not_break_the_input(tmp_path: Path) -> None:
    assert run(gate(tmp_path, "true"), "true", input=b"x" * 1_000_000).exit_code == 0


@pytest.mark.parametrize("command", ["cat", "/bin/sh", "./echo", "bin/echo", "../echo", "no-such"])
def test_what_is_not_listed_is_refused(tmp_path: Path, command: str) -> None:
    with pytest.raises(PolicyError) as caught:
        run(gate(tmp_path, "echo"), command)
    assert caught.value.code == "policy.process"


def test_the_low_list_is_empty_until_configured(tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        run(gate(tmp_path), "echo")


def test_a_listed_name_does_not_allow_a_file_of_that_name(tmp_path: Path) -> None:
    own = tmp_path / "echo"
    own.write_text("#!/bin/sh\necho hacked\n")
    own.chmod(0o755)
    listed = gate(tmp_path, "echo")
    for spelled in (str(own), "./echo"):
        with pytest.raises(PolicyError):
            run(listed, spelled)
    assert run(listed, "echo", "fine").stdout == b"fine\n"
    assert run(gate(tmp_path, str(own)), str(own)).stdout == b"hacked\n"


def test_the_working_directory_is_no_place_for_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "frobnicate"
    own.write_text("#!/bin/sh\necho hacked\n")
    own.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    profile = SecurityProfile.custom("t", base="low").allow_process("frobnicate").build()
    policy = Policy(profile, project=tmp_path, cwd=tmp_path, protected=[])
    for path in (".", "", ":", "relative"):
        listed = ProcessGate(
            (profile.processes,), files=policy.files, env=policy.env, path=path + ":/nowhere"
        )
        with pytest.raises(NotFoundError):
            listed.resolve("frobnicate")


def test_one_binary_under_many_names_is_allowed_by_name(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "multi").write_text("#!/bin/sh\nbasename $0\n")
    (tools / "multi").chmod(0o755)
    for name in ("list", "shell"):
        (tools / name).symlink_to("multi")
    profile = SecurityProfile.custom("t", base="low").allow_process("list").build()
    policy = Policy(profile, project=tmp_path, cwd=tmp_path, protected=[])
    listed = ProcessGate((("list",),), files=policy.files, env=policy.env, path=str(tools))
    assert listed.resolve("list").endswith("/list")
    with pytest.raises(PolicyError):
        listed.resolve("shell")


def test_the_environment_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-something-secret")
    monkeypatch.setenv("UNRELATED", "1")
    out = run(gate(tmp_path, "env"), "env", env={"MODE": "fast"}).stdout.decode()
    names = {line.split("=")[0] for line in out.splitlines()}
    assert {"PATH", "MODE"} <= names
    assert names <= {"PATH", "MODE", "HOME", "LANG", "TZ", "USER", "PWD", "SHLVL", "_", "LC_CTYPE"}


@pytest.mark.parametrize(
    "name", ["LD_PRELOAD", "PATH", "PYTHONPATH", "GIT_SSH_COMMAND", "BASH_ENV", "a=b", "", "x\0"]
)
def test_variables_that_make_a_program_run_another_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PolicyError) as caught:
        run(gate(tmp_path, "env"), "env", env={name: "x"})
    assert caught.value.code == "policy.environment"


def test_the_timeout_kills_the_program_and_all_it_started(tmp_path: Path) -> None:
    script = "sleep 60 & echo $!; sleep 60"
    started = time.monotonic()
    result = run(gate(tmp_path, "sh"), "sh", "-c", script, timeout_ms=500)
    assert time.monotonic() - started < 10
    assert result.timed_out
    assert result.exit_code == -9
    assert _ends(int(result.stdout))


def test_what_a_program_leaves_behind_is_ended(tmp_path: Path) -> None:
    script = "sleep 60 >/dev/null 2>&1 & echo $!"
    result = run(gate(tmp_path, "sh"), "sh", "-c", script)
    assert not result.timed_out
    assert _ends(int(result.stdout))


def test_cancelling_kills_it(tmp_path: Path) -> None:
    async def main() -> None:
        note = tmp_path / "pid"
        task = asyncio.create_task(
            gate(tmp_path, "sh").run("sh", ["-c", f"echo $$ > {note}; sleep 60"])
        )
        while not (note.exists() and note.read_text().strip()):
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert _ends(int(note.read_text()))

    asyncio.run(main())


def test_output_is_bounded_and_the_program_goes_on(tmp_path: Path) -> None:
    script = "head -c 300000 /dev/zero; echo done >&2"
    result = run(gate(tmp_path, "sh"), "sh", "-c", script, max_bytes=1000)
    assert len(result.stdout) == 1000
    assert result.truncated
    assert result.stderr == b"done\n"
    assert result.exit_code == 0


def test_limits_hold_for_the_program(tmp_path: Path) -> None:
    script = f"{sys.executable} -c 'bytearray(1<<30)'"
    result = run(gate(tmp_path, "sh"), "sh", "-c", script, limits=ProcessLimits(memory_mb=256))
    assert result.exit_code != 0
    assert b"MemoryError" in result.stderr
    script = "ulimit -c; head -c 5000000 /dev/zero > big"
    limits = ProcessLimits(file_mb=1)
    result = run(gate(tmp_path, "sh"), "sh", "-c", script, limits=limits)
    assert result.stdout == b"0\n"
    assert (tmp_path / "big").stat().st_size <= 1 << 20


def test_the_working_directory_passes_the_file_gate(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    listed = gate(tmp_path, "pwd")
    assert run(listed, "pwd", cwd="sub").stdout.decode().strip() == str(
        (tmp_path / "sub").resolve()
    )
    with pytest.raises(PolicyError):
        run(listed, "pwd", cwd="/etc")


def test_wrong_words_are_errors_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        run(gate(tmp_path, "echo"), "echo", "a\0b")
    with pytest.raises(ValidationError):
        run(gate(tmp_path, "echo"), "")
    with pytest.raises(NotFoundError):
        run(gate(tmp_path, "not-installed"), "not-installed")


def test_a_file_that_is_no_program_is_an_error(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"\0\1\2")
    text.chmod(0o755)
    result = run(gate(tmp_path, str(text)), str(text))
    assert result.exit_code == 1
    assert b"cannot start" in result.stderr
    with pytest.raises(LLMSpellError):
        run(gate(tmp_path, "*", base="none"), str(text))


def _ends(pid: int) -> bool:
    for _ in range(200):
        try:
            os.kill(pid, 0)
            if "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False
