// expect: ok
// limits: wall_s = 8
// Patterns that take for ever, references to themselves, schemas as deep as values may be.
const schemas = [
  { type: "object", properties: { x: { type: "string", pattern: "^(a+)+$" } } },
  { type: "object", properties: { x: { type: "string", pattern: "((a|a)*)*b" } }, patternProperties: { "(x+x+)+y": {} } },
  { $ref: "#" }, { type: "object", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } }, $ref: "#/$defs/a" },
  { $ref: "file:///etc/passwd" }, { $ref: "http://127.0.0.1:9/schema.json" }, { $schema: "http://127.0.0.1:9/x" },
  { type: "object", properties: { x: { enum: new Array(1e5).fill("a") } } },
  { allOf: Array.from({ length: 20 }, () => ({ anyOf: [{ $ref: "#/allOf/0" }, {}] })) },
  { type: "object", properties: { x: { type: "string", minLength: -1, maxLength: 1e400, pattern: "[" } } },
];
const started = Date.now();
for (const parameters of schemas) {
  try {
    const tool = await Tool.create({ name: "schema", description: "d", parameters, execute: () => 1 });
    await tool.execute({ x: "a".repeat(5000) + "!" });
  } catch {}
}
return Date.now() - started < 6000 ? "contained" : "took " + (Date.now() - started);
