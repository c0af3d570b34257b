// expect: script.wall_limit | script.cpu_limit | script.host_calls_limit
// limits: cpu_s = 0.2
const agent = await Agent.new({ name: "a" });
for (;;) {
  for await (const chunk of agent.stream("go")) Logger.info(chunk.type, chunk);
}
