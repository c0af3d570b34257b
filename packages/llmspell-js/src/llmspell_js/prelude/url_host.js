// Hosts of URLs: domains, IPv4 and IPv6 addresses, and the ports and ends of what is none of them.
(function (use) {
  "use strict";
  const { percentDecode, percentEncode } = use("search_params");

  const isControl = (char) => char <= "\x1f" || char > "~";
  const FORBIDDEN = /[\0\t\n\r #/:<>?@[\\\]^|]/;
  const FORBIDDEN_DOMAIN = /[\0-\x20"#%/:<>?@[\\\]^`{|}\x7f]/;

  // IPv4 ------------------------------------------------------------------------------------------

  function number(part) {
    if (part === "") return NaN;
    if (/^0[xX]/.test(part)) return /^0[xX][0-9a-fA-F]*$/.test(part) ? parseInt(part.slice(2) || "0", 16) : NaN;
    if (/^0[0-7]*$/.test(part)) return parseInt(part, 8);
    return /^[0-9]+$/.test(part) ? Number(part) : NaN;
  }

  function endsInNumber(domain) {
    const parts = domain.split(".");
    if (parts.at(-1) === "" && parts.length > 1) parts.pop();
    const last = parts.at(-1);
    return /^[0-9]+$/.test(last) || !Number.isNaN(number(last));
  }

  // The address as text, or null.
  function ipv4(domain) {
    const parts = domain.split(".");
    if (parts.at(-1) === "" && parts.length > 1) parts.pop();
    if (parts.length > 4) return null;
    const numbers = parts.map(number);
    if (numbers.some(Number.isNaN) || numbers.slice(0, -1).some((one) => one > 255)) return null;
    const last = numbers.pop();
    if (last >= 256 ** (4 - numbers.length)) return null;
    let whole = last;
    numbers.forEach((one, i) => { whole += one * 256 ** (3 - i); });
    return [24, 16, 8, 0].map((shift) => Math.floor(whole / 2 ** shift) % 256).join(".");
  }

  // IPv6 ------------------------------------------------------------------------------------------

  function groups(text) {
    if (text === "") return [];
    const parts = text.split(":");
    const tail = parts.at(-1);
    if (tail.includes(".")) {
      const bytes = tail.split(".");
      if (bytes.length !== 4 || bytes.some((one) => !/^(0|[1-9][0-9]{0,2})$/.test(one) || one > 255)) return null;
      const [a, b, c, d] = bytes.map(Number);
      parts.splice(-1, 1, (a * 256 + b).toString(16), (c * 256 + d).toString(16));
    }
    return parts.every((one) => /^[0-9a-fA-F]{1,4}$/.test(one)) ? parts.map((one) => parseInt(one, 16)) : null;
  }

  function ipv6(text) {
    const halves = text.split("::");
    if (halves.length > 2) return null;
    const head = groups(halves[0]), tail = halves.length === 2 ? groups(halves[1]) : [];
    if (!head || !tail) return null;
    const missing = 8 - head.length - tail.length;
    if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
    return shown([...head, ...new Array(missing).fill(0), ...tail]);
  }

  // The longest run of zeros, when it has two or more, is written as `::`.
  function shown(address) {
    let best = -1, most = 1;
    for (let i = 0; i < 8; i++) {
      let length = 0;
      while (i + length < 8 && address[i + length] === 0) length++;
      if (length > most) {
        best = i;
        most = length;
      }
    }
    const hex = (list) => list.map((one) => one.toString(16)).join(":");
    return best < 0 ? hex(address) : hex(address.slice(0, best)) + "::" + hex(address.slice(best + most));
  }

  // domains ---------------------------------------------------------------------------------------

  // RFC 3492.
  function punycode(label) {
    const points = Array.from(label, (char) => char.codePointAt(0));
    let out = points.filter((one) => one < 128).map((one) => String.fromCharCode(one)).join("");
    const basic = out.length;
    if (basic > 0) out += "-";
    let n = 128, delta = 0, bias = 72, handled = basic;
    while (handled < points.length) {
      const next = Math.min(...points.filter((one) => one >= n));
      delta += (next - n) * (handled + 1);
      n = next;
      for (const point of points) {
        if (point < n) delta++;
        if (point !== n) continue;
        out += digits(delta, bias);
        bias = adapted(delta, handled + 1, handled === basic);
        delta = 0;
        handled++;
      }
      delta++;
      n++;
    }
    return out;
  }

  const digit = (value) => String.fromCharCode(value < 26 ? value + 97 : value + 22);

  function digits(delta, bias) {
    let out = "", q = delta;
    for (let k = 36; ; k += 36) {
      const t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
      if (q < t) return out + digit(q);
      out += digit(t + (q - t) % (36 - t));
      q = Math.floor((q - t) / (36 - t));
    }
  }

  function adapted(delta, points, first) {
    let left = first ? Math.floor(delta / 700) : delta >> 1, k = 0;
    left += Math.floor(left / points);
    for (; left > 455; k += 36) left = Math.floor(left / 35);
    return k + Math.floor(36 * left / (left + 38));
  }

  function toAscii(domain) {
    const plain = domain.normalize("NFKC").toLowerCase().normalize("NFC")
      .replace(/[\u3002\uff0e\uff61]/g, ".").replaceAll("\u00ad", "").replaceAll("\u200b", "");
    return plain.split(".").map((label) => (/^[\0-\x7f]*$/.test(label) ? label : "xn--" + punycode(label))).join(".");
  }

  // A host as URLs write it, or null when it is none.
  function parseHost(text, special) {
    if (text.startsWith("[")) {
      const address = text.endsWith("]") ? ipv6(text.slice(1, -1)) : null;
      return address === null ? null : `[${address}]`;
    }
    if (!special) return FORBIDDEN.test(text) ? null : percentEncode(text, isControl);
    const domain = toAscii(percentDecode(text));
    if (domain === "" || FORBIDDEN_DOMAIN.test(domain)) return null;
    return endsInNumber(domain) ? ipv4(domain) : domain;
  }

  return { isControl, parseHost };
})
