// expect: ok
// The engine's own modules, a machine's, and files by every spelling.
const names = [
  "std", "os", "bjson", "qjs:std", "qjs:os", "qjs:bjson", "fs", "node:fs", "child_process", "net", "process",
  "/etc/passwd", "file:///etc/passwd", "../../../../etc/passwd", "./spell.js", "http://127.0.0.1/x.js",
  "https://[::1]/x.mjs", "data:text/javascript,export default 1", "llmspell:session", "llmspell:files",
  "llmspell:primordials", "primordials", "", "\0", "constructor", "__proto__", "toString",
];
const reached = [], codes = new Set();
for (const name of names) {
  try {
    await import(name);
    reached.push(name);
  } catch (error) {
    codes.add(error.code);
  }
}
const own = await import("llmspell").catch(() => null);
if (own && Object.keys(own).some((key) => /ask|step|host|link/.test(key))) reached.push("llmspell");
return reached.length === 0 ? "contained" : "reached " + reached;
