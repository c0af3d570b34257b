// expect: ok
// Text that is no text: halves of pairs, zeros, escapes of terminals.
const half = "\ud800\udc00\udfff\ud800\0\x1b[2J\u2028";
print(half.repeat(1000));
stdout.write(half, "\udcff");
console.log({ [half]: half }, [half], Symbol(half), new Error(half));
Logger.error(half, { [half]: half });
const sent = await State.set("half", half).then(() => State.get("half"), () => half);
return typeof sent === "string" ? "contained" : typeof sent;
