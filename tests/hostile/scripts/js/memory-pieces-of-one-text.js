// expect: script.memory_limit
// One C function makes all the pieces, and has freed them again when it fails.
return "a,".repeat(1e7).split(",").length;
