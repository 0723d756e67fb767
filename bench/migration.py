"""`python -m bench migration`: what a platform already has, content and campaign assets, moves in.

The commands are the ones that an operator types, beside a daemon that serves and carries off what
they move. Each runs twice; the second must change nothing. `--count` is the number of content
items; there is a campaign asset to every four of them, and texts are of 2 KB.
"""

import json
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import msgspec

from bench.asking import asked, read
from bench.errors import BenchError
from bench.provision import database_of, make_tenants
from bench.server import Server
from bench.systems import ENGARDE, SYSTEMS
from bench.targets import Verdict, at_least
from bench.tenants import Tenant
from bench.workplace import workplace

ITEMS = 200_000
ITEMS_TO_AN_ASSET = 4
TEXT_BYTES = 2_048
ITEMS_PER_S = 2_000.0
COMMAND_LIMIT_S = 7_200.0
DELIVERY_LIMIT_S = 7_200.0
_LOOK_S = 1.0

Say = Callable[[str], None]

_ITEMS = """
    insert into public.content_items (id, tenant_id, brand_id, user_id, title, content_body, content_type, status)
    select gen_random_uuid()::text, $1, $2, $3, 'Item ' || n, rpad('Text ' || n || ' ', $5, md5(n::text)),
        'post', 'published'
    from generate_series(1, $4::integer) n
"""
_SPACE = """
    insert into public.campaign_spaces (id, tenant_id, brand_id, user_id, campaign_name, platform, import_source)
    values ($1, $2, $3, $4, 'Bench', 'meta', 'platform_api')
"""
_ASSETS = """
    insert into public.campaign_assets (
        id, campaign_space_id, tenant_id, user_id, asset_name, asset_type, headline_text, ad_copy_text)
    select gen_random_uuid()::text, $1, $2, $3, 'Asset ' || n, 'ad_copy', 'Headline ' || n, 'Copy ' || n
    from generate_series(1, $4::integer) n
"""
_WAITING = "select count(*) from engarde.outbox"


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What a command told, and how long it took."""

    told: dict[str, Any]
    seconds: float

    @property
    def per_second(self) -> float:
        """Rows a second, the start of the command included."""
        return float(self.told["migrated"]) / self.seconds

    def shown(self) -> str:
        """The rate in words."""
        return f"{self.told['migrated']:,} in {self.seconds:.1f} s: {self.per_second:,.0f}/s"


def run(count: int | None, say: Say) -> list[Verdict]:
    """Measure all of it."""
    items = count or ITEMS
    assets = items // ITEMS_TO_AN_ASSET
    with workplace() as place:
        server = SYSTEMS["engarde"].server(place.path)
        server.start()
        place.running.callback(server.stop)
        (tenant,) = anyio.run(make_tenants, server.data_dir, 1)
        say(f"writing {items:,} items and {assets:,} assets as the platform does ...")
        anyio.run(partial(_fill, server.data_dir, tenant, items=items, assets=assets))
        verdicts = []
        for what, rows in (("content-items", items), ("campaign-assets", assets)):
            say(f"moving {rows:,} {what} ...")
            verdicts += _moved_twice(server, what, rows)
        say("waiting until everything is delivered ...")
        anyio.run(_until_delivered, server.data_dir)
        total = _total(server.port, tenant)
        say("verifying ...")
        return [*verdicts, _served(total, items + assets), _verified(server)]


def _moved_twice(server: Server, what: str, rows: int) -> list[Verdict]:
    first, again = _move(server, what), _move(server, what)
    if first.told["migrated"] != rows or first.told["failed"]:
        raise BenchError(f"not everything was moved: {first.told}")
    return [
        at_least(f"{what} moved a second", first.per_second, ITEMS_PER_S, told=first.shown()),
        Verdict(
            promise=f"{what} moved again: nothing changes",
            measured=f"{again.told['migrated']:,} moved, {again.told['failed']:,} failed",
            is_kept=again.told["migrated"] == again.told["failed"] == 0,
        ),
    ]


def _move(server: Server, what: str) -> Moved:
    began = time.perf_counter()
    told = _command(server, "migrate", what, "--json")
    return Moved(told=told, seconds=time.perf_counter() - began)


def _verified(server: Server) -> Verdict:
    key = json.loads((server.data_dir / "credentials.json").read_text())["operator_key"]
    url = f"http://127.0.0.1:{server.port}"
    told = _command(server, "verify", "--url", url, "--key", key, "--json")
    report = told["report"]
    return Verdict(
        promise="`engarde verify` finds no difference",
        measured=f"{report['versions']:,} versions, {report['differences_total']:,} differences",
        is_kept=report["versions"] > 0 == report["differences_total"],
    )


def _command(server: Server, *arguments: str) -> dict[str, Any]:
    command = [ENGARDE, *arguments, "--data-dir", str(server.data_dir)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False
    )
    if not done.stdout:  # a command that found fault says so on its output, and by its code
        raise BenchError(f"`engarde {' '.join(arguments)}` failed: {done.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _served(total: int, expected: int) -> Verdict:
    return Verdict(
        promise="everything is served", measured=f"{total:,} items", is_kept=total == expected
    )


def _total(port: int, tenant: Tenant) -> int:
    with asked(port, tenant, "/api/content?pageSize=1") as answer:
        return int(json.loads(read(answer, 200))["pagination"]["total"])


async def _fill(data_dir: Path, tenant: Tenant, *, items: int, assets: int) -> None:
    owner = (tenant.tenant_id, tenant.brand_id, tenant.user_id)
    async with database_of(data_dir) as sql:
        await sql.execute(_ITEMS, *owner, items, TEXT_BYTES)
        await sql.execute(_SPACE, "bench", *owner)
        await sql.execute(_ASSETS, "bench", tenant.tenant_id, tenant.user_id, assets)
        await sql.execute("analyze public.content_items, public.campaign_assets")


async def _until_delivered(data_dir: Path) -> None:
    async with database_of(data_dir) as sql:
        with anyio.fail_after(DELIVERY_LIMIT_S):
            while await sql.fetchval(_WAITING):
                await anyio.sleep(_LOOK_S)
