// kettles_spell_test.js: the tests of kettles_spell_test.lua; the recording is the same one.
const seller = (model) => Agent.new({
  system_prompt: "You sell kettles.",
  model,
  tools: [{
    name: "stock",
    description: "Tells how many of an article are in the store.",
    parameters: { item: "string" },
    execute: (params) => ({ item: params.item, count: 7 }),
  }],
});

Test.describe("the seller of kettles", () => {
  Test.it("looks into the store before it promises anything", async () => {
    const model = await Test.scripted_model([
      { tool: "stock", arguments: { item: "kettle" }, when: "in the store" },
      { chunks: ["We have ", "7 kettles."] },
    ]);
    const answer = await (await seller()).execute("How many kettles are in the store?");
    Test.expect(answer.text).to_equal("We have 7 kettles.");
    Test.expect(answer).to_have_called("stock", { item: "kettle" });
    Test.expect(answer).to_have_handed_off_to();
    await model.assert_all_used();
  });

  Test.it("does not fall over when the calculator is broken", async () => {
    await Test.fake_tool("calculator", [{ error: "out of order", code: "tool.failed" }]);
    Test.expect((await Tool.try("calculator", { input: "1+1" })).success).to_be(false);
  });

  Test.it("still does what the real model made of it", async () => {
    const tape = await Test.cassette("kettles.jsonl");
    const agent = await seller("local/smollm2-135m");
    const answer = await agent.execute("How many kettles are in the store?");
    Test.expect(answer).to_have_called("stock");
    Test.expect(answer.text).to_contain("7");
    Test.expect(await tape.remaining()).to_be(0);
  });
});
