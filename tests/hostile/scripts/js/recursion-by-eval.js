// expect: ok
let depth = 0;
globalThis.dive = () => { depth++; return (0, eval)("dive()"); };
try {
  dive();
} catch (error) {
  return error instanceof RangeError && depth > 10 ? "contained" : String(error);
}
