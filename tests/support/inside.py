"""Where no URL of a tenant may lead: the one table for everything that the daemon fetches.

Media downloads, webhooks and models' endpoints are tried with every line of it, at the edge where
they have one, and again where they are called, for a name can change its mind.
"""

INSIDE_ADDRESSES = (
    "0.0.0.0",  # noqa: S104 - not bound
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "2001::1",
    "2002:7f00:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
)
"""Each as a name server may give it."""

INSIDE_URLS = (
    *(f"http://[{one}]/x" if ":" in one else f"http://{one}/x" for one in INSIDE_ADDRESSES),
    # Numbers that resolvers take for addresses.
    "http://2130706433/x",
    "http://0x7f000001/x",
    "http://0x7f.1/x",
    "http://017700000001/x",
    "http://127.1/x",
    "http://0/x",
    "http://127.0.0.1./x",
    # Names of this machine and of the network around it.
    "http://localhost/x",
    "http://LOCALHOST./x",
    "http://db.localhost/x",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://printer.local/x",
    "http://router.home.arpa/x",
    # Other ways to say something else than one reads.
    "http://example.com@127.0.0.1/x",
    "http://user:password@example.com/x",
    "http://example.com:8080/x",
    "http://example.com:22/x",
    "https://example.com:5432/x",
    "http://127.0.0.1\\@example.com/x",
    "http://exam\tple.com/x",
    "http://example.com/\r\nHost: inside",
    "http://①②⑦.0.0.1/x",
    # Other schemes.
    "file:///etc/passwd",
    "gopher://example.com/x",
    "ftp://example.com/x",
    "data:text/plain,x",
    "unix:/run/postgres",
    "//example.com/x",
    "example.com",
    "",
)
"""Each as a tenant may give it."""
