// Every method of the host, with nothing, with junk, and with junk as its second argument.
const objects = {
  agent: await Agent.new({ name: "a", execute: () => "x" }),
  workflow: await Workflow.sequential({ name: "w", steps: [{ name: "s", execute: () => 1 }] }),
  tool: await Tool.create({ name: "t", description: "d", execute: () => 1 }),
  run: await (await Agent.new({ name: "b", execute: () => "x" })).start("x"),
};
JUNK.push(() => 1, objects.agent);
for (const [name, methods] of Object.entries(METHODS)) {
  const it = objects[name] ?? globalThis[name];
  for (const method of it ? methods : []) {
    await attempt(`${name}.${method}()`, () => it[method]());
    for (const one of JUNK) {
      const text = JSON.stringify(one) ?? "a function";
      await attempt(`${name}.${method}(${text})`, () => it[method](one));
      await attempt(`${name}.${method}("x", ${text})`, () => it[method]("x", one));
    }
  }
}

return { calls, wrong };
