"""Which layers there are, what a profile demands of them, and what happens without."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from llmspell_bridge import isolation
from llmspell_bridge.carrier import Carrier
from llmspell_bridge.engines import load_engine
from llmspell_bridge.isolation import Layer
from llmspell_bridge.testing import run_source, script_runtime
from llmspell_bridge.worker import sandbox_macos, sandbox_windows
from llmspell_bridge.worker.testing import EngineHost
from llmspell_core.config.settings import Settings
from llmspell_core.config.sources import Loaded
from llmspell_core.errors import PolicyError

GOOD = [Layer("rlimits", "resource limits"), Layer("moat", "a moat")]
POOR = [Layer("rlimits", "resource limits"), Layer("moat", "a moat", "there is no water")]


def settings(profile: str) -> Loaded:
    return Loaded.of(Settings.model_validate({"security": {"profile": profile}}))


# -- asking --------------------------------------------------------------------------------------


def test_the_layers_that_hold_are_described_in_short_words() -> None:
    assert isolation.describe(lambda: GOOD)[-2:] == ["resource limits", "a moat"]
    assert isolation.describe(lambda: POOR)[-1] == "resource limits"
    assert isolation.describe()[0] == "process of its own"
    assert all(len(one) < 40 for one in isolation.describe())


def test_a_sandbox_is_refused_naming_what_is_missing() -> None:
    isolation.require_sandbox("high", lambda: GOOD)
    with pytest.raises(PolicyError) as caught:
        isolation.require_sandbox("high", lambda: POOR)
    assert caught.value.code == "security.no_sandbox"
    assert "a moat: there is no water" in caught.value.message
    assert caught.value.hint


def test_a_worker_that_did_not_apply_a_layer_is_refused() -> None:
    isolation.check_applied("high", ["rlimits", "moat", "more"], lambda: GOOD)
    with pytest.raises(PolicyError, match="a moat"):
        isolation.check_applied("high", ["rlimits"], lambda: GOOD)


def test_a_missing_layer_is_warned_about_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "llmspell.security")
    for _ in range(3):
        isolation.warn_missing(["rlimits"], lambda: POOR)
    assert len(caplog.records) == 1
    assert "a moat: there is no water" in caplog.text


def test_nothing_is_asked_when_all_is_well() -> None:
    def never() -> list[Layer]:
        raise AssertionError

    if sys.platform in isolation._EXPECTED:
        isolation.warn_missing(isolation._EXPECTED[sys.platform], never)


@pytest.mark.skipif(sys.platform != "linux", reason="layers of Linux")
def test_each_layer_of_this_system_is_one_that_workers_report() -> None:
    assert {one.name for one in isolation.layers()} == isolation._EXPECTED["linux"]


# -- before a script runs ------------------------------------------------------------------------


def test_high_refuses_where_a_layer_cannot_be_had() -> None:
    carrier = Carrier(load_engine("lua"), settings("high"), prober=lambda: POOR)
    with pytest.raises(PolicyError) as caught:
        carrier.check(settings_profile("high"))
    assert caught.value.code == "security.no_sandbox"
    Carrier(load_engine("lua"), settings("medium"), prober=lambda: POOR).check(
        settings_profile("medium")
    )


def settings_profile(name: str) -> Any:
    from llmspell_core.security.profile import SecurityProfile

    return SecurityProfile.named(name)


def test_high_gives_no_script_to_a_worker_that_lacks_a_layer() -> None:
    async def main() -> None:
        carrier = Carrier(load_engine("lua"), settings("high"), prober=lambda: GOOD)
        carrier.check(settings_profile("high"))  # the system said that it can be had
        with pytest.raises(PolicyError, match="could not apply a moat"):
            await carrier.open(EngineHost(), {})  # type: ignore[arg-type]
        carrier.close()

    asyncio.run(main())


def test_medium_runs_without_a_layer_and_warns(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(isolation._EXPECTED, sys.platform, frozenset(("rlimits", "moat")))
    monkeypatch.setattr(isolation, "layers", lambda: POOR)
    monkeypatch.setattr(isolation.warn_missing, "__defaults__", (isolation.layers,))
    isolation._warned.clear()
    caplog.set_level(logging.WARNING, "llmspell.security")

    async def main() -> None:
        async with script_runtime(isolation="worker") as runtime:
            for _ in range(2):
                assert (await run_source(runtime, "return 1")).value == 1

    asyncio.run(main())
    assert [one.name for one in caplog.records] == ["llmspell.security"]


def test_an_embedding_program_cannot_run_high_in_its_own_process() -> None:
    for asked in ("process", "worker", None):
        carrier = Carrier(load_engine("lua"), settings("high"), asked)
        assert carrier.in_worker
        assert carrier._isolation == "sandbox"
    assert not Carrier(load_engine("lua"), settings("medium"), "process").in_worker


# -- macOS ---------------------------------------------------------------------------------------


def test_a_worker_on_macos_starts_under_a_profile_that_denies_by_default(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    link = tmp_path / 'li"nk\\'
    link.symlink_to(real)
    command = sandbox_macos.wrapped([sys.executable, "-I", "main.py"], [str(link)])
    assert command[:2] == ["/usr/bin/sandbox-exec", "-p"]
    assert command[3:] == [sys.executable, "-I", "main.py"]
    profile = command[2]
    assert "(deny default)" in profile
    assert "(deny network*)" in profile
    assert f'(subpath "{real}")' in profile
    assert "file-write" not in profile
    assert profile.count("(") == profile.count(")")


def test_names_in_a_macos_profile_cannot_end_their_quotes() -> None:
    text = sandbox_macos.profile('/a"b', ['/c")(allow default)("\\'])
    assert '"/a\\"b"' in text
    assert '"/c\\")(allow default)(\\"\\\\"' in text


# -- Windows -------------------------------------------------------------------------------------


class Kernel:
    """Answers as kernel32 does, and keeps what it was told."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        def function(*args: Any) -> int:
            self.calls.append((name, *args))
            return 0 if name == self.failing else 7

        return function


