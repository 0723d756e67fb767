"""Which URLs and addresses a tenant may make the daemon call: the public internet's.

Owns the rules against server-side request forgery, as pure functions. What is not public is told
by IANA's special-purpose registries (RFC 6890 and its updates), written out here, because the
`ipaddress` module changed its mind about several of them between patch releases.

https://www.iana.org/assignments/iana-ipv4-special-registry
https://www.iana.org/assignments/iana-ipv6-special-registry
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

import httpx
import msgspec

Address: TypeAlias = IPv4Address | IPv6Address

URL_CHARACTERS_MAX = 2048

_PORTS = {"http": 80, "https": 443}

_CLOSED_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, and where clouds tell instances their secrets
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
# Everything that is routed has begun with these three bits so far (RFC 4291).
_GLOBAL_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, among them Teredo, which embeds addresses
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which embeds addresses
            "3fff::/20",  # documentation
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")

# A last label that starts with a digit makes the whole host a number to many resolvers: 127.1,
# 0x7f000001, 017700000001 (WHATWG URL, "ends in a number").
_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_NAME_CHARACTERS_MAX = 253
_INSIDE = ("localhost", "local", "internal", "localdomain", "home.arpa")


class Gate(msgspec.Struct, frozen=True):
    """The rules; `allow_private` lifts those on addresses, names and ports."""

    allow_private: bool = False

    def fault(self, url: str) -> str | None:
        """What is wrong with a URL before anything is resolved, or None."""
        if len(url) > URL_CHARACTERS_MAX:
            return f"must not be longer than {URL_CHARACTERS_MAX} characters"
        if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            return "must be a URL of plain ASCII, with other characters percent-encoded"
        try:
            return self.fault_of(httpx.URL(url))
        except httpx.InvalidURL:
            return "must be a URL such as https://example.com/path"

    def fault_of(self, url: httpx.URL) -> str | None:
        """The same for a URL that was taken apart, such as that of a redirect."""
        if url.scheme not in _PORTS or not url.host:
            return "must be a URL that starts with https:// or http://"
        if url.userinfo:
            return "must not hold a user name or password"
        port = _PORTS[url.scheme] if url.port is None else url.port
        if not self.allow_private and port not in _PORTS.values():
            return "must use port 443 or 80"
        return self._host_fault(url.raw_host.decode("ascii").lower().removesuffix("."))

    def admits(self, address: Address) -> bool:
        """Whether this address may be called."""
        return self.allow_private or is_public(address)

    def _host_fault(self, host: str) -> str | None:
        literal = _literal(host)
        if literal is not None:
            return None if self.admits(literal) else "must not name an address that is not public"
        if _NUMBER.fullmatch(host) or not _is_name(host):
            return "must name a host by its name or by a plain IP address"
        if not self.allow_private and _is_inside(host):
            return "must not name a host of a private network"
        return None


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, also the one it may embed."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _GLOBAL_V6 and not any(address in network for network in _CLOSED_V6)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    labels = host.split(".")
    return len(host) <= _NAME_CHARACTERS_MAX and all(map(_LABEL.fullmatch, labels))


def _is_inside(host: str) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in _INSIDE)
