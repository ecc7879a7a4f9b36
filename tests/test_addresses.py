"""Which addresses a callback may reach: public ones, in whatever form, and those that are named."""

import ipaddress
import socket
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Forbidden, InvalidInput
from contracts.settings import Settings
from jobs.addresses import LONGEST_URL, NAT64, Reachable, checked

INNER = (
    *("127.0.0.1", "127.1", "0.0.0.0", "10.0.0.1", "100.64.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1"),
    *("224.0.0.1", "255.255.255.255", "2130706433", "017700000001", "0177.0.0.1", "0x7f.1", "0", "localhost"),
    *("::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe"),
    *("::7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::"),
)


@pytest.mark.parametrize("host", INNER)
async def test_what_is_not_public_is_refused(host: str) -> None:
    with pytest.raises(Forbidden):
        await Reachable([]).addresses(host)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
async def test_what_is_public_is_reached(address: str) -> None:
    assert await Reachable([]).addresses(address) == [address]


@pytest.mark.parametrize("named", ["Localhost", ipaddress.ip_network("127.0.0.1/32")])
async def test_what_is_named_is_reached(named: Any) -> None:
    reachable = Reachable([named, ipaddress.ip_network("::1")])
    assert "127.0.0.1" in await reachable.addresses("localhost")
    with pytest.raises(Forbidden):
        await reachable.addresses("127.0.0.2")


async def test_a_host_that_does_not_exist_is_no_refusal() -> None:
    with pytest.raises(socket.gaierror):
        await Reachable([]).addresses("no..body")


@given(st.ip_addresses(v=4))
def test_an_address_in_other_clothes_is_the_same(address: ipaddress.IPv4Address) -> None:
    reachable, number = Reachable([]), int(address)
    mapped, translated = (ipaddress.IPv6Address(number + base) for base in (0xFFFF << 32, int(NAT64.network_address)))
    assert reachable._allows(mapped) == reachable._allows(translated) == reachable._allows(address)
    assert not reachable._allows(address) or address.is_global


def test_what_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROUPE_CALLBACK_HOSTS", '["10.0.0.0/8", "::1", "hooks.internal"]')
    named = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"), "hooks.internal"]
    assert Settings().callback_hosts == named


@pytest.mark.parametrize("named", ["10.0.0.1/8", "10.0.0.0/99", "http://hooks.internal", "a b", ""])
def test_what_names_nothing_is_refused(named: str) -> None:
    with pytest.raises(ValueError, match="callback_hosts"):
        Settings(callback_hosts=[named])


@pytest.mark.parametrize("url", ["https://example.com/hook?a=b", "http://例子.com:8080/", "HTTP://[2606:4700::1]#x"])
def test_urls_are_taken(url: str) -> None:
    assert checked(url)


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://example.com/", "example.com/hook", "//example.com/", "http://", "http:///x", "http://a b/", "", "x"),
        *("https://u:p@example.com/", "http://example.com\\@h/", "http://[v1.x]/", "http://[fe80::1%25eth0]/"),
        *("http://h:0/", "http://h:99999/", "http://h:x/", "http://0177.0.0.1/", "http://h/\0", "http://１.0.0.1/"),
        "http://h/" + "x" * (LONGEST_URL - 8),
    ],
)
def test_odd_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        checked(url)
    assert refusal.value.param == "callback_url"


@given(st.text())
def test_any_text_is_taken_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"https://h{text}"):
        with suppress(InvalidInput):
            assert checked(url).raw_host
