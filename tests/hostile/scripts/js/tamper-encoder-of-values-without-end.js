// expect: limit.value_size | script.memory_limit
// Encoding a part of itself must not make the size that was counted be forgotten.
const part = { toJSON() { JSON.encode(1); return "x".repeat(1e5); } };
await State.set("parts", Array.from({ length: 3e3 }, () => part));
return await State.exists("parts");
