"""The tree of commands: `engarde` and what stands directly below it."""

from typing import Any

import rich_click as click

from engarde_daemon.cli import deferred
from engarde_daemon.cli.archive.command import archive
from engarde_daemon.cli.backup.command import backup, restore_backup
from engarde_daemon.cli.dashboard.command import tui
from engarde_daemon.cli.demo.command import demo
from engarde_daemon.cli.doctor.command import doctor
from engarde_daemon.cli.exits import explained
from engarde_daemon.cli.keys import keys
from engarde_daemon.cli.moving.command import campaign_assets, content_items
from engarde_daemon.cli.options import as_json, configured, examples, reader
from engarde_daemon.cli.output import print_object
from engarde_daemon.cli.recovery.command import migrate_zerodb, restore, verify
from engarde_daemon.cli.retention.command import retention
from engarde_daemon.cli.status.command import status
from engarde_daemon.cli.tenants import tenants
from engarde_daemon.cli.transfer.command import export, import_
from engarde_daemon.config import Settings


class Engarde(click.RichGroup):
    """The group whose commands end in one of our exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a failure that can be explained is."""
        with explained():
            return super().invoke(ctx)


@click.group(cls=Engarde, epilog=examples("engarde run", "engarde doctor"))
@click.version_option(package_name="engarde-daemon", message="engarde %(version)s")
def engarde() -> None:
    """The content daemon of the En Garde platform."""


@engarde.command(
    epilog=examples("engarde run", "engarde run --data-dir /var/lib/engarde --port 9000")
)
@click.option("--host", metavar="ADDRESS", help="Listen on this address.")
@click.option("--port", metavar="PORT", type=int, help="Listen on this TCP port.")
@click.option("--tui", is_flag=True, help="Show the dashboard; the log goes into a file.")
@configured
@click.pass_context
def run(context: click.Context, settings: Settings, *, tui: bool) -> None:
    """Run the daemon until it is told to stop.

    SIGTERM and Ctrl-C let requests under way end; a second signal ends at once. SIGHUP has the
    settings read again.
    """
    run_it = deferred.run_with_dashboard if tui else deferred.run_daemon
    context.exit(run_it(settings, reader(context.params)))


@engarde.group()
def migrate() -> None:
    """Bring stores to the state that this version of the daemon needs, and content into them."""


@migrate.command(
    epilog=examples(
        "engarde migrate schema", "engarde migrate schema --config /etc/engarde/engarde.toml"
    )
)
@as_json
@configured
def schema(settings: Settings, *, as_json: bool) -> None:
    """Create or update the tables in PostgreSQL.

    `engarde run` does it too; this is for those who give the daemon fewer rights than it needs.
    """
    print_object(deferred.migrate_schema(settings), as_json=as_json)


migrate.add_command(campaign_assets)
migrate.add_command(content_items)
migrate.add_command(migrate_zerodb)
restore.add_command(restore_backup)
engarde.add_command(archive)
engarde.add_command(backup)
engarde.add_command(demo)
engarde.add_command(doctor)
engarde.add_command(status)
engarde.add_command(tui)
engarde.add_command(tenants)
engarde.add_command(keys)
engarde.add_command(export)
engarde.add_command(import_)
engarde.add_command(restore)
engarde.add_command(retention)
engarde.add_command(verify)
