// expect: script.memory_limit
// Reading a character makes one string of the pieces, which share memory until then.
let text = "x";
for (let i = 0; ; i++) {
  text += text + i;
  text.charCodeAt(i);
}
