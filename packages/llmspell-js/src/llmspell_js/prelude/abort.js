// AbortController and AbortSignal.
(function (use) {
  "use strict";
  const { DOMExceptionC } = use("primordials");
  const { sleep } = use("calls");
  const { guarded, later } = use("scheduler");
  const KEY = {};                      // only here can a signal be made

  class AbortSignal {
    #aborted = false;
    #reason = undefined;
    #listeners = new Map();
    onabort = null;

    constructor(key, hand) {
      if (key !== KEY) throw new TypeError("Illegal constructor");
      hand((reason) => this.#abort(reason));
    }

    static #make() {
      let abort;
      const signal = new AbortSignal(KEY, (found) => { abort = found; });
      return { signal, abort };
    }

    static create(key) {
      if (key !== KEY) throw new TypeError("Illegal call");
      return AbortSignal.#make();
    }

    static abort(reason) {
      const { signal, abort } = AbortSignal.#make();
      abort(reason);
      return signal;
    }

    static timeout(ms) {
      const { signal, abort } = AbortSignal.#make();
      sleep(Math.max(0, Number(ms) || 0), () => later(null,
        () => abort(new DOMExceptionC("the operation timed out", "TimeoutError"))), true);
      return signal;
    }

    static any(signals) {
      const { signal, abort } = AbortSignal.#make();
      for (const one of signals) {
        if (one.aborted) {
          abort(one.reason);
          break;
        }
        one.addEventListener("abort", () => abort(one.reason), { once: true });
      }
      return signal;
    }

    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    get [Symbol.toStringTag]() { return "AbortSignal"; }

    throwIfAborted() {
      if (this.#aborted) throw this.#reason;
    }

    addEventListener(type, listener, options) {
      if (type === "abort" && listener && !this.#listeners.has(listener)) {
        this.#listeners.set(listener, Boolean(options?.once));
      }
    }

    removeEventListener(type, listener) {
      if (type === "abort") this.#listeners.delete(listener);
    }

    dispatchEvent(event) {
      for (const [listener, once] of [...this.#listeners]) {
        if (once) this.#listeners.delete(listener);
        guarded(() => (typeof listener === "function" ? listener.call(this, event) : listener.handleEvent(event)));
      }
      return true;
    }

    #abort(reason) {
      if (this.#aborted) return;
      this.#aborted = true;
      this.#reason = reason === undefined
        ? new DOMExceptionC("the operation was aborted", "AbortError") : reason;
      const event = { type: "abort", target: this, currentTarget: this };
      if (typeof this.onabort === "function") guarded(() => this.onabort(event));
      this.dispatchEvent(event);
    }
  }

  const { create } = AbortSignal;
  delete AbortSignal.create;

  class AbortController {
    #made = create(KEY);
    get signal() { return this.#made.signal; }
    abort(reason) { this.#made.abort(reason); }
    get [Symbol.toStringTag]() { return "AbortController"; }
  }

  return { AbortController, AbortSignal };
})
