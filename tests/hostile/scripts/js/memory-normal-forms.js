// expect: script.memory_limit
// The C function fails without throwing anything.
return "\u1e9b\u0323".repeat(5e6).normalize("NFKD").length;
