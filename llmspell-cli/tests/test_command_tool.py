"""`llmspell tool`: lists, explains and calls tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine
from llmspell_cli.tool_page import type_text

SHOUT = '''
from llmspell_core.tool import tool

@tool(category="noise", destructive=True)
async def shout(input: str, times: int = 1) -> str:
    """Make a text loud."""
    return input.upper() * times
'''


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def test_a_broken_tool_costs_only_itself(llmspell: CommandLine) -> None:
    llmspell.plugin("acme-shout", SHOUT, tools={"shout": "shout"})
    llmspell.plugin("acme-broken", "raise RuntimeError('no licence')", tools={"broken": "x"})
    done = llmspell("tool", "list")
    assert done.code == 0
    assert any(line.startswith("calculator ") for line in done.out.splitlines())
    assert any(line.split()[:3] == ["shout", "noise", "safe"] for line in done.out.splitlines())
    (warning,) = done.lines
    assert warning.startswith("warning: broken is left out: plugin acme-broken failed to load")
    assert warning.endswith("RuntimeError: no licence")

    rows = json.loads(llmspell("tool", "list", "--category", "noise", "--json").out)
    assert [row["name"] for row in rows] == ["shout"]
    done = llmspell("tool", "list", "--category", "noses")
    assert done.code == 2
    assert ", noise, " in done.err

    assert llmspell("tool", "run", "shout", "--param", "input=hi", "--param", "times=2").out == (
        "HIHI\n"
    )
    done = llmspell("tool", "run", "broken")
    assert done.code == 1
    assert "plugin acme-broken failed to load" in done.err
    assert "[plugin.broken]" in done.err


def test_what_an_extra_would_add_is_listed_apart(llmspell: CommandLine) -> None:
    llmspell.plugin(
        "acme-shout",
        SHOUT.replace("destructive=True", 'extra="loud"'),
        tools={"shout": "shout"},
    )
    metadata = llmspell.site / "acme_shout-1.0.dist-info" / "METADATA"
    wants = "Provides-Extra: loud\nRequires-Dist: no-such-library>=1; extra == 'loud'\n"
    elsewhere = "Requires-Dist: no-such-thing; sys_platform == 'nowhere' and extra == 'loud'\n"
    metadata.write_text(metadata.read_text() + wants + elsewhere)
    out = llmspell("tool", "list").out
    assert "\nwith pip install 'acme-shout[loud]':\nshout  noise" in out
    (row,) = json.loads(llmspell("tool", "list", "--category", "noise", "--json").out)
    assert row["needs"] == "acme-shout[loud]"
    assert "pip install 'acme-shout[loud]'" in llmspell("tool", "info", "shout").out
    metadata.write_text(metadata.read_text().replace("no-such-library>=1", "click[x]"))
    assert "with pip install 'acme" not in llmspell("tool", "list", "--category", "noise").out


def test_search_wants_every_word(llmspell: CommandLine) -> None:
    found = llmspell("tool", "search", "digest FILE").out.splitlines()
    assert [line.split()[0] for line in found] == ["hash-calculator"]
    done = llmspell("tool", "search", "qwertz")
    assert (done.code, done.out) == (0, "")
    assert "nothing found" in done.err


def test_info_is_a_page_with_examples_that_run(llmspell: CommandLine) -> None:
    page = llmspell("tool", "info", "hash-calculator").out
    assert page.startswith("hash-calculator  (util, safe)\n")
    assert "  algorithm        md5|sha1" in page or "  algorithm        one of" in page
    assert "= sha256" in page
    assert "example      llmspell tool run hash-calculator --param input=abc\n" in page
    assert max(map(len, page.splitlines())) <= 200
    data = json.loads(llmspell("tool", "info", "hash-calculator", "--json").out)
    assert data["schema"]["properties"]["input"]
    assert data["examples"][0] == {"input": "abc"}


def test_run_prints_the_natural_output(llmspell: CommandLine) -> None:
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    done = llmspell("tool", "run", "hash-calculator", "--param", "input=abc", "--stats")
    assert done.out == f"{digest}\n"
    assert done.err.startswith("time  ")
    llmspell.write("p.json", '{"input": "6*7"}')
    assert llmspell("tool", "run", "calculator", "--params-file", "p.json").out == "42\n"
    done = llmspell("tool", "run", "calculator", "--param", "input=6*7", "--json")
    result = json.loads(done.out)
    assert (result["success"], result["output"]) == (True, 42)


def test_mistakes_name_the_field(llmspell: CommandLine) -> None:
    expected = {
        ("calculatr",): 'unknown tool "calculatr"  [tool.not_found]',
        ("calculator", "--param", "inpt=1"): 'unknown field "inpt", did you mean "input"?',
        ("text-manipulator", "--param", "operation=upcase", "--param", "input=x"): "operation must",
        ("hash-calculator", "--param", "input=x", "--param", "algorithm=7"): "algorithm",
    }
    for args, message in expected.items():
        done = llmspell("tool", "run", *args)
        assert (done.code, done.out) == (2, ""), done.err
        assert message in done.err.splitlines()[0]
    done = llmspell("tool", "run", "calculator", "--param", "input=1/0")
    assert (done.code, done.out) == (1, "")
    assert llmspell("tool", "info", "calculatr").code == 2


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string"}, "string"),
        ({"enum": ["a", "b"]}, "a|b"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer"),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        ({"type": "array"}, "any[]"),
        ({"type": ["string", "number"]}, "string|number"),
        ({"$ref": "#/$defs/Kind"}, "x|y"),
        ({"const": "x"}, '"x"'),
        ({}, "any"),
    ],
)
def test_types_in_a_few_words(schema: dict[str, object], text: str) -> None:
    assert type_text(schema, {"Kind": {"enum": ["x", "y"]}}) == text
