from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from llmspell_core.errors import PolicyError, ValidationError
from llmspell_core.security.net import HostRule, NetGate, NetworkError, split_port
from llmspell_core.security.profile import NetworkMode, NetworkPolicy, SecurityProfile

NAMES = {
    "public.example": ["93.184.216.34"],
    "two.example": ["93.184.216.34", "2606:4700::1111"],
    "rebound.example": ["127.0.0.1"],
    "half.example": ["93.184.216.34", "10.0.0.5"],
    "mapped.example": ["::ffff:10.0.0.5"],
    "nat64.example": ["64:ff9b::a00:5"],
    "meta.example": ["169.254.169.254"],
    "metadata.google.internal": ["169.254.169.254"],
    "zero.example": ["0.0.0.0"],
    "zone.example": ["fe80::1%eth0"],
    "localhost": ["127.0.0.1", "::1"],
    "db.internal": ["10.0.0.5"],
    "db": ["172.16.3.4"],
    "evil.internal": ["127.0.0.1"],
    "empty.example": [],
}
asked: list[str] = []


async def resolver(host: str, port: int) -> Sequence[str]:
    asked.append(host)
    if host not in NAMES:
        raise OSError(-2, "Name or service not known")
    return NAMES[host]


def gate(*hosts: str, mode: NetworkMode = "public") -> NetGate:
    return NetGate([NetworkPolicy(mode=mode, allowed_hosts=hosts or ("*",))], resolver=resolver)


def reached(net: NetGate, host: str, port: int = 443) -> list[str] | str:
    try:
        return asyncio.run(net.resolve_checked(host, port))
    except (PolicyError, ValidationError, NetworkError) as error:
        return error.code


HOSTILE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.1.",
    "0.0.0.0",
    "0",
    "[::1]",
    "::1",
    "::",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "2852039166",
    "0xA9FEA9FE",
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "localhost",
    "LOCALHOST.",
    "rebound.example",
    "half.example",
    "mapped.example",
    "nat64.example",
    "meta.example",
    "metadata.google.internal",
    "zero.example",
    "zone.example",
    "db.internal",
    "\uff11\uff10.0.0.1",
    "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
]


@pytest.mark.parametrize("host", HOSTILE)
def test_nothing_private_is_reached_when_any_public_host_is_allowed(host: str) -> None:
    assert reached(gate(), host) == "policy.network"


@pytest.mark.parametrize(
    "host", ["user@127.0.0.1", "a#b", "[::1]:80", "fe80::1%eth0", "exa mple", "127.0.0.1/8", "\0"]
)
def test_what_is_no_host_is_not_even_resolved(host: str) -> None:
    asked.clear()
    assert reached(gate(), host) == "network.invalid_host"
    assert asked == []


def test_public_hosts_are_resolved_once_and_all_addresses_are_given() -> None:
    asked.clear()
    assert reached(gate(), "two.example") == ["93.184.216.34", "2606:4700::1111"]
    assert reached(gate(), "TWO.example.") == ["93.184.216.34", "2606:4700::1111"]
    assert asked == ["two.example"] * 2
    assert reached(gate(), "8.8.8.8") == ["8.8.8.8"]


def test_a_name_without_address_is_an_error_of_the_network() -> None:
    assert reached(gate(), "unknown.example") == "network.resolve"
    assert reached(gate(), "empty.example") == "network.resolve"


def test_a_listed_name_allows_that_name_only_and_its_port() -> None:
    net = gate("public.example:8443", mode="listed")
    assert reached(net, "public.example", 8443) == ["93.184.216.34"]
    assert reached(net, "public.example", 443) == "policy.network"
    assert reached(net, "two.example", 8443) == "policy.network"


def test_a_wildcard_covers_subdomains_and_not_lookalikes() -> None:
    net = gate("*.example.com", mode="listed")
    assert net.allows("api.example.com")
    assert net.allows("a.b.EXAMPLE.com.")
    for host in ("example.com", "example.com.evil.net", "badexample.com", "api-example.com"):
        assert not net.allows(host)


def test_listing_a_public_name_does_not_open_the_private_addresses_it_names() -> None:
    net = gate("rebound.example", "half.example", "meta.example", mode="listed")
    for host in ("rebound.example", "half.example", "meta.example"):
        assert reached(net, host) == "policy.network"


def test_naming_a_private_address_or_host_allows_it() -> None:
    assert reached(gate("10.0.0.5", mode="listed"), "10.0.0.5") == ["10.0.0.5"]
    assert reached(gate("10.0.0.0/8"), "10.9.9.9") == ["10.9.9.9"]
    assert reached(gate("127.0.0.1:8080"), "127.1", 8080) == ["127.0.0.1"]
    assert reached(gate("127.0.0.1:8080"), "127.0.0.1", 8081) == "policy.network"
    assert reached(gate("[::1]:80"), "::1", 80) == ["::1"]
    assert reached(gate("localhost"), "localhost") == ["127.0.0.1", "::1"]
    assert reached(gate("db.internal"), "db.internal") == ["10.0.0.5"]
    assert reached(gate("db"), "db") == ["172.16.3.4"]
    assert reached(gate("10.0.0.5"), "::ffff:10.0.0.5") == ["10.0.0.5"]
    assert reached(gate("half.example", "10.0.0.5"), "half.example") == [
        "93.184.216.34",
        "10.0.0.5",
    ]


def test_a_private_name_opens_neither_loopback_nor_metadata() -> None:
    assert reached(gate("evil.internal"), "evil.internal") == "policy.network"
    name = "metadata.google.internal"
    assert reached(gate(name), name) == "policy.network"
    assert reached(gate(name, "169.254.169.254"), name) == ["169.254.169.254"]


def test_every_layer_must_allow() -> None:
    layers = [
        NetworkPolicy(mode="listed", allowed_hosts=("public.example", "10.0.0.5")),
        SecurityProfile.medium().network,
    ]
    net = NetGate(layers, resolver=resolver)
    assert reached(net, "public.example") == ["93.184.216.34"]
    assert reached(net, "two.example") == "policy.network"
    assert reached(net, "10.0.0.5") == "policy.network"


def test_the_modes_none_and_all() -> None:
    assert reached(gate(mode="none"), "public.example") == "policy.network"
    assert reached(gate(mode="all"), "rebound.example") == ["127.0.0.1"]
    assert reached(NetGate([SecurityProfile.high().network]), "8.8.8.8") == "policy.network"
    testing = NetGate([SecurityProfile.testing().network], resolver=resolver)
    assert reached(testing, "localhost") == ["127.0.0.1", "::1"]
    assert reached(testing, "public.example") == "policy.network"


@pytest.mark.parametrize("port", [0, -1, 65536, 10**9])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(ValidationError):
        gate().check_host("public.example", port)


def test_rules_are_read_with_and_without_ports() -> None:
    assert split_port("a:80") == ("a", 80)
    assert split_port("[::1]:80") == ("[::1]", 80)
    assert split_port("::1") == ("::1", None)
    for wrong in ("a:x", "a:0", "a:99999", "a:\u0663"):
        with pytest.raises(ValidationError):
            HostRule.parse(wrong)
    with pytest.raises(ValidationError):
        HostRule.parse("10.0.0.0/99")
