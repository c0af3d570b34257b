"""Each layer of the Linux sandbox by itself, and the filter's instructions on every machine."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.security import linux
from llmspell_core.security.linux import PROT_EXEC, TABLES, Filter

KILL, ERRNO, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
EPERM, ENOSYS = 1, 38

FILTER = Filter(
    ("read", "write", "exit_group", "open"),
    refused={"mmap": (2, PROT_EXEC), "openat": (2, os.O_WRONLY | os.O_RDWR | os.O_CREAT)},
    demanded={"clone": (0, 0x10000)},
    unknown=("clone3",),
)


def verdict(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What the kernel would answer: a classic BPF machine with the five instructions we use."""
    record = number.to_bytes(4, "little") + architecture.to_bytes(4, "little") + bytes(8)
    record += b"".join(one.to_bytes(8, "little") for one in (*arguments, *[0] * 6))[:48]
    code = [program[at : at + 8] for at in range(0, len(program), 8)]
    held, at = 0, 0
    for _ in range(len(code)):
        operation, yes, no = int.from_bytes(code[at][:2], "little"), code[at][2], code[at][3]
        value = int.from_bytes(code[at][4:], "little")
        at += 1
        if operation == 0x06:
            return value
        if operation == 0x20:
            held = int.from_bytes(record[value : value + 4], "little")
        else:
            met = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[operation]
            at += yes if met else no
    raise AssertionError("the program has no end")


@pytest.mark.parametrize("machine", TABLES)
def test_the_filter_allows_what_is_named_and_nothing_else(machine: str) -> None:
    architecture, numbers = TABLES[machine]
    program = FILTER.program(machine, kill=False)
    allowed = {numbers[name] for name in ("read", "write", "exit_group", "open") if name in numbers}
    special = {numbers[name] for name in ("mmap", "openat", "clone", "clone3")}
    for number in range(600):
        if number not in special:
            expected = ALLOW if number in allowed else ERRNO | EPERM
            assert verdict(program, architecture, number) == expected, number


@pytest.mark.parametrize("machine", TABLES)
def test_the_filter_looks_at_arguments(machine: str) -> None:
    architecture, numbers = TABLES[machine]
    program = FILTER.program(machine, kill=False)

    def ask(name: str, *arguments: int) -> int:
        return verdict(program, architecture, numbers[name], *arguments)

    assert ask("mmap", 0, 4096, 3) == ALLOW
    assert ask("mmap", 0, 4096, 3 | PROT_EXEC) == ERRNO | EPERM
    assert ask("openat", 0, 0, os.O_RDONLY) == ALLOW
    assert ask("openat", 0, 0, os.O_RDWR) == ERRNO | EPERM
    assert ask("clone", 0x10000 | 17) == ALLOW
    assert ask("clone", 17) == ERRNO | EPERM
    assert ask("clone3") == ERRNO | ENOSYS


@pytest.mark.parametrize("machine", TABLES)
@given(number=st.integers(0, 2**32 - 1), other=st.integers(0, 2**32 - 1))
def test_foreign_calls_end_the_process(machine: str, number: int, other: int) -> None:
    architecture, _ = TABLES[machine]
    for kill in (False, True):
        program = FILTER.program(machine, kill=kill)
        if other != architecture:
            assert verdict(program, other, number) == KILL
        if machine == "x86_64":
            # The second table of x86_64, x32, has its numbers above this one.
            assert verdict(program, architecture, number | 0x40000000) == KILL


@pytest.mark.parametrize("machine", TABLES)
def test_a_strict_filter_ends_the_process_at_any_other_call(machine: str) -> None:
    architecture, numbers = TABLES[machine]
    program = FILTER.program(machine, kill=True)
    assert verdict(program, architecture, numbers["getpid"]) == KILL
    assert verdict(program, architecture, numbers["mmap"], 0, 0, PROT_EXEC) == KILL
    assert verdict(program, architecture, numbers["read"]) == ALLOW


@pytest.mark.parametrize("machine", TABLES)
def test_every_call_of_a_table_fits_into_one_filter(machine: str) -> None:
    architecture, numbers = TABLES[machine]
    program = Filter(numbers).program(machine, kill=False)
    assert {verdict(program, architecture, number) for number in numbers.values()} == {ALLOW}
    assert len({*numbers.values()}) == len(numbers)


def test_the_tables_are_what_the_kernels_headers_say() -> None:
    headers = {
        "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        "aarch64": Path("/usr/include/asm-generic/unistd.h"),
    }
    if not all(path.exists() for path in headers.values()):
        pytest.skip("the kernel's headers are not installed")
    for machine, path in headers.items():
        said = {}
        for line in path.read_text().splitlines():
            words = line.replace("__NR3264_", "__NR_").split()
            if words[:1] == ["#define"] and len(words) == 3 and words[2].isdigit():
                said[words[1].removeprefix("__NR_")] = int(words[2])
        for name, number in TABLES[machine][1].items():
            known = {said.get(one) for one in (name, name.replace("newfstatat", "fstatat"))}
            assert number in known, (machine, name)


