"""What the processes of the references share: arguments, PostgreSQL, uvicorn, a clean end."""

import argparse
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import msgspec
import uvicorn

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres

POOL_SIZE = 16


class Arguments(msgspec.Struct, frozen=True, kw_only=True):
    """How the harness starts a reference."""

    data_dir: Path
    port: int
    tenants: int


def parse_arguments(description: str) -> Arguments:
    """Read the command line of a reference."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tenants", type=int, default=1)
    return Arguments(**vars(parser.parse_args()))


@asynccontextmanager
async def database(data_dir: Path) -> AsyncIterator[asyncpg.Pool]:
    """Start a durable PostgreSQL under `data_dir` and open the pool."""
    server = EmbeddedPostgres(data_dir / "postgres")
    async with server, asyncpg.create_pool(server.dsn(), min_size=1, max_size=POOL_SIZE) as pool:
        yield pool


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which end the process before PostgreSQL is stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: Any, port: int) -> None:
    """Serve `app` on one worker until SIGTERM or SIGINT."""
    server = _Server(
        uvicorn.Config(
            app,
            port=port,
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=3,
        )
    )
    async with anyio.create_task_group() as group:
        group.start_soon(_stop_on_signal, server)
        await server.serve()
        group.cancel_scope.cancel()


async def _stop_on_signal(server: uvicorn.Server) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            server.should_exit = True


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a reference on uvloop."""
    anyio.run(main, backend="asyncio", backend_options={"use_uvloop": True})
