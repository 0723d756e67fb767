"""`engarde restore`, `engarde verify` and `engarde migrate zerodb`, as they are typed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import rich_click as click

from engarde_daemon.cli import deferred
from engarde_daemon.cli.options import Words, as_json, configured, examples, reaching
from engarde_daemon.cli.output import note, print_json, print_list
from engarde_daemon.config import Settings
from engarde_daemon.exit_codes import ExitCode

if TYPE_CHECKING:
    from engarde_daemon.api.recovery.schemas import RecoveryJob

_ID = Words(36)
_reaching = reaching("An operator's")


def _scoped(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which versions are meant."""
    tenant = click.option("--tenant", "tenant_id", metavar="TENANT", type=_ID, help="Only this.")
    brand = click.option("--brand", "brand_id", metavar="BRAND", type=_ID, help="Only this.")
    until = click.option(
        "--until", metavar="TIME", help="Only what was written until then (RFC 3339)."
    )
    return tenant(brand(until(command)))


@click.group()
def restore() -> None:
    """Give back what a store has lost."""


@restore.command(
    epilog=examples(
        "engarde restore content",
        "engarde restore content --tenant $TENANT --until 2026-11-22T21:00:00Z --json",
    )
)
@_scoped
@_reaching
@as_json
@configured
@click.pass_context
def content(context: click.Context, /, settings: Settings, *, as_json: bool, **asked: Any) -> None:
    """Put every version back into ZeroDB that it has lost.

    Bodies come from wherever they still are: staged, or in the archive. Writes go on meanwhile. The
    exit code is 1 if something could not be restored; the report names it.
    """
    context.exit(_carry_out(settings, "restore", asked, as_json=as_json))


@restore.command(
    epilog=examples("engarde restore metadata", "engarde restore metadata --data-dir ./new --json")
)
@as_json
@configured
def metadata(settings: Settings, *, as_json: bool) -> None:
    """Make items, versions and usage anew in an empty PostgreSQL, from the archive.

    Stop the daemon first. What the archive does not keep is listed: it cannot be made anew.
    """
    rebuilt = deferred.restore_metadata(settings)
    if as_json:
        print_json(rebuilt)
        return
    for name in ("tenants", "items", "versions", "bytes", "gaps", "damaged"):
        click.echo(f"{name:<8}  {getattr(rebuilt, name)}")
    click.echo("\nNot made anew:")
    for lost in rebuilt.not_rebuilt:
        click.echo(f"  {lost}")


@click.command(
    "verify", epilog=examples("engarde verify", "engarde verify --tenant $TENANT --json")
)
@_scoped
@_reaching
@as_json
@configured
@click.pass_context
def verify(context: click.Context, /, settings: Settings, *, as_json: bool, **asked: Any) -> None:
    """Compare PostgreSQL, ZeroDB and the archive, by count and hash.

    Nothing is changed. The exit code is 1 if there is a difference; the report names each.
    """
    context.exit(_carry_out(settings, "verify", asked, as_json=as_json))


@click.command(
    "zerodb", epilog=examples("engarde migrate zerodb", "engarde migrate zerodb --back --json")
)
@click.option("--back", is_flag=True, help="Go back to the ZeroDB of [zerodb], at once.")
@_reaching
@as_json
@configured
@click.pass_context
def migrate_zerodb(
    context: click.Context, /, settings: Settings, *, back: bool, as_json: bool, **asked: Any
) -> None:
    """Move to the ZeroDB named in [zerodb_next], while writes go on.

    The old one is kept, and read for what is not moved yet. The exit code is 1 if something could
    not be moved; the report names it.
    """
    asked["back"] = back
    context.exit(_carry_out(settings, "migrate", asked, as_json=as_json))


def _carry_out(settings: Settings, order: str, asked: dict[str, Any], *, as_json: bool) -> ExitCode:
    job = deferred.order_recovery(settings, order, **asked)
    print_job(job, as_json=as_json)
    return ExitCode.REFUSED if job.report.differences_total else ExitCode.DONE


def print_job(job: "RecoveryJob", *, as_json: bool) -> None:
    """Print what became of a job."""
    if as_json:
        print_json(job)
        return
    report = job.report
    told = [(f"right in {name}", str(count)) for name, count in report.counts.items()]
    lines = [
        ("job", f"{job.id} ({job.kind}, {job.state})"),
        ("versions looked at", str(report.versions)),
        ("still on their way", str(report.waiting)),
        ("restored", str(report.restored)),
        *told,
        ("differences", str(report.differences_total)),
    ]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        click.echo(f"{name:<{width}}  {value}")
    if report.differences:
        click.echo()
        print_list("differences", list(report.differences), as_json=False)
    if len(report.differences) < report.differences_total:
        note(f"The first {len(report.differences)} of {report.differences_total} are shown.")
