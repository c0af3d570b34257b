"""What `llmspell generate` writes builds, passes its own checks, installs, and is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llmspell_cli.app import run
from llmspell_cli.commands.generate import LANGUAGES, TEMPLATES
from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI

# One process for all: they share what is built.
pytestmark = pytest.mark.xdist_group("generate")

TOOLS = {f"made-{template.replace('_', '-')}": template for template in TEMPLATES}
OTHERS = {f"made-a-{kind}": kind for kind in ("engine", "provider", "command", "agent")}
#: Enough of them for more than a line.
MANY = "json-processor,csv-analyzer,text-analyzer,text-manipulator,hash-calculator"
LONG = "a-name-as-long-as-they-can-be"


def generate(folder: Path, *words: str) -> None:
    assert run(["generate", *words, "--dir", str(folder)]) == 0


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one project of each kind."""
    folder = tmp_path_factory.mktemp("generated")
    for name, template in TOOLS.items():
        generate(folder, "tool", name, "--template", template)
    for name, kind in OTHERS.items():
        generate(folder, kind, name)
    words = ["--template", "customer-service", "--tools", f"{MANY},process-executor"]
    generate(folder, "agent", "made-desk", *words)
    return folder


@pytest.fixture(scope="module")
def llmspell(projects: Path, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """The command line of somebody who has built and installed them all, without a network."""
    made = CommandLine(tmp_path_factory.mktemp("installed"))
    wheels = made.home / "wheels"
    for project in sorted(projects.iterdir()):
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
        done = subprocess.run(build, cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    where = ["--no-deps", "--no-index", "--target", str(made.site)]
    install = [sys.executable, "-m", "pip", "install", "-q", *where, *map(str, wheels.iterdir())]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def test_a_project_is_complete(projects: Path) -> None:
    project = projects / "llmspell-made-basic"
    files = {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}
    assert files == {
        ".github/workflows/test.yml",
        ".gitignore",
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "src/llmspell_made_basic/__init__.py",
        "src/llmspell_made_basic/py.typed",
        "src/llmspell_made_basic/tool.py",
        "tests/test_llmspell_made_basic.py",
        "tox.ini",
    }
    for path in projects.rglob("*"):
        assert not path.is_file() or "%%" not in path.read_text(encoding="utf-8"), path


def test_style_is_clean_whatever_the_length_of_the_name(projects: Path, tmp_path: Path) -> None:
    ruff = shutil.which(
        "ruff", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if ruff is None:
        pytest.skip("ruff is not installed")
    for template in TEMPLATES:
        generate(tmp_path / template, "tool", LONG, "--template", template)
    for name, kind in OTHERS.items():
        generate(tmp_path / name, kind, LONG, "--description", "x" * 72)
    for folder in (projects, tmp_path):
        for command in (["check"], ["format", "--check"]):
            checked = [ruff, *command, "--no-cache", "-q", str(folder)]
            done = subprocess.run(checked, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr


def test_types_are_strict(projects: Path) -> None:
    pytest.importorskip("mypy")
    sources = [str(one / part) for one in projects.iterdir() for part in ("src", "tests")]
    check = [sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases"]
    path = os.pathsep.join(str(one / "src") for one in projects.iterdir())
    done = subprocess.run(
        [*check, "--cache-dir", os.devnull, *sources],
        env={**os.environ, "MYPYPATH": path},
        cwd=projects,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_their_own_tests_pass_against_the_wheels(projects: Path, llmspell: CommandLine) -> None:
    tests = sorted(str(one) for one in projects.glob("*/tests"))
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-W", "error"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(projects), *tests],
        env=llmspell.env,
        cwd=llmspell.cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_they_are_found_and_work(llmspell: CommandLine) -> None:
    listed = llmspell("plugins").out
    assert all(f"llmspell-{name} 0.1.0" in listed for name in (*TOOLS, *OTHERS))
    assert llmspell("tool", "run", "made-basic", "--param", "input=hello").out == "HELLO!\n"
    assert llmspell("made-a-command", "kettle", "--times", "2").out == "kettle  1\nkettle  2\n"
    script = 'sum = call Tool.execute "calculator" {"input": "6*7"}\nprint It is $sum.output.'
    llmspell.write("x.madeaengine", f"{script}\nreturn $sum.output + 1")
    assert llmspell("x.madeaengine").code == 1
    llmspell.write("x.madeaengine", script)
    for profile in ("low", "medium"):
        assert llmspell("run", "--profile", profile, "x.madeaengine").out == "It is 42.\n"
    wrong = llmspell("run", llmspell.write("y.madeaengine", "\nshout"))
    assert "y.madeaengine:2" in wrong.err


def test_the_provider_answers(llmspell: CommandLine) -> None:
    server = FakeOpenAI({"text": "Hello.", "usage": {"input": 3, "output": 2}})
    with serving(server):
        llmspell.write(
            "llmspell.toml",
            f'[providers.mine]\ntype = "made-a-provider"\nbase_url = "{server.base_url}"\n',
        )
        config = ["--config", "llmspell.toml", "--model", "mine/small"]
        spell = 'return Agent.new{ system_prompt = "Be brief." }:execute("Hi").text'
        assert llmspell("eval", spell, *config).out == "Hello.\n"
    assert server.requests[0]["model"] == "small"


def test_the_agents_are_made_and_extend_what_they_should(llmspell: CommandLine) -> None:
    about = json.loads(llmspell("agent", "info", "made-desk", "--json").out)
    assert about["levels"] == ["customer-service", "made-desk"]
    assert about["tools"][0] == "sentiment-analyzer"
    assert "process-executor" in about["tools"]
    assert about["required_parameters"] == ["company"]
    with serving(FakeOpenAI(lambda _: "Hello.")) as server:
        llmspell.write("fake.toml", f'[providers.fake]\nbase_url = "{server.base_url}"\n')
        words = ["--config", "fake.toml", "--model", "fake/m", "--param", "focus=prices"]
        assert llmspell("agent", "run", "made-a-agent", "Hi", *words).out == "Hello.\n"
        assert "Look at prices first." in server.requests[0]["messages"][0]["content"]


def test_agents_in_script_languages_pass_their_own_tests(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    for language in LANGUAGES[1:]:
        for base in ("chat", "customer-service"):
            words = ["--template", base, "--tools", MANY, "--language", language]
            generate(llmspell.cwd, "agent", f"{language}-{base}", *words)
        generate(llmspell.cwd, "agent", f"{language}-plain", "--language", language)
    done = llmspell("test")
    assert done.code == 0, done.out + done.err
    assert "in 6 files" in done.out


def test_tools_in_script_languages_pass_their_own_tests(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    for language in LANGUAGES[1:]:
        for template in TEMPLATES:
            name = f"{language}-{template.replace('_', '-')}"
            words = ["tool", name, "--template", template, "--language", language]
            generate(llmspell.cwd, *words)
    done = llmspell("test")
    assert done.code == 0, done.out + done.err
    assert f"in {2 * len(TEMPLATES)} files" in done.out
    assert {path.name for path in (llmspell.cwd / "lua-basic").iterdir()} == {
        "README.md",
        "lua-basic.lua",
        "lua-basic_spell_test.lua",
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["tool", "Shout"], "is no name for a plugin"),
        (["tool", "calculator"], 'llmspell-tools has a tool "calculator"'),
        (["command", "doctor"], 'llmspell has a command "doctor"'),
        (["tool", "x", "--template", "nothing"], "is not one of"),
        (["engine", "lua"], 'has an engine "lua"'),
        (["agent", "chat"], 'llmspell-agents has an agent "chat"'),
        (["agent", "x", "--template", "reserch"], 'did you mean "research"?'),
        (["agent", "x", "--tools", "calculatr"], 'did you mean "calculator"?'),
        (["tool", "core"], "is a distribution of llmspell itself"),
        (["tool", "x", "--description", "y" * 90], "at most 72"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistakes_are_told_and_nothing_is_written(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generate", *words, "--dir", str(tmp_path)]) == 2
    assert says in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def test_what_is_there_is_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generate(tmp_path, "tool", "shout", "--description", 'Says "hi" loudly.')
    assert "Says 'hi' loudly" in (tmp_path / "llmspell-shout/pyproject.toml").read_text()
    assert run(["generate", "tool", "shout", "--dir", str(tmp_path)]) == 2
    assert "is already there" in capsys.readouterr().err
