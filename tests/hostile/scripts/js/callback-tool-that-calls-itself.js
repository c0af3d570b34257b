// expect: ok
// Each call is a host call within one: the depth is bounded, or the number of open ones is.
let depth = 0;
const tool = await Tool.create({
  name: "mirror", description: "d", parameters: {},
  async execute() {
    depth++;
    return (await Tool.execute("mirror", {})).output;
  },
});
await Tool.register(tool);
try {
  await Tool.execute("mirror", {});
} catch (error) {
  return depth > 5 && depth < 3000 && error.code ? "contained" : depth + " deep: " + error;
}
return "it ended well, " + depth + " deep";
