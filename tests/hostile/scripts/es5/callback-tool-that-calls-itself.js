// expect: ok
var depth = 0;
var tool = Tool.create({
  name: "mirror", description: "d", parameters: {},
  execute: function () { depth++; return Tool.execute("mirror", {}).output; },
});
Tool.register(tool);
try {
  Tool.execute("mirror", {});
} catch (e) {
  return depth > 5 && depth < 3000 ? "contained" : depth + " deep";
}
return "it ended well, " + depth + " deep";
