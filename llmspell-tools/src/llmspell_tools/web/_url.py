"""The parts of a URL, and what is odd about it. Nothing here reaches the network."""

from __future__ import annotations

import functools
import re
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from llmspell_core.errors import ValidationError
from llmspell_tools._extras import imported

TOOL = "url-analyzer"
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21, "ssh": 22}
_CONTROL = re.compile(r"[\x00-\x20\x7f\\]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_MOST_PARAMS = 1_000
_LONG = 2_048
_SAFE_PATH = "/%:@!$&'()*+,;=~-._"
_SAFE_QUERY = _SAFE_PATH + "?"
MASK = "***"


def analyze(text: str, *, decode_params: bool) -> dict[str, Any]:
    """Everything that the text of a URL says."""
    url = text.strip()
    issues: list[str] = []
    if _CONTROL.search(url):
        issues.append("it has spaces, backslashes or control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return {"url": url, "valid": False, "issues": [*issues, str(error)]}
    if not _SCHEME.match(url) or not parts.scheme:
        issues.append("it has no scheme, like https:")
    found: dict[str, Any] = {"scheme": parts.scheme}
    found.update(_host(parts, port, issues))
    found.update(_path(parts))
    found["query"] = parts.query
    found["params"] = _params(parts.query, issues, decode=decode_params)
    found["fragment"] = parts.fragment
    found["is_secure"] = parts.scheme in ("https", "wss")
    if len(url) > _LONG:
        issues.append(f"it is longer than {_LONG} characters")
    normalized = _normalized(parts, found)
    found["url"] = _masked(url, parts)
    valid = bool(parts.scheme) and not _CONTROL.search(url) and found.pop("_host_fits")
    return {
        "url": found.pop("url"),
        "valid": valid,
        "normalized": normalized if valid else None,
        **found,
        "issues": issues,
    }


def _host(parts: SplitResult, port: int | None, issues: list[str]) -> dict[str, Any]:
    """Who is asked: host, port, and the credentials that nobody should put there."""
    found: dict[str, Any] = {"username": parts.username, "has_password": parts.password is not None}
    if parts.password is not None:
        issues.append("it has a password, which everybody who sees the URL sees")
    elif parts.username is not None:
        issues.append("it has a user name: what stands before the @ is not the host")
    hostless = not parts.netloc and parts.scheme not in _PORTS
    default = _PORTS.get(parts.scheme)
    found |= {"host": None, "port": port if port is not None else default}
    found |= {"is_default_port": port is None or port == default, "origin": None}
    if hostless:
        # mailto:, data: and the like name no host, and may do so.
        return {**found, "_host_fits": True}
    try:
        found.update(_kind(parts.hostname or ""))
    except ValidationError as error:
        issues.append(error.message)
        return {**found, "host": parts.hostname, "_host_fits": False}
    host = f"[{found['host']}]" if ":" in found["host"] else found["host"]
    found["origin"] = f"{parts.scheme}://{host}{'' if found['is_default_port'] else f':{port}'}"
    if found["host_type"] != "domain" and parts.hostname != found["host"]:
        issues.append(f"its host is another spelling of {found['host']}")
    elif found["unicode_host"] != found["host"]:
        issues.append("its host has letters beyond ASCII: others may look the same")
    return {**found, "_host_fits": True}


def _kind(host: str) -> dict[str, Any]:
    """What the host is: an address with its kind, or a name with its parts."""
    from llmspell_core.security.addresses import canonical_host, kind_of, plain

    known = canonical_host(host)
    if not isinstance(known, str):
        kind = "ipv4" if known.version == 4 else "ipv6"  # noqa: PLR2004
        return {
            "host": str(plain(known)),
            "host_type": kind,
            "address_kind": kind_of(known),
            "unicode_host": str(plain(known)),
        }
    found = _extractor().extract_str(known)
    return {
        "host": known,
        "host_type": "domain",
        "unicode_host": _unicode(known),
        "subdomain": found.subdomain or None,
        "domain": found.domain or None,
        "suffix": found.suffix or None,
        "registered_domain": found.top_domain_under_public_suffix or None,
        "is_private_suffix": bool(found.is_private),
    }


@functools.cache
def _extractor() -> Any:
    """The list of public suffixes that the library brings along: never fetched, never cached."""
    library = imported("tldextract", TOOL, "web")
    return library.TLDExtract(
        cache_dir=None, suffix_list_urls=(), include_psl_private_domains=False
    )


def _unicode(host: str) -> str:
    import idna

    try:
        return str(idna.decode(host))
    except (idna.IDNAError, UnicodeError):
        return host


def _path(parts: SplitResult) -> dict[str, Any]:
    segments = [unquote(one, errors="replace") for one in parts.path.split("/") if one]
    last = segments[-1] if segments else ""
    stem, dot, extension = last.rpartition(".")
    return {
        "path": parts.path,
        "path_segments": segments,
        "extension": extension.lower() if dot and stem and extension.isalnum() else None,
    }


def _params(query: str, issues: list[str], *, decode: bool) -> dict[str, Any]:
    """Each field's value, or the list of them where it appears again."""
    pairs = [one.partition("=") for one in query.split("&") if one]
    if len(pairs) > _MOST_PARAMS:
        issues.append(f"it has more than {_MOST_PARAMS} query fields: the others are left out")
    found: dict[str, Any] = {}
    for given_name, _, given_value in pairs[:_MOST_PARAMS]:
        name, value = given_name, given_value
        if decode:
            name, value = (unquote(x.replace("+", " "), errors="replace") for x in (name, value))
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _normalized(parts: SplitResult, found: dict[str, Any]) -> str:
    """One spelling for URLs that mean the same; without fragment and credentials."""
    if found["origin"] is None:
        return parts.geturl()
    path = _resolved(quote(parts.path, safe=_SAFE_PATH)) or "/"
    query = quote(parts.query, safe=_SAFE_QUERY)
    return f"{found['origin']}{path}{'?' * bool(query)}{query}"


def _resolved(path: str) -> str:
    """Without `.` and `..`, as every client sends it."""
    kept: list[str] = []
    pieces = path.split("/")
    for position, piece in enumerate(pieces):
        if piece == "..":
            del kept[max(1, len(kept) - 1) :]
        elif piece != ".":
            kept.append(piece)
        if piece in (".", "..") and position == len(pieces) - 1:
            kept.append("")
    return "/".join(kept)


def _masked(url: str, parts: SplitResult) -> str:
    if not parts.password:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return url.replace(f"{user}@{host}", f"{user.partition(':')[0]}:{MASK}@{host}", 1)
