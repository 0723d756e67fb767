"""Tenants may make the daemon call the public internet and nothing else."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.adapters.http.guard import Gate, is_public

GATE = Gate()

REFUSED = [
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "data:text/plain,x",
    "//example.com/",
    "example.com",
    "http:example.com",
    "http:///path",
    "https://user@example.com/",
    "https://user:word@example.com/",
    "https://:word@example.com/",
    "http://example.com:8080/",
    "https://example.com:22/",
    "https://example.com:0/",
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.0x1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://00000000/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://100.127.255.255/",
    "http://169.254.169.254/latest/",
    "http://169.254.169.254.:80/",
    "http://192.0.0.8/",
    "http://192.0.2.1/",
    "http://192.88.99.1/",
    "http://198.18.0.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[::]/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:7f00:1::]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://a.localhost/",
    "http://printer.local/",
    "http://metadata.google.internal/",
    "http://router.home.arpa/",
    "http://.../",
    "http://a..b/",
    "http://-a.example.com/",
    "http://a-.example.com/",
    "http://exa%6dple.com/",
    "http://example.com\\@127.0.0.1/",
    "http://①②⑦.0.0.1/",
    "http://exämple.com/",
    "http://example.com/\x00",
    "http://[::1",
    "http://example.com:port/",
    "http://example.com:99999/",
]

ADMITTED = [
    "https://example.com",
    "https://example.com/",
    "http://example.com/hook?x=1#y",
    "https://example.com:443/",
    "http://example.com:80/",
    "https://example.com:80/",
    "https://a-b.c_d.example.com./",
    "https://xn--mller-kva.example/",
    "https://1.example.com/",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]/",
    "https://[64:ff9b::808:808]/",
    "https://[::ffff:8.8.8.8]/",
    "https://local.example.com/",
    "https://internal.example.org/",
]


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_not_public_is_refused(url: str):
    """In whichever way it is written."""
    assert GATE.fault(url) is not None


@pytest.mark.parametrize("url", ADMITTED)
def test_what_is_public_is_admitted(url: str):
    """By name or by address."""
    assert GATE.fault(url) is None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/", "http://[::1]:9000/", "http://models.local:11434/v1"]
)
def test_an_operator_can_open_the_gate(url: str):
    """To addresses, names and ports of a private network."""
    assert Gate(allow_private=True).fault(url) is None


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://user@localhost/", "http://0x7f.1/", "http:///x"]
)
def test_an_open_gate_still_wants_a_plain_url(url: str):
    """Other schemes, names of users and riddles have no use."""
    assert Gate(allow_private=True).fault(url) is not None


@pytest.mark.timeout(5)
def test_a_long_riddle_is_refused_at_once():
    """No pattern looks at a name in more than linear time."""
    assert GATE.fault("http://" + "a" * 2000 + "!/") is not None
    assert GATE.fault("http://" + "a." * 900 + "!/") is not None
    assert GATE.fault("https://example.com/" + "x" * 2100) is not None


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_the_same_in_every_disguise(address: IPv4Address):
    """Mapped into IPv6, or embedded for NAT64."""
    mapped = IPv6Address(int(IPv6Address("::ffff:0:0")) | int(address))
    translated = IPv6Address(int(IPv6Address("64:ff9b::")) | int(address))

    assert is_public(mapped) == is_public(translated) == is_public(address)


@given(st.ip_addresses())
def test_nothing_is_public_that_python_knows_not_to_be(address: IPv4Address | IPv6Address):
    """The module of the standard library is less strict in places, and stricter in none."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return
    if is_public(address) and address not in _NAT64:
        assert address.is_global
        assert not address.is_multicast


_NAT64 = ip_network("64:ff9b::/96")


@given(st.ip_addresses())
def test_a_url_is_judged_by_its_address(address: IPv4Address | IPv6Address):
    """So nothing passes as a URL that would be refused when it is resolved."""
    host = f"[{address}]" if address.version == 6 else str(address)

    assert (GATE.fault(f"https://{host}/") is None) == is_public(address)


@given(st.text(max_size=40))
def test_whatever_comes_is_refused_or_names_a_public_host(text: str):
    """Without an error, and never by an address that is not public."""
    url = f"http://{text}"

    if GATE.fault(url) is None:
        host = httpx.URL(url).raw_host.decode().rstrip(".")
        try:
            assert is_public(ip_address(host))
        except ValueError:
            assert not host.rpartition(".")[2].isdigit()
