"""The examples in which agents hand over to each other, on scripted models."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_cli.testing import CommandLine
from llmspell_core.testing import ScriptedProvider, chunks, tool_call

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SUFFIXES = (".lua", ".js")


def play(name: str, *replies: Any) -> tuple[str, ScriptedProvider]:
    """What an example prints, and the model it has asked."""
    provider = ScriptedProvider(*replies)

    async def main() -> str:
        settings = {
            "default": {"model": f"{provider.name}/{provider.default_model}"},
            "state": {"backend": "memory"},
        }
        streams = CapturedStreams()
        engine = Path(name).suffix[1:]
        async with ScriptRuntime(settings, engine=engine, isolation="process") as runtime:
            runtime.add_provider(provider)
            source = ScriptSource((EXAMPLES / name).read_text(encoding="utf-8"), name)
            await runtime.run(source, streams=streams)
        return streams.stdout

    printed = asyncio.run(main())
    provider.assert_all_used()
    return printed, provider


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_support_hands_to_billing_and_gets_the_customer_back(suffix: str) -> None:
    printed, provider = play(
        f"support_triage{suffix}",
        tool_call("transfer_to_billing", reason="an invoice"),
        tool_call("invoice", number="2024-7"),
        "No, 40 are open.",
        tool_call("invoice", number="2024-8"),
        "Yes.",
        tool_call("transfer_to_triage", reason="opening hours"),
        "At nine.",
    )
    assert printed.splitlines() == [
        "customer: Is invoice 2024-7 paid?",
        "  (handed over to billing)",
        "billing: No, 40 are open.",
        "customer: And 2024-8?",
        "billing: Yes.",
        "customer: Thanks. When do you open?",
        "  (handed over to triage)",
        "triage: At nine.",
    ]
    first, second, *_, last = provider.requests
    assert [one.name for one in first.tools] == ["transfer_to_billing"]
    assert [one.name for one in second.tools] == ["invoice", "transfer_to_triage"]
    assert "transfer_to_billing: billing, For questions about invoices" in first.messages[0].text
    # Who gets a customer back sees all that was said, by whomever.
    said = [one.text for one in last.messages]
    assert said[0].startswith("You are the first who talks")
    assert [one for one in said if one in ("No, 40 are open.", "And 2024-8?", "Yes.")] == [
        *("No, 40 are open.", "And 2024-8?", "Yes.")
    ]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_run_is_watched_while_it_happens(suffix: str) -> None:
    printed, _ = play(
        f"run_events{suffix}",
        tool_call("transfer_to_billing", reason="it is about a bill"),
        chunks("Your bill", " is paid."),
    )
    assert printed.splitlines() == [
        "triage hands over to billing",
        "billing: Your bill is paid.",
        "completed",
    ]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_agent_of_a_chain_learns_what_the_filters_let_pass(suffix: str) -> None:
    printed, provider = play(
        f"agent_chain{suffix}",
        tool_call("choose-box", pieces=3),
        tool_call("transfer_to_shipping", reason="packed", input="A large box of 3 kettles"),
        "A large box goes to Oslo.",
    )
    assert printed.splitlines() == [
        "A large box goes to Oslo.",
        "by way of packing, shipping",
        "desk knows card, customer.city, customer.name, order.item",
        "packing knows customer.city, customer.name, order.item",
        "shipping knows customer.city, order.item",
    ]
    packing, _, shipping = provider.requests
    assert packing.messages[-1].text == "Pack 3 kettles."
    shown = "\n".join(one.text for one in shipping.messages)
    assert "Oslo" in shown
    assert "4111" not in shown
    assert "Ada" not in shown
    assert [one.role for one in shipping.messages] == ["system", "user"]


REAL = """
Agent.new{ name = "billing", description = "Knows all invoices", system_prompt = "All are paid." }
local triage = Agent.new{
  system_prompt = "You sort.", handoffs = { "billing" }, tool_choice = "transfer_to_billing",
}
local kinds, out = {}, nil
for chunk in triage:stream("Is invoice 7 paid?") do
  kinds[chunk.type] = true
  out = chunk.output or out
end
print(out.agent, out.handoff[1], kinds.handoff, kinds.text)
local counter = Agent.new{ name = "counter", description = "Counts", system_prompt = "Say 5." }
local lead = Agent.new{
  system_prompt = "Ask the counter.", tools = { counter }, tool_choice = "counter",
}
local call = lead:execute("How many kettles are there?").tool_calls[1]
print(call.name, call.error == nil, #call.result > 0)
"""


@pytest.mark.model
def test_the_model_on_this_machine_hands_over_and_asks_an_agent(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    # The model file is the user's own: it is large.
    del llmspell.env["LLMSPELL_SYSTEM__CACHE_DIR"]
    llmspell.env |= {k: v for k, v in os.environ.items() if k == "LLMSPELL_SYSTEM__CACHE_DIR"}
    script = tmp_path / "real.lua"
    script.write_text(REAL, encoding="utf-8")
    done = llmspell(script)
    assert done.code == 0, done.err
    assert done.out == "billing\tbilling\ttrue\ttrue\ncounter\ttrue\ttrue\n"