# -- the layers themselves, each in a process that has only this one -------------------------------

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="layers of the Linux kernel")
LANDLOCK = pytest.mark.skipif(
    sys.platform != "linux" or not linux.landlock_abi(), reason="this kernel has no Landlock"
)
SECCOMP = pytest.mark.skipif(
    sys.platform != "linux" or not linux.seccomp_available(), reason="this kernel takes no filters"
)
PROGRAM = """
import errno, mmap, os, socket, sys
from llmspell_core.security import linux
folder = {folder!r}
def attempt(work):
    try:
        work()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"
def read(): open(folder + "/inside.txt").close()
def write(): open(folder + "/new.txt", "w").close()
def outside(): os.listdir("/")
def stat(): os.stat(folder)
def fork():
    child = os.fork()
    if not child: os._exit(0)
    os.waitpid(child, 0)
def bind():
    with socket.socket() as one: one.bind(("127.0.0.1", 0))
def unbound():
    with socket.socket(): pass
def code(): mmap.mmap(-1, 4096, prot=7).close()
def signal(): os.kill(os.getppid(), 0)
{layers}
print(*(attempt(work) for work in ({attempts})))
"""


def tried(folder: Path, layers: str, attempts: str) -> list[str]:
    """How attempts go in a process under these layers."""
    (folder / "inside.txt").write_text("x")
    program = PROGRAM.format(folder=str(folder), layers=layers, attempts=attempts + ",")
    source = str(Path(linux.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, env={"PYTHONPATH": source}, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@LANDLOCK
def test_landlock_alone_takes_the_files(tmp_path: Path) -> None:
    layers = "assert linux.no_new_privs() and linux.landlock()"
    assert tried(tmp_path, layers, "read, write, outside") == ["EACCES"] * 3
    # Whether a file is there it does not hide: that is seccomp's part.
    assert tried(tmp_path, layers, "stat, fork") == ["done"] * 2


@LANDLOCK
def test_landlock_leaves_reading_beneath_what_is_named(tmp_path: Path) -> None:
    layers = "assert linux.no_new_privs() and linux.landlock([folder, '/no/such/folder'])"
    assert tried(tmp_path, layers, "read, write, outside") == ["done", "EACCES", "EACCES"]
    layers = "assert linux.no_new_privs() and linux.landlock([folder + '/inside.txt'])"
    assert tried(tmp_path, layers, "read, write, outside") == ["done", "EACCES", "EACCES"]


@LANDLOCK
def test_landlock_takes_the_network_and_signals_where_it_can(tmp_path: Path) -> None:
    layers = "assert linux.no_new_privs() and linux.landlock()"
    if linux.landlock_abi() < 6:
        pytest.skip(f"ABI {linux.landlock_abi()} has no scopes")
    assert tried(tmp_path, layers, "bind, signal, unbound") == ["EACCES", "EPERM", "done"]


@SECCOMP
def test_seccomp_alone_takes_the_calls(tmp_path: Path) -> None:
    layers = (
        "calls = [*linux.TABLES[linux.machine()][1]]\n"
        "for name in ('openat', 'open', 'clone', 'clone3', 'mmap', 'mprotect'): \n"
        "    if name in calls: calls.remove(name)\n"
        "linux.no_new_privs()\n"
        "assert linux.Filter(calls, refused={'mmap': (2, 4)}).apply(kill=False)"
    )
    found = tried(tmp_path, layers, "read, write, outside, fork, unbound, code, signal")
    assert found == ["EPERM"] * 7
    assert tried(tmp_path, layers, "stat") == ["done"]


@ON_LINUX
def test_capabilities_are_gone_for_good() -> None:
    program = (
        "import os; from llmspell_core.security import linux\n"
        "assert linux.drop_capabilities() and linux.no_new_privs()\n"
        "print(*(l.split()[1] for l in open('/proc/self/status') if l[:6] in ('CapPrm', 'CapEff')\n"
        "      or l[:10] == 'NoNewPrivs'))"
    )
    source = str(Path(linux.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, env={"PYTHONPATH": source}, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["0" * 16, "0" * 16, "1"]


def test_asking_which_layers_there_are_changes_nothing(tmp_path: Path) -> None:
    for _, ask in itertools.product(range(2), (linux.landlock_abi, linux.seccomp_available)):
        ask()
    (tmp_path / "x").write_text("still here")
