// expect: ok
// The host's objects are as they were, whatever a script does to them.
"use strict";
const tricks = [
  () => { Tool.execute = () => "mine"; }, () => { delete Tool.execute; },
  () => Object.setPrototypeOf(Tool, { execute: () => "mine" }),
  () => { Object.getPrototypeOf(Tool).execute = () => "mine"; },
  () => { Object.getPrototypeOf(Tool).constructor.prototype.execute = () => "mine"; },
  () => { State.get.call = () => "mine"; }, () => Object.defineProperty(Tool, "execute", { value: 1 }),
  () => { Tool.execute.constructor.prototype.call = () => "mine"; },
  () => { Object.getPrototypeOf(Async.sleep(1)).then = () => {}; },
];
let refused = 0;
for (const trick of tricks) {
  try { trick(); } catch { refused++; }
}
const { output } = await Tool.execute("calculator", { input: "6 * 7" });
const result = await Tool.execute("calculator", { input: "1" });
try { Object.getPrototypeOf(result).toString = () => { for (;;); }; } catch { refused++; }
try { Object.getPrototypeOf(result).polluted = 1; } catch { refused++; }
return output === 42 && !("polluted" in (await Tool.execute("calculator", { input: "1" })))
  ? "contained" : "changed, refused " + refused;
