-- kettles_spell_test.lua: tests of an agent, with written answers and with recorded ones.
--   llmspell test examples/testing              plays what is recorded, asks nobody
--   llmspell test examples/testing --record     asks the model, records it anew
local function seller(model)
  return Agent.new{
    system_prompt = "You sell kettles.",
    model = model,
    tools = { {
      name = "stock",
      description = "Tells how many of an article are in the store.",
      parameters = { item = "string" },
      execute = function(params) return { item = params.item, count = 7 } end,
    } },
  }
end

Test.describe("the seller of kettles", function()
  Test.it("looks into the store before it promises anything", function()
    local model = Test.scripted_model{
      { tool = "stock", arguments = { item = "kettle" }, when = "in the store" },
      { chunks = { "We have ", "7 kettles." } },
    }
    local answer = seller():execute("How many kettles are in the store?")
    Test.expect(answer.text):to_equal("We have 7 kettles.")
    Test.expect(answer):to_have_called("stock", { item = "kettle" })
    Test.expect(answer):to_have_handed_off_to()
    model:assert_all_used()
  end)

  Test.it("does not fall over when the calculator is broken", function()
    Test.fake_tool("calculator", { { error = "out of order", code = "tool.failed" } })
    Test.expect(Tool.try("calculator", { input = "1+1" }).success):to_be(false)
  end)

  Test.it("still does what the real model made of it", function()
    local tape = Test.cassette("kettles.jsonl")
    local answer = seller("local/smollm2-135m"):execute("How many kettles are in the store?")
    Test.expect(answer):to_have_called("stock")
    Test.expect(answer.text):to_contain("7")
    Test.expect(tape:remaining()):to_be(0)
  end)
end)
