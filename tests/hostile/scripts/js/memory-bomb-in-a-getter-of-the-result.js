// expect: script.memory_limit
// Read when the result is encoded, after the script's last line.
return {
  get value() {
    const list = [];
    for (;;) list.push(new Array(1000).fill(list.length));
  },
};
