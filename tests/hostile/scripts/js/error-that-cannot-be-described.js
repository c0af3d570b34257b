// expect: script.error
throw new Proxy({}, {
  get() { throw this; }, getPrototypeOf() { throw null; }, ownKeys() { throw undefined; },
  has() { throw 1; }, getOwnPropertyDescriptor() { throw 2; },
});
