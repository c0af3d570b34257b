"""Looks for what is wrong with plugins: each distribution in a process of its own, with a limit."""

from __future__ import annotations

import json
import queue
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import did_you_mean
from llmspell_core.extensions import BUILT_IN, Extension, Extensions, _scan
from llmspell_core.plugin_check import extensions_of
from llmspell_core.records import Record, key

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How many distributions are looked at side by side.
AT_ONCE = 4
#: How long a process may take to begin, in seconds.
START_S = 20


class Finding(Record):
    """One thing that is wrong: with an extension, or with the whole distribution."""

    kind: str
    name: str
    problem: str
    remedy: str = ""


class Diagnosis(Record):
    """What a distribution adds, and what is wrong with it."""

    distribution: str
    version: str
    count: int
    findings: list[Finding] = key([], "in the order of kind and name")


def distributions() -> dict[str, str]:
    """Every distribution that adds something -> its version, by name."""
    found = {}
    for kind in _scan():
        for one in Extensions(kind).values():
            found[one.distribution] = one.version
            for other in (*one.others, *one.hidden):
                found.setdefault(other, "")
    return dict(sorted(found.items()))


def find(name: str) -> str:
    """The distribution that a person means: by its name, or what follows `llmspell-`."""
    import click

    known = distributions()
    for candidate in (name, f"llmspell-{name}"):
        for one in known:
            if _normal(one) == _normal(candidate):
                return one
    near = did_you_mean(name, [*known]) or "llmspell plugins lists them"
    raise click.UsageError(f'no installed distribution "{name}" adds anything\n{near}')


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def diagnose(names: list[str], timeout_s: float) -> Iterator[Diagnosis]:
    """Look at these distributions, in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda name: _diagnosis(name, timeout_s), names)


def _diagnosis(distribution: str, timeout_s: float) -> Diagnosis:
    mine = extensions_of(distribution)
    listed = [one for one in mine if not one.kind.endswith("_aliases")]
    findings = [*_requirements(distribution), *_clashes(distribution, listed)]
    if any(one.distribution == distribution for one in listed):
        findings += _looked_at(distribution, timeout_s)
    version = next((one.version for one in mine if one.distribution == distribution), "")
    return Diagnosis(distribution, version, len(listed), findings)


def _clashes(distribution: str, listed: list[Extension]) -> Iterator[Finding]:
    from llmspell_cli.app import COMMANDS

    for one in listed:
        label = one.kind.removesuffix("s")
        if distribution in one.hidden:
            yield Finding(
                one.kind,
                one.name,
                f"it is not used: {one.distribution} has a {label} of this name",
                "name it otherwise in its entry point",
            )
        elif one.others:
            both = [name for name in (one.distribution, *one.others) if name != distribution]
            yield Finding(
                one.kind,
                one.name,
                f"none is used: {', '.join(both)} has a {label} of this name as well",
                "uninstall one of them",
            )
        elif one.kind == "commands" and one.name in COMMANDS:
            yield Finding(
                one.kind,
                one.name,
                "it is not used: llmspell has a command of this name",
                "name it otherwise in its entry point",
            )
        elif one.kind == "tools" and one.distribution not in BUILT_IN:
            yield from _same_as_built_in(one)


def _same_as_built_in(tool: Extension) -> Iterator[Finding]:
    """Another spelling of a built-in tool's name, or its alias."""
    from llmspell_core.names import canonical

    for kind in ("tools", "tool_aliases"):
        for one in Extensions(kind).values():
            same = canonical(one.name) == canonical(tool.name)
            if same and one.distribution in BUILT_IN:
                yield Finding(
                    tool.kind,
                    tool.name,
                    f"it is not used: a tool of {one.distribution} is called {one.name}",
                    "name it otherwise in its entry point",
                )


def _looked_at(distribution: str, timeout_s: float) -> list[Finding]:
    """What its own process says; after a hang or an end of it, of the extensions that follow."""
    findings: list[Finding] = []
    skip = 0
    while True:
        reports, ended = _process(distribution, skip, timeout_s)
        findings += [
            Finding(one["kind"], one["name"], problem, remedy)
            for one in reports
            for problem, remedy in one.get("problems", ())
        ]
        last = reports[-1] if reports else None
        if last is None or last["done"]:
            return findings
        findings.append(Finding(last["kind"], last["name"], ended, "update it, or uninstall it"))
        skip = last["number"] + 1


def _process(distribution: str, skip: int, timeout_s: float) -> tuple[list[dict[str, Any]], str]:
    """The lines of one process, and how it ended where it did not come to its own end."""
    # Without the working directory on the path: only what is installed is looked at.
    command = [sys.executable, "-P", "-m", "llmspell_core.plugin_check", distribution, str(skip)]
    lines: queue.Queue[str | None] = queue.Queue()
    reports: list[dict[str, Any]] = []
    with subprocess.Popen(  # noqa: S603 - our own module
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    ) as process:
        reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
        reader.start()
        # Each extension has the whole time; before the first one Python has to start.
        until = time.monotonic() + timeout_s + START_S
        try:
            while (line := lines.get(timeout=max(0.01, until - time.monotonic()))) is not None:
                reports.append(json.loads(line))
                until = time.monotonic() + timeout_s
        except queue.Empty:
            process.kill()
            return reports, f"importing it did not end within {timeout_s:g} s"
        code = process.wait()
    return reports, f"importing it ended the process with exit code {code}"


def _read(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    if process.stdout is not None:
        for line in process.stdout:
            lines.put(line)
    lines.put(None)


# -- what it was made for -------------------------------------------------------------------------


def _requirements(distribution: str) -> Iterator[Finding]:
    """Distributions of llmspell that it asks for, in versions that are not installed."""
    from importlib_metadata import PackageNotFoundError, requires, version

    try:
        wanted = requires(distribution) or []
    except PackageNotFoundError:
        return
    for text in wanted:
        match = re.match(r"(llmspell[\w.-]*)\s*(?:\[[^]]*\])?\s*\(?([^;)]*)", text)
        if match is None or "extra ==" in text:
            continue
        name, bounds = match[1], match[2].strip()
        try:
            installed = version(name)
        except PackageNotFoundError:
            yield Finding("", "", f"it needs {name}, which is not installed", f"pip install {name}")
            continue
        if not all(_holds(installed, one) for one in bounds.split(",") if one.strip()):
            problem = f"it is made for {name} {bounds}, and {installed} is installed"
            yield Finding("", "", problem, f"install a version of {distribution} for it")


def _holds(installed: str, bound: str) -> bool:
    """Whether a version meets one bound; what is not understood holds."""
    match = re.fullmatch(r"\s*(~=|==|!=|<=|>=|<|>)\s*([\d.]+)\s*", bound)
    if match is None:
        return True
    mine, theirs = _numbers(installed), _numbers(match[2])
    width = max(len(mine), len(theirs))
    left, right = (one + (0,) * (width - len(one)) for one in (mine, theirs))
    sign = match[1]
    if sign == "~=":
        return left >= right and mine[: len(theirs) - 1] == theirs[:-1]
    return {
        "==": left == right,
        "!=": left != right,
        "<=": left <= right,
        ">=": left >= right,
        "<": left < right,
        ">": left > right,
    }[sign]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(one) for one in re.findall(r"\d+", version.partition("+")[0])[:4])