def test_a_worker_on_windows_is_alone_in_a_job_that_ends_with_the_host() -> None:
    kernel = Kernel()
    job = sandbox_windows.Job(42, kernel)
    job.limit_memory(100)
    job.close()
    job.close()
    names = [call[0] for call in kernel.calls]
    assert names == [
        "CreateJobObjectW", "SetInformationJobObject", "SetInformationJobObject", "OpenProcess",
        "AssignProcessToJobObject", "CloseHandle", "SetInformationJobObject", "CloseHandle",
    ]  # fmt: skip
    assert kernel.calls[3][-1] == 42
    assert kernel.calls[4][1:] == (7, 7)


def test_the_limits_of_a_job_have_the_layout_that_windows_reads() -> None:
    made = sandbox_windows.limits(64)
    if ctypes.sizeof(ctypes.c_void_p) == 8:
        assert ctypes.sizeof(made) == 144
    assert made.Basic.ActiveProcessLimit == 1
    assert made.Basic.LimitFlags & 0x2000, "kill on close"
    assert made.ProcessMemoryLimit == 64 << 20
    assert not sandbox_windows.limits().Basic.LimitFlags & 0x100


@pytest.mark.parametrize("failing", ["CreateJobObjectW", "AssignProcessToJobObject"])
def test_a_job_that_windows_refuses_is_an_error_and_leaves_no_handle(failing: str) -> None:
    kernel = Kernel(failing)
    with pytest.raises(OSError, match="job object"):
        sandbox_windows.Job(42, kernel)
    opened = sum(call[0] in ("CreateJobObjectW", "OpenProcess") for call in kernel.calls)
    closed = sum(call[0] == "CloseHandle" for call in kernel.calls)
    assert closed == opened - (failing == "CreateJobObjectW")
