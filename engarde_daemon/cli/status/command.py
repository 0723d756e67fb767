"""The command, and the one screen that it prints."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import rich_click as click

from engarde_daemon.cli import deferred
from engarde_daemon.cli.options import as_json, configured, examples
from engarde_daemon.cli.output import print_json
from engarde_daemon.config import Settings
from engarde_daemon.exit_codes import ExitCode

if TYPE_CHECKING:
    from engarde_daemon.cli.status.work import DaemonStanding, Holdings, Overview

_MB = 1024**2


@click.command(epilog=examples("engarde status", "engarde status --json"))
@as_json
@configured
@click.pass_context
def status(context: click.Context, settings: Settings, *, as_json: bool) -> None:
    """Show how the daemon and its content stand, on one screen.

    It works while the daemon runs and while it does not. The exit code is 0 if the daemon is ready,
    and 1 if it is not or does not run.
    """
    overview = deferred.look_at(settings)
    if as_json:
        print_json(overview)
    else:
        for name, text in _lines(overview):
            click.echo(f"{name:<12} {text}")
    context.exit(ExitCode.DONE if overview.daemon.is_ready else ExitCode.REFUSED)


def _lines(overview: "Overview") -> Iterator[tuple[str, str]]:
    yield from _of_daemon(overview.daemon)
    if overview.content is None:
        yield "PostgreSQL", str(overview.fault)
        return
    yield from _of_content(overview.content)
    yield "safety", str(overview.risk)


def _of_daemon(daemon: "DaemonStanding") -> Iterator[tuple[str, str]]:
    if not daemon.runs:
        yield "daemon", f"does not run on {daemon.base_url}"
        return
    ready = "ready" if daemon.unready is None else f"not ready: {daemon.unready}"
    yield "daemon", f"{ready}; version {daemon.version} on {daemon.base_url}"
    stuck = f", stuck: {', '.join(daemon.stuck)}" if daemon.stuck else ""
    yield "actors", f"{daemon.actors}, restarted {daemon.restarts} times{stuck}"
    yield "ZeroDB", daemon.zerodb or "unknown"
    yield "archive", daemon.archive or "unknown"


def _of_content(held: "Holdings") -> Iterator[tuple[str, str]]:
    yield "PostgreSQL", held.postgres
    yield "content", f"{held.items} items of {held.tenants} tenants, {held.bytes / _MB:.1f} MB"
    waiting = (
        f"{held.waiting_zerodb} for ZeroDB, {held.waiting_archive} for the archive, "
        f"{held.waiting_search} for search"
    )
    age = f"; the oldest for {held.oldest_age_s:.0f} s" if held.oldest_age_s else ""
    yield "waiting", f"{waiting}; {held.staged_bytes / _MB:.1f} MB staged{age}"
    yield "jobs", f"{held.generation_jobs} of generation, {held.recovery_jobs} of recovery"
