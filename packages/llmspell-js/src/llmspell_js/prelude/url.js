// The class URL.
(function (use) {
  "use strict";
  const { URLSearchParams, percentEncode } = use("search_params");
  const { PORTS, SETS, absolutePath, authority, isSpecial, parse } = use("url_parse");

  function pathOf(url) {
    return url.opaque ?? url.path.map((segment) => "/" + segment).join("");
  }

  function hrefOf(url) {
    let text = url.scheme + ":";
    if (url.host !== null) {
      text += "//";
      if (url.username !== "" || url.password !== "") {
        text += url.username + (url.password === "" ? "" : ":" + url.password) + "@";
      }
      text += url.host + (url.port === "" ? "" : ":" + url.port);
    } else if (url.opaque === null && url.path.length > 1 && url.path[0] === "") {
      text += "/.";
    }
    text += pathOf(url);
    if (url.query !== null) text += "?" + url.query;
    return url.fragment === null ? text : text + "#" + url.fragment;
  }

  function read(text, base) {
    let against = null;
    if (base !== undefined) {
      against = parse(String(base), null);
      if (!against) return null;
    }
    return parse(String(text).toWellFormed(), against);
  }

  class URL {
    #url;
    #params;

    constructor(text, base) {
      this.#url = read(text, base);
      if (!this.#url) throw new TypeError(`"${text}" is not a valid URL`);
    }

    static canParse(text, base) { return read(text, base) !== null; }
    static parse(text, base) { return URL.canParse(text, base) ? new URL(text, base) : null; }

    get href() { return hrefOf(this.#url); }
    set href(text) {
      const found = read(text);
      if (!found) throw new TypeError(`"${text}" is not a valid URL`);
      this.#url = found;
      this.#params = undefined;
    }

    get origin() {
      const { scheme, host, port, opaque } = this.#url;
      if (scheme === "blob" && opaque !== null) {
        const inner = parse(opaque, null);
        return inner && ["http", "https"].includes(inner.scheme) ? new URL(opaque).origin : "null";
      }
      if (!isSpecial(scheme) || scheme === "file") return "null";
      return `${scheme}://${host}${port === "" ? "" : ":" + port}`;
    }

    get protocol() { return this.#url.scheme + ":"; }
    set protocol(text) {
      const found = /^([a-zA-Z][a-zA-Z0-9+\-.]*)(:|$)/.exec(String(text));
      const url = this.#url, scheme = found?.[1].toLowerCase();
      if (!found || isSpecial(scheme) !== isSpecial(url.scheme)) return;
      const bound = url.username !== "" || url.password !== "" || url.port !== "";
      if ((scheme === "file" && bound) || (url.scheme === "file" && url.host === "")) return;
      url.scheme = scheme;
      if (url.port === PORTS[scheme]) url.port = "";
    }

    get #hasNoAuthority() {
      return this.#url.host === null || this.#url.host === "" || this.#url.scheme === "file";
    }

    get username() { return this.#url.username; }
    set username(text) {
      if (!this.#hasNoAuthority) this.#url.username = percentEncode(String(text), SETS.userinfo);
    }

    get password() { return this.#url.password; }
    set password(text) {
      if (!this.#hasNoAuthority) this.#url.password = percentEncode(String(text), SETS.userinfo);
    }

    get host() {
      const { host, port } = this.#url;
      return host === null ? "" : host + (port === "" ? "" : ":" + port);
    }
    set host(text) { this.#setHost(String(text), true); }

    get hostname() { return this.#url.host ?? ""; }
    set hostname(text) { this.#setHost(String(text), false); }

    #setHost(text, withPort) {
      const url = this.#url;
      if (url.opaque !== null) return;
      const end = text.search(isSpecial(url.scheme) ? /[/\\?#]/ : /[/?#]/);
      const found = { ...url };
      const given = end < 0 ? text : text.slice(0, end);
      if (!withPort && /:/.test(given.replace(/^\[.*\]/, ""))) return;
      if (!authority(found, given)) return;
      url.host = found.host;
      if (withPort && /:[0-9]+$/.test(given.replace(/^\[.*\]/, ""))) url.port = found.port;
    }

    get port() { return this.#url.port; }
    set port(text) {
      const url = this.#url;
      if (this.#hasNoAuthority) return;
      if (String(text) === "") url.port = "";
      const digits = /^[0-9]+/.exec(String(text))?.[0];
      if (digits === undefined || Number(digits) > 65535) return;
      const port = String(Number(digits));
      url.port = port === PORTS[url.scheme] ? "" : port;
    }

    get pathname() { return pathOf(this.#url); }
    set pathname(text) {
      const url = this.#url;
      if (url.opaque !== null) return;
      const plain = String(text).replaceAll("?", "%3F").replaceAll("#", "%23");
      const found = absolutePath({ ...url }, plain);
      url.path = found.path;
    }

    get search() { return this.#url.query === null || this.#url.query === "" ? "" : "?" + this.#url.query; }
    set search(text) {
      const query = String(text).replace(/^\?/, "");
      this.#url.query = query === "" ? null
        : percentEncode(query, isSpecial(this.#url.scheme) ? SETS.specialQuery : SETS.query);
      this.#params = undefined;
    }

    get searchParams() {
      return this.#params ??= new URLSearchParams(this.#url.query ?? "", (text) => {
        this.#url.query = text === "" ? null : text;
      });
    }

    get hash() { return this.#url.fragment === null || this.#url.fragment === "" ? "" : "#" + this.#url.fragment; }
    set hash(text) {
      const fragment = String(text).replace(/^#/, "");
      this.#url.fragment = fragment === "" ? null : percentEncode(fragment, SETS.fragment);
    }

    toString() { return this.href; }
    toJSON() { return this.href; }
    get [Symbol.toStringTag]() { return "URL"; }
  }

  return { URL };
})
