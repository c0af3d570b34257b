// expect: value.cycle
var list = [];
list.push({ list: list });
return list;
