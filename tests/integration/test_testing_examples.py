"""The examples of tests and of an evaluation pass as they are: recorded, without a model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine

ROOT = Path(__file__).resolve().parents[2] / "examples"
EXAMPLES = ROOT / "testing"


def es5(text: str) -> str:
    """The JavaScript example for an engine whose host calls wait by themselves."""
    text = (
        text.replace("async () =>", "function ()")
        .replace("await ", "")
        .replace("() =>", "function ()")
    )
    text = text.replace(
        "const seller = (model) => Agent.new({",
        'var seller = function (model) { return Agent["new"]({',
    )
    text = text.replace("  model,\n", "  model: model,\n").replace("  }],\n});", "  }],\n}); };")
    text = text.replace(
        "(params) => ({ item: params.item, count: 7 })",
        "function (params) { return { item: params.item, count: 7 }; }",
    )
    return "// @engine duktape\n" + text.replace("const ", "var ").replace(
        "Tool.try", 'Tool["try"]'
    )


@pytest.mark.parametrize("profile", ["medium", "low"])
def test_they_pass_without_asking_anybody(profile: str, tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    folder = llmspell.cwd / "testing"
    shutil.copytree(EXAMPLES, folder)
    written = 6
    try:
        import pyduktape2  # noqa: F401
    except ImportError:
        pass
    else:
        text = (folder / "kettles_spell_test.js").read_text(encoding="utf-8")
        llmspell.write("testing/es5_spell_test.js", es5(text))
        written = 9
    done = llmspell("test", "testing", "--profile", profile)
    assert done.code == 0, done.out + done.err
    assert f"{written} passed" in done.out


def test_the_suite_of_the_examples_passes_from_its_recording(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    shutil.copytree(ROOT / "evaluation", llmspell.cwd / "evaluation")
    tape = "evaluation/sums.jsonl"
    done = llmspell("evaluate", "evaluation/sums.yaml", "--replay", tape)
    assert (done.code, done.err) == (0, ""), done.out
    assert "pass rate 100 % (4 of 4), pass@1 100 %, pass@2 100 %" in done.out
