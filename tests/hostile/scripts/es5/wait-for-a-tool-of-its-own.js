// expect: script.wall_limit
// limits: wall_s = 0.5
var tool = Tool.create({
  name: "t", description: "d", parameters: {}, execute: function () { for (;;) Async.sleep(1e9); },
});
tool.execute({});
