// `require`: CommonJS modules, which the host finds, checks and reads.
//
//   modules.load(name, calling file) -> {name, source}
//
// A module runs once. As the language's users expect, modules that require each other see what
// the other has exported so far; a task that asks for one which another task runs waits for it.
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var compile = use("compile").compile;
  var M = use("scheduler");
  var MODULES = M.wire("modules");

  var records = p.ObjectCreate(null);  // file -> what is known of the module
  var foundAs = p.ObjectCreate(null);  // calling file, NUL, name -> the same

  function fileOf(place) {
    return place === undefined ? null : p.StringSlice(place, 0, p.StringLastIndexOf(place, ":"));
  }

  function located(name, from) {
    var key = (from || "") + "\0" + name, record = foundAs[key];
    if (record) return record;
    var module = M.call(MODULES, "load", from === null ? [name] : [name, from]);
    record = records[module.name];
    if (!record) {
      record = records[module.name] = {
        file: module.name, source: module.source, module: null, runner: null, ended: null,
      };
    }
    foundAs[key] = record;
    return record;
  }

  function isJson(record) { return p.RegExpExec(/\.json$/, record.file) !== null; }

  function run(record) {
    var module = { exports: {}, id: record.file, filename: record.file };
    record.module = module;
    record.runner = M.current;
    record.ended = M.promise();
    record.ended.seen = true;
    try {
      if (isJson(record)) {
        module.exports = p.JSONParse(record.source);
      } else {
        compile(record.source, record.file, "exports, require, module")
          .call(module.exports, module.exports, requireFrom(record.file), module);
      }
    } catch (e) {
      record.module = null;
      throw e;
    } finally {
      record.runner = null;
      M.settle(record.ended, true, undefined);
    }
    return module.exports;
  }

  function requireFrom(file) {
    return function (name) { return load(name, file); };
  }

  function load(name, from) {
    if (typeof name !== "string") errors.fail("input.invalid", "require takes the name of a module");
    if (name === "llmspell") return p.globals;
    if (!use("options").modules) {
      errors.fail("module.denied", 'require("' + name + '"): no modules are loaded here');
    }
    var record = located(name, from);
    if (record.module === null) return run(record);
    if (record.runner !== null && record.runner !== M.current) M.await(record.ended);
    return record.module === null ? run(record) : record.module.exports;
  }

  return {
    require: function (name) { return load(name, fileOf(use("stacks").where())); },
  };
})
