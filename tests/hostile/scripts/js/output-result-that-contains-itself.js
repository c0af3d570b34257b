// expect: value.cycle
const list = [];
list.push({ list });
return list;
