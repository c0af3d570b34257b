// expect: script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
try { Array.prototype.map.call({ length: 9007199254740991 }, function () {}); } catch (e) {}
Array.prototype.forEach.call({ length: 9007199254740991 }, function () {});
return Array.prototype.indexOf.call({ length: 4294967295 }, 2);
