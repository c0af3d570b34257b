// expect: ok
// limits: wall_s = 8
// Refused by an error, and it goes on.
var refused = 0, depths = [100, 1e4, 1e5];
for (var i = 0; i < depths.length; i++) {
  try {
    JSON.parse(new Array(depths[i] + 1).join("[") + new Array(depths[i] + 1).join("]"));
  } catch (e) {
    refused++;
  }
}
return refused > 0 && JSON.parse("[1]")[0] === 1 ? "contained" : "refused " + refused;
