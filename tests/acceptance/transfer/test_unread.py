"""Callers who ask for much and read nothing of it."""

import socket
from collections.abc import AsyncIterator

import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.acceptance.access.conftest import running
from tests.acceptance.content import created
from tests.support.daemon import SharedDaemon
from tests.support.oracle import eventually

ITEMS, BODY = 12, "x" * 900_000


@pytest.fixture(scope="module")
async def hasty(postgres_server: EmbeddedPostgres) -> AsyncIterator[SharedDaemon]:
    """A daemon that has a second's patience with callers."""
    async with running(postgres_server, ENGARDE_SERVER__SEND_STALL_S="1") as daemon:
        yield daemon


@pytest.mark.parametrize("path", ["/api/content/export", "/api/content?include=body&pageSize=100"])
async def test_who_reads_nothing_of_an_answer_frees_the_connection(hasty: SharedDaemon, path: str):
    """Of a stream and of a page alike; and the daemon serves others meanwhile and after."""
    tenant = hasty.new_tenant("enterprise")
    key = hasty.new_key(tenant, "admin").api_key
    async with hasty.caller(key) as http:
        for _ in range(ITEMS):
            await created(http, body=BODY)
        with socket.socket() as idle:
            idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            idle.connect(("127.0.0.1", hasty.process.port))
            idle.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode())
            assert idle.recv(12) == b"HTTP/1.1 200"
            port = idle.getsockname()[1]

            async def is_cut_off() -> bool:
                return not any(c.raddr.port == port for c in hasty.process.connections())

            await eventually(is_cut_off)
        assert (await http.get("/api/content?pageSize=1")).status_code == 200
