"""What the scanner finds in sources, and that no source makes it slow."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_bridge.modules.specifiers import MAX_SPECIFIERS, ecma_imports, lua_requires

SOURCE = r"""#!/usr/bin/env llmspell
import a from "./a.js"; import {b as c} from './b.js'
import "side"; import * as n /* from "no1" */ from "n";
import d, {e} from "@s/p/x.js"
// import x from "no2"
/* import x from "no3" */
const s = "import x from 'no4'", t = `import x from "no5" ${ await import("dyn1") } ${ {a:1}.a }`;
const r = /import x from "no7"['"`]/g.test(x); let q = a / b; import("dyn2").then();
y = import('dyn3', {with:{}})
export * from "ex1"; export * as z from 'ex2'; export { q, r as rr } from "ex3"
export { q }
import late from "late"
foo.import("no8"); $import("no9"); this.#import("no10"); import.meta.url;
export default function from() { return "x" }
export class A { b() { return import("dyn4") } }
import(variable)
import {
  multi, // from "no11"
  line
} from "multi"
const u = x => /[/"]import "no12"/.test(x) ? 1 / 2 : `${`${import("dyn5")}`}`
"""


def test_all_forms_of_import_are_found_and_nothing_else() -> None:
    assert ecma_imports(SOURCE) == [
        "./a.js", "./b.js", "side", "n", "@s/p/x.js", "dyn1", "dyn2", "dyn3", "ex1", "ex2", "ex3",
        "late", "dyn4", "multi", "dyn5",
    ]  # fmt: skip


def test_requires_of_lua_are_found() -> None:
    source = """
    local a = require("a.b") -- require("no")
    --[[ require "no" ]] local c = require 'c'
    --[==[ ]] require "no" ]==]
    return require "d-e", require(name), xrequire("no")
    """
    assert lua_requires(source) == ["a.b", "c", "d-e"]


@pytest.mark.parametrize(
    "unit",
    ["import/*", "import ", "export {", "'\\", "`${", "/*/", "import{", "import a from ", "/[",
     "import(\n", "export /**/", 'import"a', "x=/[", "{`", "import'a'", "import a from/**/"],
)  # fmt: skip
def test_no_source_makes_the_scanner_slow(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        best = 1.0
        for _ in range(3):
            # The processor's time: other work on the machine is not the scanner's.
            started = time.process_time()
            ecma_imports(text)
            best = min(best, time.process_time() - started)
        return best

    # Ten times the text may take some more than ten times as long, never a hundred times.
    assert seconds(300_000) < 40 * max(seconds(30_000), 0.002)


def test_no_more_than_a_thousand_are_found() -> None:
    source = "".join(f'import "m{number}";' for number in range(MAX_SPECIFIERS + 10))
    assert len(ecma_imports(source)) == MAX_SPECIFIERS


@given(st.text(alphabet="import export from\"'`${}/*\\\n();,ab", max_size=200))
def test_any_text_is_scanned_to_its_end(text: str) -> None:
    assert isinstance(ecma_imports(text), list)
    assert isinstance(lua_requires(text), list)


@given(
    st.lists(st.text("abc./@-", min_size=1, max_size=8), max_size=5, unique=True),
    st.sampled_from(
        ['import "{}";', "import x from '{}'\n", 'export * from "{}";', '`${{import("{}")}}`']
    ),
)
def test_what_is_written_is_found(names: list[str], form: str) -> None:
    assert ecma_imports("\n".join(form.format(name) for name in names)) == names
