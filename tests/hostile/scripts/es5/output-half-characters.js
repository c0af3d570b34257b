// expect: ok
var half = "\ud800\udc00\udfff\ud800\0\x1b[2J\u2028", fields = {};
fields[half] = half;
print(new Array(100).join(half));
stdout.write(half, "\udcff");
console.log(fields, [half], new Error(half));
Logger.error(half, fields);
try { State.set("half", half); } catch (e) {}
return "contained";
