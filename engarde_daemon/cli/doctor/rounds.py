"""The order of the checks: from what everything stands on to what stands on it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import asyncpg

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.cli import database
from engarde_daemon.cli.doctor import files, host, oddities, process, stores, zerodb
from engarde_daemon.cli.doctor.archive import check_archive
from engarde_daemon.cli.doctor.findings import Finding, State
from engarde_daemon.cli.doctor.media import check_media
from engarde_daemon.cli.exits import CannotStartError
from engarde_daemon.config import Settings
from engarde_daemon.domain.errors import EngardeError

Check: TypeAlias = Callable[[stores.Examination], Awaitable[Finding]]

_CHECKS: tuple[Check, ...] = (
    stores.check_isolation,
    stores.check_quota,
    stores.check_delivery,
    stores.check_replication,
)


async def examine(settings: Settings, config: Path | None) -> list[Finding]:
    """Make every check that can be made; `config` is the file that the settings came from."""
    findings = [
        await oddities.check_settings(settings),
        await process.check_program(settings),
        await process.check_daemon(settings),
        await host.check_data_directory(settings),
        await files.check_files(settings, config),
    ]
    try:
        with translated():
            await _examine_database(settings, findings)
    except (CannotStartError, EngardeError, asyncpg.PostgresError) as error:
        findings.append(Finding("PostgreSQL", State.FAULT, str(error)[:300]))
    findings += [finding async for finding in zerodb.check_zerodb(settings)]
    findings.append(await check_archive(settings))
    findings.append(await check_media(settings))
    return findings


async def _examine_database(settings: Settings, findings: list[Finding]) -> None:
    if not database.is_made(settings):
        seen = "embedded, not made yet: the first `engarde run` makes it"
        findings.append(Finding("PostgreSQL", State.OK, seen))
        return
    async with database.reachable(settings) as dsn_as:
        async with database.connection(dsn_as, settings.postgres) as link:
            findings.append(await stores.check_server(link, settings))
            findings.append(await stores.check_clock(link))
            findings.append(await stores.check_migrations(link))
        if findings[-1].state is State.FAULT:
            return
        async with Sessions(dsn_as, database.LONG) as sessions:
            examined = stores.Examination(settings, sessions)
            findings += [await check(examined) for check in _CHECKS]
