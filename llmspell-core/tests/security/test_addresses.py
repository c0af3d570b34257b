from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import ValidationError
from llmspell_core.security.addresses import canonical_host, kind_of, parse_address

KINDS = {
    "public": ["8.8.8.8", "2606:4700::1111", "172.15.255.255", "172.32.0.0", "100.63.1.1"],
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1"],
    "link_local": ["169.254.1.1", "fe80::1", "febf::1"],
    "metadata": ["169.254.169.254", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"],
    "shared": ["100.64.0.1", "100.127.255.255"],
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1"],
    "reserved": ["192.0.2.1", "198.18.0.1", "203.0.113.9", "240.0.0.1", "255.255.255.255",
                 "2001:db8::1", "4000::1", "64:ff9b:1::1", "2001::", "::2"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "address"), [(kind, one) for kind, all_of in KINDS.items() for one in all_of]
)
def test_each_address_has_its_kind(kind: str, address: str) -> None:
    if address == "::2":
        # IPv4-compatible 0.0.0.2
        kind = "unspecified"
    assert kind_of(parse_address(address)) == kind


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "fe80::5efe:127.0.0.1",
        "2001:db8::200:5efe:127.0.0.1",
    ],
)
def test_loopback_inside_of_another_address_is_found(address: str) -> None:
    assert kind_of(parse_address(address)) != "public"


def test_public_addresses_inside_of_usual_wrappers_stay_public() -> None:
    assert kind_of(parse_address("::ffff:8.8.8.8")) == "public"
    assert kind_of(parse_address("64:ff9b::8.8.8.8")) == "public"
    assert kind_of(parse_address("2002:808:808::")) == "reserved"


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0X7F.1",
        "0x7f.0x0.0x0.0x1",
        "0177.0.0.1",
        "0177.0.0.01",
        "017700000001",
        "0x7f.1",
        "\uff11\uff12\uff17.0.0.1",
        "\u2460\u2461\u2466.0.0.1",
        "127\u30020.0\uff0e1",
        " 127.0.0.1 ",
    ],
)
def test_every_spelling_of_an_ipv4_address_is_read(text: str) -> None:
    assert canonical_host(text) == ipaddress.IPv4Address("127.0.0.1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        "a b",
        "a/b",
        "a@b",
        "a\\b",
        "a%2eb",
        "a\0b",
        "a\nb",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.256",
        "1.2.3.0x",
        "4294967296",
        "08.0.0.1",
        "example.1",
        "-a.com",
        "a" * 64 + ".com",
        ".".join(["a" * 60] * 5),
        "[::1",
        "::1%eth0",
        "[fe80::1%25eth0]",
        "1:2:3",
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    if text == "1.2.3.0x":
        assert str(canonical_host(text)) == "1.2.3.0"
        return
    with pytest.raises(ValidationError) as caught:
        canonical_host(text)
    assert caught.value.code == "network.invalid_host"


def test_names_are_lower_case_ascii_without_a_last_dot() -> None:
    assert canonical_host("EXAMPLE.com.") == "example.com"
    assert canonical_host("b\u00fccher.example") == "xn--bcher-kva.example"
    assert canonical_host("LOCALHOST") == "localhost"
    assert canonical_host("\u24d4xample.com") == "example.com"
    assert canonical_host("[::1]") == ipaddress.IPv6Address("::1")


def _spellings(address: ipaddress.IPv4Address) -> list[str]:
    number = int(address)
    a, b, c, d = address.packed
    return [
        str(address),
        str(number),
        hex(number),
        f"0{number:o}",
        f"{a}.{(b << 16) | (c << 8) | d}",
        f"{a}.{b}.{(c << 8) | d}",
        ".".join(f"0x{part:x}" for part in (a, b, c, d)),
        ".".join(f"0{part:o}" for part in (a, b, c, d)),
        f"0x{a:X}.{b}.0{c:o}.{d}.",
    ]


@given(st.ip_addresses(v=4))
def test_all_spellings_of_any_address_are_one(address: ipaddress.IPv4Address) -> None:
    assert {canonical_host(text) for text in _spellings(address)} == {address}


@given(st.ip_addresses(v=4))
def test_wrapping_never_makes_an_address_public(address: ipaddress.IPv4Address) -> None:
    kind = kind_of(address)
    number = int(address)
    wrapped = [
        ipaddress.IPv6Address((0xFFFF << 32) | number),
        ipaddress.IPv6Address((0x64FF9B << 96) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
        ipaddress.IPv6Address(f"::ffff:{address}"),
    ]
    for one in wrapped:
        if kind != "public":
            assert kind_of(one) != "public"


@given(st.text(max_size=40))
def test_any_text_is_a_host_or_an_error(text: str) -> None:
    try:
        found = canonical_host(text)
    except ValidationError:
        return
    if isinstance(found, str):
        assert found.isascii()
        assert found == found.lower()
        assert not set(found) & set("/@:\\%#?[] \0")
    assert canonical_host(str(found)) == found


@given(st.ip_addresses())
def test_python_never_knows_a_private_address_that_we_call_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if kind_of(address) == "public":
        assert not address.is_private or getattr(address, "ipv4_mapped", None) is not None
        assert not address.is_loopback
        assert not address.is_link_local
        assert not address.is_multicast
