// expect: ok
// Text that nests deeper than the engine's stack is refused, and it goes on.
const depths = [1e3, 1e5, 2e6];
let refused = 0;
for (const depth of depths) {
  try {
    JSON.parse("[".repeat(depth) + "]".repeat(depth));
  } catch {
    refused++;
  }
}
return refused > 0 && JSON.parse("[1]")[0] === 1 ? "contained" : "refused " + refused;
