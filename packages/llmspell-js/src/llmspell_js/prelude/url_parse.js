// Reading URLs as browsers do (the URL standard), into records.
(function (use) {
  "use strict";
  const { percentEncode } = use("search_params");
  const { isControl, parseHost } = use("url_host");

  const PORTS = { "http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21", "file": "" };
  const isSpecial = (scheme) => Object.hasOwn(PORTS, scheme);

  const encodeSet = (marks) => (char) => isControl(char) || marks.includes(char);
  const SETS = {
    fragment: encodeSet(' "<>`'), query: encodeSet(' "#<>'), specialQuery: encodeSet(" \"#<>'"),
    path: encodeSet(' "#<>?^`{}'), userinfo: encodeSet(' "#<>?^`{}/:;=@[\\]|'),
  };

  const record = (scheme) => ({
    scheme, username: "", password: "", host: null, port: "", path: [], opaque: null, query: null, fragment: null,
  });

  const isDrive = (text) => /^[a-zA-Z][:|]$/.test(text);
  const startsWithDrive = (text) => /^[a-zA-Z][:|]($|[/\\?#])/.test(text);
  const isDot = (segment) => /^(\.|%2e)$/i.test(segment);
  const isDotDot = (segment) => /^(\.|%2e)(\.|%2e)$/i.test(segment);
  const slashes = (url) => (isSpecial(url.scheme) ? /[/\\]/ : /\//);

  // parts -----------------------------------------------------------------------------------------

  // What comes before the query and the fragment, which are put into the record.
  function cut(url, text) {
    const hash = text.indexOf("#");
    if (hash >= 0) {
      url.fragment = percentEncode(text.slice(hash + 1), SETS.fragment);
      text = text.slice(0, hash);
    }
    const mark = text.indexOf("?");
    if (mark >= 0) {
      url.query = percentEncode(text.slice(mark + 1), isSpecial(url.scheme) ? SETS.specialQuery : SETS.query);
      text = text.slice(0, mark);
    }
    return text;
  }

  function shorten(url) {
    if (url.scheme === "file" && url.path.length === 1 && /^[a-zA-Z]:$/.test(url.path[0])) return;
    url.path.pop();
  }

  // Adds the segments of a path to the record's.
  function addPath(url, text) {
    const segments = text.split(slashes(url));
    segments.forEach((segment, i) => {
      const last = i === segments.length - 1;
      if (isDotDot(segment)) {
        shorten(url);
        if (last) url.path.push("");
      } else if (isDot(segment)) {
        if (last) url.path.push("");
      } else {
        let encoded = percentEncode(segment, SETS.path);
        if (url.scheme === "file" && url.path.length === 0 && isDrive(encoded)) encoded = encoded[0] + ":";
        url.path.push(encoded);
      }
    });
    return url;
  }

  function absolutePath(url, text) {
    const path = cut(url, text);
    url.path = [];
    if (path === "") return isSpecial(url.scheme) ? addPath(url, "") : url;
    return addPath(url, slashes(url).test(path[0]) ? path.slice(1) : path);
  }

  // `host:port` into the record; false when it is none.
  function authority(url, text, host = true) {
    const inBrackets = text.startsWith("[") ? text.indexOf("]") : 0;
    const colon = text.indexOf(":", Math.max(inBrackets, 0));
    const name = colon < 0 ? text : text.slice(0, colon);
    const port = colon < 0 ? "" : text.slice(colon + 1);
    if (host && name === "" && (isSpecial(url.scheme) || port !== "")) return false;
    const found = name === "" ? "" : parseHost(name, isSpecial(url.scheme));
    if (found === null || !/^[0-9]*$/.test(port) || Number(port) > 65535) return false;
    url.host = found;
    url.port = port === "" || String(Number(port)) === PORTS[url.scheme] ? "" : String(Number(port));
    return true;
  }

  function withAuthority(url, text) {
    const end = text.search(isSpecial(url.scheme) ? /[/\\?#]/ : /[/?#]/);
    let host = end < 0 ? text : text.slice(0, end);
    const at = host.lastIndexOf("@");
    if (at >= 0) {
      const [name, ...password] = host.slice(0, at).split(":");
      url.username = percentEncode(name, SETS.userinfo);
      url.password = percentEncode(password.join(":"), SETS.userinfo);
      host = host.slice(at + 1);
      if (host === "") return null;
    }
    if (!authority(url, host)) return null;
    return absolutePath(url, end < 0 ? "" : text.slice(end));
  }

  // file: -----------------------------------------------------------------------------------------

  function file(text, base) {
    const url = record("file");
    url.host = "";
    if (/^[/\\]{2}/.test(text)) return fileHost(url, text.slice(2));
    if (/^[/\\]/.test(text)) {
      if (base) url.host = base.host;
      absolutePath(url, text);
      const drive = base?.path[0];
      if (drive && /^[a-zA-Z]:$/.test(drive) && !/^[a-zA-Z]:$/.test(url.path[0] ?? "")) url.path.unshift(drive);
      return url;
    }
    return base && !startsWithDrive(text) ? against(url, text, base) : absolutePath(url, "/" + text);
  }

  function fileHost(url, text) {
    const end = text.search(/[/\\?#]/);
    const host = end < 0 ? text : text.slice(0, end);
    if (isDrive(host)) return absolutePath(url, "/" + text);
    if (host !== "") {
      const found = parseHost(host, true);
      if (found === null) return null;
      url.host = found === "localhost" ? "" : found;
    }
    return absolutePath(url, end < 0 ? "" : text.slice(end));
  }

  // relative --------------------------------------------------------------------------------------

  // What has neither scheme nor authority nor a leading slash, against a base.
  function against(url, text, base) {
    Object.assign(url, { host: base.host, path: [...base.path], query: base.query });
    if (text === "" || text[0] === "#") {
      cut(url, text);
      return url;
    }
    url.query = null;
    const path = cut(url, text);
    if (path === "") return url;
    shorten(url);
    return addPath(url, path);
  }

  function relative(text, base) {
    const url = record(base.scheme);
    const lead = isSpecial(base.scheme) ? /^[/\\]{2}/ : /^\/\//;
    if (lead.test(text)) return withAuthority(url, isSpecial(base.scheme) ? text.replace(/^[/\\]+/, "") : text.slice(2));
    const { username, password, host, port } = base;
    Object.assign(url, { username, password, host, port });
    return slashes(url).test(text[0] ?? "") ? absolutePath(url, text) : against(url, text, base);
  }

  function withScheme(scheme, text, base) {
    if (scheme === "file") return file(text, base?.scheme === "file" ? base : null);
    const url = record(scheme);
    if (isSpecial(scheme)) {
      if (base?.scheme === scheme && !/^[/\\]{2}/.test(text)) return relative(text, base);
      return withAuthority(url, text.replace(/^[/\\]+/, ""));
    }
    if (text.startsWith("//")) return withAuthority(url, text.slice(2));
    if (text.startsWith("/")) return absolutePath(url, text);
    url.opaque = percentEncode(cut(url, text), isControl);
    return url;
  }

  // The record of a URL, or null; `base` is a record.
  function parse(text, base) {
    text = text.replace(/^[\0-\x20]+|[\0-\x20]+$/g, "").replace(/[\t\n\r]/g, "");
    const found = /^([a-zA-Z][a-zA-Z0-9+\-.]*):/.exec(text);
    if (found) return withScheme(found[1].toLowerCase(), text.slice(found[0].length), base);
    if (!base) return null;
    if (base.opaque !== null) {
      if (text[0] !== "#") return null;
      return { ...base, path: [], fragment: percentEncode(text.slice(1), SETS.fragment) };
    }
    return base.scheme === "file" ? file(text, base) : relative(text, base);
  }

  return { PORTS, SETS, absolutePath, authority, isSpecial, parse };
})
