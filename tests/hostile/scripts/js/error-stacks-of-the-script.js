// expect: ok
// What an error tells of the machine: names of the script, no paths, no prelude.
const found = [];
const look = (error) => found.push(error.stack, error.source, error.message, JSON.stringify(error.details));
Error.prepareStackTrace = (_, frames) => frames;
Error.stackTraceLimit = 1e9;
try { null.x; } catch (e) { look(e); }
try { await Tool.execute("no-such-tool", {}); } catch (e) { look(e); }
try { await Tool.execute("file-operations", { operation: "read", path: "/etc/passwd" }); } catch (e) { look(e); }
try { await State.set("k", () => 1); } catch (e) { look(e); }
try { JSON.encode(Symbol()); } catch (e) { look(e); }
try { Async.spawn(1); } catch (e) { look(e); }
try { await import("os"); } catch (e) { look(e); }
const text = found.join("\n");
const leaks = text.match(/site-packages|\.py\b|Traceback|llmspell:|prelude|\/home\/|\/root\/|\/tmp\//g);
return leaks === null && found.every((one) => typeof one !== "object") ? "contained" : "leaks " + leaks;
