// expect: ok
// output: before
print("before");
await Hook.register("before_tool_execution", () => { process.exit(2); });
Async.spawn(async () => { for (;;) await Async.sleep(1); });
await Tool.execute("calculator", { input: "1" });
print("after");
