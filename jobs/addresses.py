"""Where a callback may go. Its URL is a caller's: it could name what only this machine can reach."""

import asyncio
import re
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from contracts.errors import Forbidden, InvalidInput

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
LONGEST_URL = 2_048
HOST = re.compile(rb"[0-9a-z._:-]+")
UNICAST = IPv6Network("2000::/3")  # all that is given out of IPv6; `is_global` says yes to much of the rest
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
LOOKUPS = 64  # at once: one goes on for a while when its try has been given up


def checked(url: str) -> httpx.URL:
    """The URL, if a callback may have it; where it leads is looked at whenever it is called."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise InvalidInput("不是有效的网址", param="callback_url") from None
    if parsed.scheme not in ("http", "https"):
        raise InvalidInput("应以 http:// 或 https:// 开头", param="callback_url")
    if parsed.userinfo:
        raise InvalidInput("网址不能含有用户名或密码", param="callback_url")
    if len(url) > LONGEST_URL or not HOST.fullmatch(parsed.raw_host) or parsed.port not in (None, *range(1, 65_536)):
        raise InvalidInput("不是有效的网址", param="callback_url")
    return parsed


class Reachable:
    """Public addresses, and those that are named: host names as they stand in URLs, and networks."""

    def __init__(self, named: Iterable[Network | str]) -> None:
        named = list(named)
        self._names = {each.lower() for each in named if isinstance(each, str)}
        self._networks = [each for each in named if not isinstance(each, str)]
        self._resolvers = ThreadPoolExecutor(LOOKUPS, "resolver")  # a slow name server holds up nothing else

    async def addresses(self, host: str) -> list[str]:
        """A host's addresses, the best first. `Forbidden` if one may not be reached, `OSError` if there are none."""
        found = await asyncio.get_running_loop().run_in_executor(self._resolvers, _resolved, host)
        if host not in self._names and not all(self._allows(ip_address(address)) for address in found):
            raise Forbidden(f"{host} is not a public address.")
        return found

    def _allows(self, address: Address) -> bool:
        meant = _meant(address)
        return _is_public(meant) or any(meant in network for network in self._networks)


def _resolved(host: str) -> list[str]:
    """As the system does, which also reads addresses in odd forms: 2130706433, 0x7f.1."""
    found = socket.getaddrinfo(host.encode(), None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[4][0]) for place in found))


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, if it does; else itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    return address.is_global and (address in UNICAST or (address.version == 4 and not address.is_multicast))
