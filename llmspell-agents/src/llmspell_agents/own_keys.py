"""Which address a key is for: one that was stored is not sent to an address chosen later."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from llmspell_core.errors import LLMSpellError, ProviderError

#: The endings of names that no public service has.
_LOCAL_NAMES = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
_LOCAL_KINDS = frozenset({"loopback", "private", "link_local", "shared"})


def key_stays(below: Mapping[str, Any], above: Mapping[str, Any], given: Collection[str]) -> bool:
    """Whether the `api_key` of some fields may be used with what others make of them.

    Args:
        below: the fields that the key belongs to
        above: the fields as they are changed
        given: the names of those that were changed

    A key is for one address: another `base_url`, and without one another provider, needs its own.
    """
    if "api_key" in given or not below.get("api_key"):
        return True
    before, after = below.get("base_url"), above.get("base_url")
    if before or after:
        return bool(before == after)
    return _provider(below) == _provider(above)


def _provider(fields: Mapping[str, Any]) -> tuple[str, str]:
    """The provider that the fields mean, or the name that decides which one it is."""
    choice = fields.get("model")
    given = getattr(choice, "id", choice) or ""
    own = getattr(choice, "provider", None) or fields.get("provider") or ""
    if own:
        return str(own), ""
    head, slash, _ = str(given).partition("/")
    return (head, "") if slash else ("", str(given))


def require_key(base_url: str, api_key: str | None, provider: str) -> None:
    """Raise `provider.not_configured` when an address of an agent's own has no key with it.

    The stored key of the provider is for its own address. On this machine and its network
    services mostly want none.
    """
    if api_key or is_local(base_url):
        return
    raise ProviderError(
        f'base_url is another address than that of the provider "{provider}", and has no key',
        code="provider.not_configured",
        hint="give api_key beside base_url: a stored key is never sent to another address",
    )


def is_local(url: str) -> bool:
    """Whether an address is of this machine or its network, by how it is written."""
    from llmspell_core.security.addresses import canonical_host, kind_of

    try:
        host = canonical_host(urlsplit(url).hostname or "")
    except (LLMSpellError, ValueError):
        return False
    if not isinstance(host, str):
        return kind_of(host) in _LOCAL_KINDS
    return "." not in host or host.endswith(_LOCAL_NAMES)
