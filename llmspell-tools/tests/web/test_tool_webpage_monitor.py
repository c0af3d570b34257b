from __future__ import annotations

from typing import Any

import pytest
from web_test_server import Answer, Call, WebServer, using

from llmspell_core.errors import LLMSpellError
from llmspell_tools.web.webpage_monitor import WebpageMonitor


def page(*prices: int, note: str = "x") -> str:
    rows = "".join(f"<tr><td>tea</td><td>{price}</td></tr>" for price in prices)
    return f"<h1>Prices</h1><table>{rows}</table><p id=note>{note}</p>"


def monitor(routes: dict[str, Any], work: Any) -> None:
    using(WebpageMonitor, routes, work)


def test_the_last_version_is_kept() -> None:
    async def work(server: WebServer, call: Call) -> None:
        first = await call(input="/")
        assert (first.output, first.result["first"]) == (False, True)
        assert first.text.endswith("seen for the first time")
        again = await call(input="/")
        assert (again.output, again.result["first"]) == (False, False)
        assert again.result["previous_checked_at"] == first.result["checked_at"]
        server.routes["/"] = page(1, 3, 4)
        changed = await call(input="/")
        assert changed.output is True
        assert (changed.result["added"], changed.result["removed"]) == (2, 1)
        assert "-tea\t2" in changed.result["diff"] or "-tea 2" in changed.result["diff"]
        assert "+tea 3\n+tea 4" in changed.text
        assert changed.result["hash"] != first.result["hash"]
        assert (await call(input="/")).output is False

    monitor({"/": page(1, 2)}, work)


def test_only_what_the_selector_names_counts() -> None:
    async def work(server: WebServer, call: Call) -> None:
        await call(input="/", selector="table")
        await call(input="/", selector="#note")
        server.routes["/"] = page(1, note="y")
        assert (await call(input="/", selector="table")).output is False
        assert (await call(input="/", selector="#note")).output is True

    monitor({"/": page(1)}, work)


def test_a_text_given_is_compared_and_nothing_kept() -> None:
    async def work(server: WebServer, call: Call) -> None:
        same = await call(input="/", previous_content="a   b\n\n\nc")
        assert (same.output, same.result["first"]) == (False, False)
        exact = await call(input="/", previous_content="a  b\nc", ignore_whitespace=False)
        assert exact.result["diff"] == "--- before\n+++ now\n@@ -1,2 +1,2 @@\n-a  b\n+a b\n c" + (
            "\n\\ No newline at end of file"
        )
        assert (await call(input="/")).result["first"]

    monitor({"/": "<p>a b</p><p>c</p>"}, work)


def test_text_that_is_no_page_and_long_ones_are_watched_too() -> None:
    async def work(server: WebServer, call: Call) -> None:
        await call(input="/t")
        await call(input="/long")
        server.routes["/t"] = Answer("two", kind="text/plain")
        server.routes["/long"] = Answer("y " * 400_000, kind="text/plain")
        assert "-one" in (await call(input="/t")).result["diff"]
        long = (await call(input="/long")).result
        assert long["changed"]
        assert "too long to be kept" in long["note"]
        with pytest.raises(LLMSpellError, match="selector must be left out"):
            await call(input="/t", selector="p")

    routes = {
        "/t": Answer("one", kind="text/plain"),
        "/long": Answer("x " * 400_000, kind="text/plain"),
    }
    monitor(routes, work)


def test_a_page_that_fails_does_not_replace_the_last_version() -> None:
    async def work(server: WebServer, call: Call) -> None:
        await call(input="/")
        server.routes["/"] = Answer("broken", 500)
        with pytest.raises(LLMSpellError, match="HTTP 500"):
            await call(input="/")
        server.routes["/"] = page(1)
        assert (await call(input="/")).output is False

    monitor({"/": page(1)}, work)
