// expect: script.cpu_limit | script.wall_limit
// limits: wall_s = 0.5
const lying = {
  size: 1, has: () => true,
  // No function of the script's is called for an element: the loop is all C.
  keys: () => ({ next: Reflect.get.bind(null, { step: { done: false, value: 1 } }, "step") }),
};
return new Set([1, 2, 3]).union(lying).size;
