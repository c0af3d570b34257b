"""Finding the line of a key in the text of a file."""

from __future__ import annotations

import json
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.config.locate import line_of

TOML = '''\
# a comment with [brackets] and key = 1
version = 1
[system]   # another
log_level = "debug" # log_file = "x"
"log_file" = \'\'\'
[not.a.table]
key = 1
\'\'\'
a.b . "c d" = 1
[script_overrides."reports/*.lua"]
log_level = "debug"
security = { profile = "low", stdlib_access = { lua = ["io", # not = here
  "os"] }, reason = "a = b" }
when = 2026-01-01 10:00:00
[[many]]
x = [
  { y = 1 },
  { z = """
  q = 2 \\""" """ },
]
last = true
'''


def test_toml_keys_are_found_in_every_form() -> None:
    tomllib.loads(TOML)
    for path, line in {
        ("version",): 2,
        ("system",): 3,
        ("system", "log_level"): 4,
        ("system", "log_file"): 5,
        ("system", "a"): 9,
        ("system", "a", "b", "c d"): 9,
        ("script_overrides", "reports/*.lua"): 10,
        ("script_overrides", "reports/*.lua", "log_level"): 11,
        ("script_overrides", "reports/*.lua", "security", "stdlib_access", "lua"): 12,
        ("script_overrides", "reports/*.lua", "security", "reason"): 13,
        ("script_overrides", "reports/*.lua", "when"): 14,
        ("many",): 15,
        ("many", "x"): 16,
        ("many", "x", "y"): 17,
        ("many", "x", "z"): 18,
        ("many", "last"): 21,
    }.items():
        assert line_of(TOML, path) == line, path


def test_a_key_that_is_not_there_gives_the_table_around_it() -> None:
    assert line_of(TOML, ("system", "nothing")) == 3
    assert line_of(TOML, ("nothing",)) is None


def test_json_and_yaml_keys_are_found() -> None:
    text = '{\n "a": {"b":\n [1, {"c": 2}]},\n "d": "x\\"y: {",\n "e": 1}'
    json.loads(text)
    for path, line in {("a",): 2, ("a", "b"): 2, ("a", "b", "c"): 3, ("d",): 4, ("e",): 5}.items():
        assert line_of(text, path, ".json") == line, path
    yaml = "a:\n  b: 1\n  'c d':\n    - x\n# e\nf: {g: 2,\n    h: 3}\n"
    for path, line in {("a", "b"): 2, ("a", "c d"): 3, ("f", "g"): 6, ("f", "h"): 7}.items():
        assert line_of(yaml, path, ".yaml") == line, path


names = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=6)
plain = st.integers() | st.booleans() | st.text(st.characters(codec="utf-8"), max_size=8)


def written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


@given(
    st.dictionaries(names, st.dictionaries(names, plain | st.lists(plain), max_size=3), max_size=4)
)
def test_every_key_of_a_written_file_is_found_on_its_line(
    data: dict[str, dict[str, object]],
) -> None:
    lines: list[str] = []
    expected: dict[tuple[str, ...], int] = {}
    for table, keys in data.items():
        lines.append(f"[{written(table)}]")
        expected[table,] = len(lines)
        for key, value in keys.items():
            lines.append(f"{written(key)} = {written(value)} # = [x]")
            expected[table, key] = len(lines)
    text = "\n".join(lines)
    for path, line in expected.items():
        assert line_of(text, path) == line
    as_json = json.dumps(data, indent=1)
    for path in expected:
        assert line_of(as_json, path, ".json") is not None


@given(st.text(st.sampled_from("[]{}=\"'#.,\n ab\\-"), max_size=60))
def test_no_text_whatever_hangs_or_breaks_the_search(text: str) -> None:
    for suffix in (".toml", ".json", ".yaml"):
        line_of(text, ("a", "b"), suffix)
