// expect: script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
const text = "x".repeat(5000) + "!";
for (;;) {
  try {
    text.replace(/(x+x+)+y|(?:x*)*z|(?=(x+)+w)/g, "");
    text.match(/(.*)\1(.*)\2[^!]$/);
  } catch {}
}
