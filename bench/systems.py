"""The systems of a run: how each is started, and how it gets its tenants."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import anyio
import msgspec

from bench.cases import TENANTS
from bench.ports import free_port
from bench.provision import make_tenants
from bench.server import Server
from bench.tenants import Tenant, read_tenants


class System(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of server: the command that starts it, and where its tenants come from."""

    name: str
    command: list[str]
    provision: Callable[[Path, int], list[Tenant]]

    def server(self, work_dir: Path, *, environ: Mapping[str, str] | None = None) -> Server:
        """A server of this kind with a data directory of its own, not yet started."""
        port = free_port()
        data_dir = work_dir / self.name
        data_dir.mkdir()
        places = ["--data-dir", str(data_dir), "--port", str(port)]
        return Server(
            self.name, [*self.command, *places], data_dir=data_dir, port=port, environ=environ or {}
        )


def _made_by_operator(data_dir: Path, count: int) -> list[Tenant]:
    return anyio.run(make_tenants, data_dir, count)


def _named_by_reference(data_dir: Path, count: int) -> list[Tenant]:
    return read_tenants(data_dir)[:count]


def _reference(name: str) -> System:
    command = [sys.executable, "-m", f"bench.references.{name}", "--tenants", str(TENANTS)]
    return System(name=name, command=command, provision=_named_by_reference)


ENGARDE = str(Path(sys.executable).with_name("engarde"))
SYSTEMS = {
    "engarde": System(
        name="engarde",
        command=[ENGARDE, "run"],
        provision=_made_by_operator,
    ),
    "ceiling": _reference("ceiling"),
    "naive": _reference("naive"),
    "grouped": _reference("grouped"),
}
USUAL = ("engarde", "ceiling", "naive")
"""What a run measures unless it is told otherwise."""
