"""Which layers keep a worker from the rest of the machine here, and which a profile demands.

A worker reports the layers it has applied before it runs anything; this module says which those
should be, and asks the system which of them it can have.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from llmspell_core.errors import PolicyError
from llmspell_core.records import Record

log = logging.getLogger("llmspell.security")


class Layer(Record):
    """One layer: the name by which workers report it, what it is, and why it cannot be had."""

    name: str
    text: str
    missing: str = ""


Prober = Callable[[], list[Layer]]

#: What workers report when all is well, by system.
_EXPECTED = {
    "linux": frozenset(("rlimits", "no_new_privs", "landlock", "seccomp")),
    "darwin": frozenset(("rlimits", "sandbox-exec")),
    "win32": frozenset(("job",)),
}


def layers() -> list[Layer]:
    """The layers for this system, those that cannot be had with the reason."""
    if sys.platform == "linux":
        return _linux()
    return _macos() if sys.platform == "darwin" else _windows()


def describe(prober: Prober = layers) -> list[str]:
    """The layers that hold for a worker on this machine, as short words."""
    return [
        "process of its own",
        "no inherited files or environment",
        *(one.text for one in prober() if not one.missing),
    ]


def require_sandbox(profile: str, prober: Prober = layers) -> None:
    """Raise `security.no_sandbox` when a layer cannot be had here, naming what is missing."""
    lacking = [f"{one.text}: {one.missing}" for one in prober() if one.missing]
    if lacking:
        raise _refusal(profile, "; ".join(lacking))


def check_applied(profile: str, applied: Iterable[str], prober: Prober = layers) -> None:
    """Raise `security.no_sandbox` when a started worker lacks a layer."""
    lacking = missing_from(applied, prober)
    if lacking:
        raise _refusal(profile, f"the worker could not apply {', '.join(lacking)}")


def missing_from(applied: Iterable[str], prober: Prober = layers) -> list[str]:
    """What each worker should have here and this one has not, as short words."""
    held = {*applied}
    return [one.text for one in prober() if one.name not in held]


_warned: set[str] = set()


def warn_missing(applied: Iterable[str], prober: Prober = layers) -> None:
    """Say once in a process which layers a worker goes without, and why."""
    held = {*applied}
    if held >= _EXPECTED.get(sys.platform, frozenset()):
        return  # nearly always; asks nothing
    lacking = [one for one in prober() if one.name not in held]
    text = "; ".join(f"{one.text}: {one.missing}".removesuffix(": ") for one in lacking)
    if text not in _warned:
        _warned.add(text)
        log.warning("scripts run in a worker without these layers of its sandbox: %s", text)


def _refusal(profile: str, why: str) -> PolicyError:
    return PolicyError(
        f"the profile {profile} needs an operating-system sandbox, which cannot be had here: {why}",
        code="security.no_sandbox",
        hint="run it under medium, or in a container of its own",
    )


def _linux() -> list[Layer]:
    from llmspell_core.security import linux

    abi = linux.landlock_abi()
    return [
        _resources(),
        Layer("no_new_privs", "no new privileges"),
        Layer(
            "landlock",
            f"Landlock (ABI {abi})" if abi else "Landlock",
            "" if abi else "this kernel has none, or keeps it off (Linux 5.13 and `lsm=landlock`)",
        ),
        Layer("seccomp", "seccomp", "" if linux.seccomp_available() else _no_seccomp()),
    ]


def _no_seccomp() -> str:
    from llmspell_core.security import linux

    if not linux.machine():
        return "there is no table of system calls for this machine (x86_64 and aarch64 have one)"
    return "this kernel, or the container around us, takes no filters"


def _macos() -> list[Layer]:
    from llmspell_bridge.worker.sandbox_macos import PROGRAM

    there = Path(PROGRAM).exists()
    return [
        _resources(),
        Layer("sandbox-exec", "sandbox-exec", "" if there else f"there is no {PROGRAM}"),
    ]


def _windows() -> list[Layer]:
    return [
        Layer("job", "job object"),
        Layer("files", "no files and network", "no layer here takes them from a process"),
    ]


def _resources() -> Layer:
    there = importlib.util.find_spec("resource") is not None
    return Layer(
        "rlimits", "resource limits", "" if there else "this Python has no resource module"
    )
