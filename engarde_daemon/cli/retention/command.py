"""`engarde retention`, as it is typed."""

import rich_click as click

from engarde_daemon.cli import deferred
from engarde_daemon.cli.options import as_json, configured, examples
from engarde_daemon.cli.output import print_list, print_object
from engarde_daemon.config import Settings


@click.command(
    epilog=examples("engarde retention --dry-run", "engarde retention", "engarde retention --json")
)
@click.option("--dry-run", is_flag=True, help="Tell what would go, and change nothing.")
@as_json
@configured
def retention(settings: Settings, *, dry_run: bool, as_json: bool) -> None:
    """Forget what is past its plan's retention_days: the daemon does it by and by, this at once.

    Trashed items, old versions, and media files that nothing needs; never live content, nor what it
    shows. Works while the daemon serves, which then removes the bytes from the stores.
    """
    if dry_run:
        print_list("expired", deferred.expired(settings), as_json=as_json)
    else:
        print_object(deferred.expire(settings), as_json=as_json)
