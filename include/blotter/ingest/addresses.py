"""Which addresses may be connected to.

Belongs here: the judgement of one address, and the two settings that say otherwise (`fetch.resolve`,
`fetch.open_hosts`). Does not belong here: requests (`fetch`). The address is judged where a socket is made for it, so
that no name server can say one thing to a check and another to the connection.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from blotter.errors import SettingsError

PRIVATE_MARK = "is no public address"

# Which host and port the running request asks for: a socket is made far below, where only the address is known.
asked_for: ContextVar[tuple[str, int]] = ContextVar("asked_for", default=("", 0))


class PrivateAddress(OSError):
    """A connection to an address that is not on the public internet."""


@dataclass(frozen=True, slots=True)
class _Direction:
    pattern: str
    address: str
    port: int


class AddressBook:
    """The judgement of addresses under the settings."""

    def __init__(self, resolve: Sequence[str], open_hosts: Sequence[str]) -> None:
        self._directions = [_read_direction(text) for text in resolve]
        self._open_hosts = frozenset(host.lower() for host in open_hosts)

    def direct(self, host: str) -> tuple[str, int] | None:
        """Give the address and port that the settings direct a host to; None where they do not."""
        host = host.lower().rstrip(".")
        for direction in self._directions:
            if direction.pattern == host or (
                direction.pattern.startswith("*.") and host.endswith(direction.pattern[1:])
            ):
                return direction.address, direction.port
        return None

    def is_open(self, host: str, port: int) -> bool:
        """Tell whether a host may have a private address."""
        host = host.lower().rstrip(".").strip("[]")
        return self.direct(host) is not None or host in self._open_hosts or f"{host}:{port}" in self._open_hosts

    def make_socket(self, addr_info: tuple[Any, ...]) -> socket.socket:
        """Make the socket for one connection; raises PrivateAddress where it must not be made."""
        family, kind, protocol, _, sockaddr = addr_info
        host, port = asked_for.get()
        if not is_public(sockaddr[0]) and not self.is_open(host, port):
            raise PrivateAddress(f"{host}: {sockaddr[0]} {PRIVATE_MARK}")
        return socket.socket(family=family, type=kind, proto=protocol)


class DirectedResolver(AbstractResolver):
    """Resolves names as the settings say, and through the system where they say nothing."""

    def __init__(self, book: AddressBook, resolver: Callable[[], AbstractResolver] = ThreadedResolver) -> None:
        self._book, self._system = book, resolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give the addresses of a host."""
        directed = self._book.direct(host)
        if directed is None:
            return await self._system.resolve(host, port, family)
        address, directed_port = directed
        is_v6 = ":" in address
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=directed_port,
                family=socket.AF_INET6 if is_v6 else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Let go of the system's resolver."""
        await self._system.close()


@lru_cache(maxsize=10_000)
def is_public(address: str) -> bool:
    """Tell whether an address, IPv4 or IPv6, mapped or tunnelled, is on the public internet."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is None and parsed in _NAT64:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _read_direction(text: str) -> _Direction:
    host, equals, target = text.partition("=")
    address, colon, port = target.rpartition(":")
    address = address.strip("[]")
    try:
        ipaddress.ip_address(address)
        is_valid = bool(equals and colon and host) and 0 < int(port) < 65_536
    except ValueError:
        is_valid = False
    if not is_valid:
        raise SettingsError("fetch.resolve", "host=address:port or *.suffix=address:port", text)
    return _Direction(host.strip().lower(), address, int(port))
