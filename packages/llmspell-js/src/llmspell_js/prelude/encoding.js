// TextEncoder and TextDecoder: UTF-8, and for reading also UTF-16LE and Latin-1.
(function (use) {
  "use strict";
  const { ReflectApply, StringFromCharCode, globals } = use("primordials");
  const { decodeURIComponent, escape, unescape, encodeURIComponent, Uint8Array, ArrayBuffer } = globals;
  const CHUNK = 8192;

  function bytesOf(source) {
    if (source === undefined) return new Uint8Array(0);
    if (source instanceof ArrayBuffer) return new Uint8Array(source);
    if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    throw new TypeError("decode takes an ArrayBuffer or a view of one");
  }

  // Each byte as the character of its number.
  function binary(bytes) {
    let text = "";
    for (let i = 0; i < bytes.length; i += CHUNK) {
      text += ReflectApply(StringFromCharCode, undefined, bytes.subarray(i, i + CHUNK));
    }
    return text;
  }

  function encode(text = "") {
    const plain = unescape(encodeURIComponent(String(text).toWellFormed()));
    const bytes = new Uint8Array(plain.length);
    for (let i = 0; i < plain.length; i++) bytes[i] = plain.charCodeAt(i);
    return bytes;
  }

  class TextEncoder {
    get encoding() { return "utf-8"; }
    encode(text) { return encode(text); }
    encodeInto(text, target) {
      let read = 0, written = 0;
      for (const char of String(text)) {
        const bytes = encode(char);
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        written += bytes.length;
        read += char.length;
      }
      return { read, written };
    }
  }

  // UTF-8 -----------------------------------------------------------------------------------------

  // Lead byte -> how many bytes follow, and the bounds of the first of these.
  function shape(lead) {
    if (lead >= 0xc2 && lead <= 0xdf) return [1, 0x80, 0xbf];
    if (lead >= 0xe0 && lead <= 0xef) return [2, lead === 0xe0 ? 0xa0 : 0x80, lead === 0xed ? 0x9f : 0xbf];
    if (lead >= 0xf0 && lead <= 0xf4) return [3, lead === 0xf0 ? 0x90 : 0x80, lead === 0xf4 ? 0x8f : 0xbf];
    return undefined;
  }

  // One sequence at `at`: its code point (-1 when it is none), and where it ends. `cut` says that
  // only its end is missing.
  function sequence(bytes, at) {
    const lead = bytes[at];
    if (lead < 0x80) return { code: lead, end: at + 1 };
    const found = shape(lead);
    if (!found) return { code: -1, end: at + 1 };
    let [more, low, high] = found;
    let code = lead & (0x3f >> more), end = at + 1;
    for (; more > 0; more--, low = 0x80, high = 0xbf) {
      if (end >= bytes.length) return { code: -1, end, cut: true };
      if (bytes[end] < low || bytes[end] > high) return { code: -1, end };
      code = code << 6 | bytes[end++] & 0x3f;
    }
    return { code, end };
  }

  function lenient(bytes, fatal, keep) {
    let text = "", at = 0;
    while (at < bytes.length) {
      const { code, end, cut } = sequence(bytes, at);
      if (cut && keep) return { text, rest: bytes.slice(at) };
      if (code < 0 && fatal) throw new TypeError("the bytes are not valid UTF-8");
      text += code < 0 ? "\ufffd" : String.fromCodePoint(code);
      at = end;
    }
    return { text, rest: undefined };
  }

  function utf8(bytes, fatal, keep) {
    if (!keep) {
      try {
        return { text: decodeURIComponent(escape(binary(bytes))), rest: undefined };
      } catch {
        // Not valid as it is: read it one by one.
      }
    }
    return lenient(bytes, fatal, keep);
  }

  function utf16(bytes, fatal, keep) {
    const odd = bytes.length % 2;
    let text = "";
    for (let i = 0; i + 1 < bytes.length; i += 2) text += StringFromCharCode(bytes[i] | bytes[i + 1] << 8);
    if (odd && !keep) {
      if (fatal) throw new TypeError("the bytes are not valid UTF-16");
      text += "\ufffd";
    }
    return { text: keep ? text : text.toWellFormed(), rest: odd && keep ? bytes.slice(-1) : undefined };
  }

  const READERS = { "utf-8": utf8, "utf-16le": utf16, "windows-1252": (bytes) => ({ text: binary(bytes) }) };
  const LABELS = {
    "utf-8": "utf-8", utf8: "utf-8", "unicode-1-1-utf-8": "utf-8", "utf-16": "utf-16le", "utf-16le": "utf-16le",
    "iso-8859-1": "windows-1252", latin1: "windows-1252", ascii: "windows-1252", "us-ascii": "windows-1252",
  };

  class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    #rest;
    #begun = false;

    constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
      const found = LABELS[String(label).trim().toLowerCase()];
      if (!found) throw new RangeError(`TextDecoder does not know the encoding "${label}"`);
      this.#encoding = found;
      this.#fatal = Boolean(fatal);
      this.#ignoreBOM = Boolean(ignoreBOM);
    }

    get encoding() { return this.#encoding; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBOM; }

    decode(source, { stream = false } = {}) {
      let bytes = bytesOf(source);
      if (this.#rest) {
        const joined = new Uint8Array(this.#rest.length + bytes.length);
        joined.set(this.#rest);
        joined.set(bytes, this.#rest.length);
        bytes = joined;
      }
      const { text, rest } = READERS[this.#encoding](bytes, this.#fatal, stream);
      const first = !this.#begun;
      this.#begun = stream && (this.#begun || text !== "");
      this.#rest = rest;
      return first && !this.#ignoreBOM && text.startsWith("\ufeff") ? text.slice(1) : text;
    }
  }

  return { TextDecoder, TextEncoder, encode };
})
