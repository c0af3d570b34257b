"""The example of each category of tools runs and prints what it should, in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from catalogue_files import write_files
from catalogue_page import built_in
from catalogue_servers import services, settings

from llmspell_cli.testing import CommandLine, Done

EXAMPLES = Path(__file__).resolve().parents[2] / "examples/tools"
SPELLS = sorted(path for path in EXAMPLES.iterdir() if path.suffix in {".lua", ".js"})
NAMES = sorted({path.stem for path in SPELLS})
#: Each language in one of the two profiles that examples are for: a worker, and this process.
RUNS = [("lua", "medium"), ("js", "low")]

#: What is given to an example, with the addresses of the services.
GIVEN = {
    "communication": ["--db", "data/shop.db", "--channel", "#builds"],
    "document": ["documents/report.pdf"],
    "media": ["media/photo.png"],
    "search": ["tea"],
    "system": ["{host}", "10.1.2.3:80"],
    "web": ["--site", "{http}/", "--hook", "{http}/hooks/builds", "--secret", "shared-secret"],
}
#: A pattern of all that it prints; a space stands for what a language puts between values.
PRINTS = {
    "ai": (
        "1 billing negative Ada Lovelace A kettle too many\n"
        "2 technical negative Bob Stone The basket crashes\nalike 1\\.00\n"
    ),
    "communication": "- cup for 4(\\.0)?\n- spoon for 1\\.5\nmail told\nslack told\nissue told\n",
    "data": (
        "rows 4 amount is a (float|number)\n"
        'order 2 invalid: customer: must be an email address, not "bob@example"\n'
        "Oslo 1 240(\\.0)?\nLondon 2 168\\.59\nbest:\n  city: Oslo\n  top: 200(\\.0)?\n"
    ),
    "document": (
        "sheets (April March|March April)\nin all 152\\.4\nitem;amount\nkettle;99\\.9\n"
        "invalid: turing: journal or booktitle is missing\n"
        "apa \\(Knuth, 1968\\) Knuth, D\\. .*\nieee \\[1\\] \\[1\\] D\\. Knuth, .*\n"
        "2 pages Tea is served at four\\.\n"
    ),
    "fs": (
        "errors 3 in files 2\n2x error: disk full\n1x error: no index\n"
        "packed db\\.log web\\.log\noutside false policy\\.file\n"
    ),
    "media": ("png 64 x 48 RGB\nsmall webp 32 x 24\nturned png 48 x 64\nsquare jpeg 32 x 32\n"),
    "search": (
        "Leaf, A\\. \\(2021\\)\\. On the brewing of tea\\. .*\n"
        "web tavily 1\nTea https://tea\\.example/\n"
    ),
    "system": (
        "(cpu|memory|disk)_percent (fine|high: .*)\n"
        * 3
        + "127\\.0\\.0\\.1:\\d+ up\n10\\.1\\.2\\.3:80 policy\\.network\n"
        "LANG true\nAWS_SECRET_ACCESS_KEY false\nuptime (policy\\.tool|tool\\.not_approved)\n"
    ),
    "util": (
        "# Tea & more, the Spring Release\n- cup 0\\.1 \\(new\\)\n- spoon \\(gone\\)\n"
        "- teapot 1\\.3 \\(changed\\)\nNext release: 12 April 2026\n"
        "tea-more-the-spring-release [0-9a-f]{8} 0d141257-1359-5164-bc9a-3a69b49aa188\n"
        "1208925819614629174706177\n"
    ),
    "web": (
        "host 127\\.0\\.0\\.1 not encrypted\nTea prices 1 links Tea\n"
        "changed (first visit|false)\nanswers 3 of 3 true\ntold true taken\n"
    ),
}
#: A source of works that may not be reached is named; the others count.
COMPLAINS = {"search": "(\\w+: .* may not be reached: the profile does not list it\n){3}"}
#: 10.1.2.3 may not be asked: the example says that not all is well.
FAILS = {"system"}


def answered(title: str, label: str, person: str) -> Any:
    """The answers of the model about a letter, by what the schema asks for."""
    replies = {
        "label": {"label": label, "confidence": 0.9},
        "sentiment": {
            "explanation": "A complaint.", "sentiment": "negative", "score": -0.6, "confidence": 1,
        },
        "entities": {"entities": [{"text": person, "type": "person"}]},
        "summary": {"summary": title},
        "headline": {"headline": title},
    }  # fmt: skip

    def reply(body: dict[str, Any]) -> str:
        asked = body["response_format"]["json_schema"]["schema"]["properties"]
        return json.dumps(next(one for name, one in replies.items() if name in asked))

    return reply


LETTERS = {
    "kettle twice": answered("A kettle too many", "billing", "Ada Lovelace"),
    "my basket": answered("The basket crashes", "technical", "Bob Stone"),
}


@pytest.fixture(scope="module")
def places() -> Iterator[dict[str, str]]:
    with services(LETTERS) as found:
        yield found


def run(folder: Path, name: str, way: tuple[str, str], places: dict[str, str]) -> Done:
    """An example in a folder with the files that it names, and the services configured."""
    language, profile = way
    llmspell = CommandLine(folder)
    write_files(llmspell.cwd)
    config = {
        **settings(places),
        "security": {
            "profile": profile,
            "network": {"allowed_hosts": ["127.0.0.1"]},
            "files": {"read": ["."], "write": ["./output"]},
        },
    }
    del config["state"]
    config_file = llmspell.write("example.config.toml", tomli_w.dumps(config))
    words = [word.format(**places) for word in GIVEN.get(name, [])]
    done = llmspell(
        "run", "--config", config_file, EXAMPLES / f"{name}.{language}", *words,
        env={"LANG": "C.UTF-8"},
    )  # fmt: skip
    if "[extension.unavailable]" in done.err:
        pytest.skip(done.err)
    return done


@pytest.mark.parametrize("way", RUNS, ids="-".join)
@pytest.mark.parametrize("name", NAMES)
def test_an_example_prints_what_it_should(
    name: str, way: tuple[str, str], tmp_path: Path, places: dict[str, str]
) -> None:
    done = run(tmp_path, name, way, places)
    assert re.fullmatch(COMPLAINS.get(name, ""), done.err), done.err
    assert re.fullmatch(PRINTS[name], done.out.replace("\t", " ")), done.out
    assert done.code == (1 if name in FAILS else 0)


def test_every_category_has_an_example_in_both_languages() -> None:
    categories = {tool.category for tool in built_in().values()}
    for language in ("lua", "js"):
        assert {path.stem for path in EXAMPLES.glob(f"*.{language}")} == categories
    assert set(PRINTS) == categories


def test_the_list_has_every_example_and_the_tools_it_calls() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for path in SPELLS:
        row = next(line for line in listed.splitlines() if f"[{path.name}]({path.name})" in line)
        called = {name for name in built_in() if f'"{name}"' in path.read_text(encoding="utf-8")}
        assert called == set(row.split("|")[3].strip().split(", ")), path.name


@pytest.mark.parametrize("path", SPELLS, ids=lambda path: path.name)
def test_an_example_is_short_and_says_how_to_run_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    comment = "--" if path.suffix == ".lua" else "//"
    assert text.startswith(f"#!/usr/bin/env llmspell\n{comment} {path.name}: ")
    assert f"\n{comment}   llmspell examples/tools/{path.name}" in text
    assert len(text.splitlines()) < 60
    assert max(map(len, text.splitlines())) <= 120
