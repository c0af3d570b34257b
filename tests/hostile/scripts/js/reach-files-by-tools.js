// expect: ok
// limits: wall_s = 8
// Paths that leave what the profile allows, by links, dots, odd characters, devices.
const paths = [
  "/etc/passwd", "//etc//passwd", "/etc/../etc/passwd", "../../../../../../../../etc/passwd", "~/.ssh/id_rsa",
  "/proc/self/environ", "/proc/self/root/etc/passwd", "/proc/1/environ", "/dev/zero", "/dev/stdin",
  "file:///etc/passwd", "/etc/passwd\0.txt", "\\\\?\\C:\\Windows\\win.ini", "/etc/./passwd", "/sys/kernel/version",
];
const reached = [];
for (const path of paths) {
  for (const operation of ["read", "read_lines", "copy", "stat"]) {
    try {
      const given = await Tool.execute("file-operations", { operation, path, input: path, target_path: "x" });
      reached.push(operation + " " + path + ": " + String(given.text).slice(0, 40));
    } catch {}
  }
}
for (const call of ["open", "read", "lines"]) {
  if (globalThis.io?.[call]) reached.push("io." + call);
}
return reached.length === 0 ? "contained" : reached.join("\n");
