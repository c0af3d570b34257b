// expect: ok | script.cpu_limit | script.wall_limit
// limits: wall_s = 8
// Arithmetic on numbers of a million digits, in C: refused by size, or cut off.
let number = 3n, refused = 0;
for (let i = 0; i < 60; i++) {
  try {
    number = number * number;
    refused = 0;
  } catch {
    if (++refused > 20) return "contained";
  }
}
return "a number of " + number.toString(16).length + " digits";
