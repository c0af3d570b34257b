// expect: ok
// Whoever reaches `Function` has the globals of the script, and nothing behind them.
const ways = [
  () => Tool.execute.constructor("return this")(), () => console.log.constructor("return this")(),
  () => (async () => {}).constructor("return this")(), () => (function* () {}).constructor("return this")(),
  () => Object.getPrototypeOf(Tool).constructor.constructor("return this")(),
  () => (0, eval)("this"), () => new Function("return globalThis")(),
  () => Reflect.construct(Function, ["return this"])(), () => [].map.constructor("return this")(),
  () => new Proxy(Function, {})("return this")(), () => Array.from.call(Function, ["return this"])(),
];
const names = [
  "require", "module", "exports", "__dirname", "Deno", "Bun", "std", "os", "bjson", "scriptArgs", "load",
  "loadScript", "Worker", "fetch", "XMLHttpRequest", "WebSocket", "SharedArrayBuffer", "Atomics",
  "WebAssembly", "python", "__import__", "llmspell:step", "gc", "quit", "exit", "window", "self",
];
const found = [];
for (const way of ways) {
  let globals;
  try { globals = await way(); } catch { continue; }
  for (const name of names) {
    if (globals?.[name] !== undefined) found.push(name);
  }
}
const hidden = Reflect.ownKeys(globalThis).map(String).filter((name) => /^_|:|llm|host|guest|quickjs/i.test(name));
return found.length + hidden.length === 0 ? "contained" : "reached " + [...found, ...hidden];
