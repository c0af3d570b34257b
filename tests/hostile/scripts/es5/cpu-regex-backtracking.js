// expect: script.cpu_limit | script.wall_limit
// The engine gives up after so many steps, by an error; it is made to try again.
var text = new Array(5000).join("a") + "!";
for (;;) {
  try { /^(a+)+$/.test(text); } catch (e) {}
  try { text.replace(/((a*)*)*b/g, ""); } catch (e) {}
}
