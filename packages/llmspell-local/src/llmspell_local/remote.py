"""Models named by where they lie: `hf:OWNER/REPO/FILE.gguf`, or a URL; what they must be."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from llmspell_core.errors import ProviderError
from llmspell_local.catalogue import CATALOGUE

if TYPE_CHECKING:
    import httpx

HUB = "https://huggingface.co"
_PREFIX = "hf:"
_ON_HUB = re.compile(
    r"hf:(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w.-]+))?(/(?P<file>[\w./-]+))?", re.ASCII
)
_FILE = re.compile(r"[A-Za-z0-9_][\w.-]{0,199}\.gguf", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_SUM = "#sha256="
#: Names that an error lists.
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to fetch. `sha256` is "" when nobody said what it must be."""

    source: str
    url: str
    file_name: str
    sha256: str = ""


def is_remote(name: str) -> bool:
    """Whether a model is named by where it can be fetched."""
    return name.startswith(_PREFIX) or "://" in name


async def find(name: str, hub: str, client: httpx.AsyncClient) -> Remote:
    """What a name means; the hub is asked when it names no file.

    Args:
        name: `hf:OWNER/REPO[@REVISION][/FILE.gguf]` or a URL; `#sha256=HEX` may follow.
        hub: the address of the hub.
        client: what the hub is asked with.

    Raises:
        ProviderError: `provider.invalid_request` for a name that is none.
    """
    source, marked, wanted = name.partition(_SUM)
    if marked and not _HEX.fullmatch(wanted):
        raise _wrong(source, "a SHA-256 is 64 hexadecimal digits")
    if source.startswith(_PREFIX):
        url = await _on_hub(source, hub.rstrip("/"), client)
    else:
        _check_scheme(source, checked=bool(wanted))
        url = source
    file_name = unquote(urlsplit(url).path).rpartition("/")[2]
    if not _FILE.fullmatch(file_name):
        raise _wrong(source, f'"{file_name}" is no name of a .gguf file')
    if file_name.removesuffix(".gguf") in CATALOGUE:
        raise _wrong(source, f'"{file_name}" is what a model of the catalogue is called')
    return Remote(source, url, file_name, wanted.lower())


async def _on_hub(source: str, hub: str, client: httpx.AsyncClient) -> str:
    named = _ON_HUB.fullmatch(source)
    if named is None or ".." in source:
        raise _wrong(source, "it must be hf:OWNER/REPO/FILE.gguf")
    file = named["file"] or await _only_file(named["repo"], source, hub, client)
    revision = named["revision"] or "main"
    return f"{hub}/{named['repo']}/resolve/{revision}/{quote(file)}"


async def _only_file(repo: str, source: str, hub: str, client: httpx.AsyncClient) -> str:
    """The repository's one GGUF file; an error that lists them when there are several."""
    response = await client.get(f"{hub}/api/models/{repo}")
    rows = response.json().get("siblings", ()) if response.is_success else None
    if rows is None:
        raise _wrong(source, f"{hub} answered {response.status_code} about {repo}")
    names = sorted(str(row.get("rfilename")) for row in rows if isinstance(row, dict))
    files = [one for one in names if one.endswith(".gguf")]
    if len(files) == 1:
        return files[0]
    if not files:
        raise _wrong(source, "no .gguf file is in it")
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    raise _wrong(source, f"name one of its files: {', '.join(files[:_SHOWN])}{more}")


def _check_scheme(url: str, *, checked: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _wrong(url, "only http and https addresses are fetched")
    if parts.scheme == "http" and not checked and not _is_loopback(parts.hostname):
        raise _wrong(url, f"over http its SHA-256 must be known: {url}{_SUM}HEX")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wrong(source: str, why: str) -> ProviderError:
    return ProviderError(
        f"the model {source} cannot be fetched: {why}",
        code="provider.invalid_request",
        hint="llmspell models pull hf:OWNER/REPO/FILE.gguf, or a URL of a .gguf file",
    )
