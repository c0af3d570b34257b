// expect: ok
// limits: wall_s = 8
var values = [null, undefined, 0, NaN, "", "text", Symbol("s"), function () {}, [], {}, Object.create(null),
  new Proxy({}, {}), { get stack() { throw 1; } }, { get message() { throw null; } }];
var wrong = [];
values.forEach(function (value) {
  var tool = Tool.create({
    name: "thrower", description: "d", parameters: {}, execute: function () { throw value; },
  });
  try {
    tool.execute({});
    wrong.push(typeof value);
  } catch (e) {
    if (typeof e.message !== "string") wrong.push(typeof value);
  }
});
return wrong.length === 0 ? "contained" : "no error for " + wrong;
