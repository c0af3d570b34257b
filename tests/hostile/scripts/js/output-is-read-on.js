// expect: ok
// Beyond the limit of what is kept nothing more is kept; below it all of it is.
for (let i = 0; i < 500; i++) console.error("e".repeat(1000) + i);
stdout.write();
return "contained";
