"""Single requests of a bench that does not need the load generator."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from bench.errors import BenchError
from bench.tenants import Tenant

TIMEOUT_S = 300.0


@contextmanager
def asked(
    port: int, tenant: Tenant, path: str, *, post: bytes | BinaryIO | None = None
) -> Iterator[http.client.HTTPResponse]:
    """Ask a daemon as a tenant, or send it something; the answer is not read yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        method = "GET" if post is None else "POST"
        connection.request(method, path, post, {"X-API-Key": tenant.api_key})
        yield connection.getresponse()
    finally:
        connection.close()


def read(answer: http.client.HTTPResponse, status: int) -> bytes:
    """The body of an answer.

    Raises:
        BenchError: It is another one than was expected.
    """
    body = answer.read()
    if answer.status != status:
        raise BenchError(f"the daemon answered {answer.status}: {body[:300]!r}")
    return body
