// `METHODS` and `JUNK` stand before it.
const wrong = [];
let calls = 0;
async function attempt(what, call) {
  calls++;
  try {
    const made = call();
    await Promise.race([made, Async.sleep(500)]);
  } catch (e) {
    const text = String(e && e.message);
    if (!e || !e.code || e.code === "internal" || /pydantic|Traceback|Error:/.test(text)) {
      wrong.push(what + ": " + (e && e.code) + " " + text);
    }
  }
}
