// URLSearchParams, and percent-encoding as URLs have it.
(function (use) {
  "use strict";
  const { TextDecoder, encode } = use("encoding");
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const HEX = /^[0-9A-Fa-f]{2}$/;

  // The text with the bytes of those characters written as %XX that `must` names.
  function percentEncode(text, must) {
    let out = "";
    for (const char of text.toWellFormed()) {
      if (!must(char)) {
        out += char;
        continue;
      }
      for (const byte of encode(char)) out += "%" + byte.toString(16).toUpperCase().padStart(2, "0");
    }
    return out;
  }

  function percentDecode(text) {
    if (!text.includes("%")) return text;
    const bytes = [];
    const source = encode(text);
    for (let i = 0; i < source.length; i++) {
      const pair = String.fromCharCode(source[i + 1] ?? 0, source[i + 2] ?? 0);
      if (source[i] === 37 && HEX.test(pair)) {
        bytes.push(parseInt(pair, 16));
        i += 2;
      } else {
        bytes.push(source[i]);
      }
    }
    return decoder.decode(new Uint8Array(bytes));
  }

  const inForm = (char) => !/[A-Za-z0-9*\-._ ]/.test(char);
  const formEncode = (text) => percentEncode(text, inForm).replaceAll(" ", "+");
  const formDecode = (text) => percentDecode(text.replaceAll("+", " "));

  function parsed(text) {
    const list = [];
    for (const part of text.split("&")) {
      if (part === "") continue;
      const at = part.indexOf("=");
      list.push(at < 0 ? [formDecode(part), ""] : [formDecode(part.slice(0, at)), formDecode(part.slice(at + 1))]);
    }
    return list;
  }

  function given(init) {
    if (init === undefined || init === null) return [];
    if (typeof init !== "object") return parsed(String(init).replace(/^\?/, ""));
    if (typeof init[Symbol.iterator] !== "function") {
      return Object.keys(init).map((name) => [name, String(init[name])]);
    }
    return Array.from(init, (pair) => {
      const list = [...pair];
      if (list.length !== 2) throw new TypeError("URLSearchParams takes pairs of a name and a value");
      return list.map((one) => String(one).toWellFormed());
    });
  }

  class URLSearchParams {
    #list;
    #changed;

    // `changed` is for URL alone: it is told the new text.
    constructor(init, changed) {
      this.#list = given(init);
      this.#changed = typeof changed === "function" ? changed : () => undefined;
    }

    get size() { return this.#list.length; }

    append(name, value) {
      this.#list.push([String(name), String(value)]);
      this.#changed(this.toString());
    }

    delete(name, value) {
      this.#list = this.#list.filter((one) => one[0] !== String(name) || (value !== undefined && one[1] !== String(value)));
      this.#changed(this.toString());
    }

    get(name) { return this.#list.find((one) => one[0] === String(name))?.[1] ?? null; }
    getAll(name) { return this.#list.filter((one) => one[0] === String(name)).map((one) => one[1]); }

    has(name, value) {
      return this.#list.some((one) => one[0] === String(name) && (value === undefined || one[1] === String(value)));
    }

    set(name, value) {
      const first = this.#list.find((one) => one[0] === String(name));
      if (!first) return this.append(name, value);
      first[1] = String(value);
      this.#list = this.#list.filter((one) => one === first || one[0] !== first[0]);
      return this.#changed(this.toString());
    }

    sort() {
      this.#list.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      this.#changed(this.toString());
    }

    forEach(run, self) {
      for (const [name, value] of this.#list) run.call(self, value, name, this);
    }

    * entries() { for (const [name, value] of this.#list) yield [name, value]; }
    * keys() { for (const [name] of this.#list) yield name; }
    * values() { for (const [, value] of this.#list) yield value; }
    [Symbol.iterator]() { return this.entries(); }
    get [Symbol.toStringTag]() { return "URLSearchParams"; }

    toString() {
      return this.#list.map(([name, value]) => formEncode(name) + "=" + formEncode(value)).join("&");
    }
  }

  return { URLSearchParams, percentDecode, percentEncode };
})
