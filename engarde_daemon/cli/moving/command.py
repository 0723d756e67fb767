"""`engarde migrate campaign-assets` and `engarde migrate content-items`, as they are typed."""

import rich_click as click

from engarde_daemon.cli import deferred
from engarde_daemon.cli.options import as_json, configured, examples
from engarde_daemon.cli.output import note, print_object
from engarde_daemon.config import Settings
from engarde_daemon.exit_codes import ExitCode

_dry_run = click.option("--dry-run", is_flag=True, help="Look and count, and change nothing.")
_FAILED = "Some rows could not be moved; `reasons` says why. Mend them and repeat the command."


@click.command(
    "campaign-assets",
    epilog=examples(
        "engarde migrate campaign-assets --dry-run", "engarde migrate campaign-assets --json"
    ),
)
@_dry_run
@as_json
@configured
@click.pass_context
def campaign_assets(
    context: click.Context, settings: Settings, *, dry_run: bool, as_json: bool
) -> None:
    """Make content of the platform's campaign assets, which stay as they are.

    Works while the daemon serves, and goes on where it was cut off. What became content before is
    left alone. The exit code is 1 if there are rows that could not be moved.
    """
    told = deferred.move_assets(settings, dry_run=dry_run)
    print_object(told, as_json=as_json)
    _end(context, failed=told.failed)


@click.command(
    "content-items",
    epilog=examples(
        "engarde migrate content-items --dry-run",
        "engarde migrate content-items",
        "engarde migrate content-items --clear-source",
    ),
)
@_dry_run
@click.option(
    "--clear-source",
    is_flag=True,
    help="Remove old texts whose new ones ZeroDB has proved to hold.",
)
@as_json
@configured
@click.pass_context
def content_items(
    context: click.Context,
    settings: Settings,
    *,
    dry_run: bool,
    clear_source: bool,
    as_json: bool,
) -> None:
    """Move the bodies of the platform's content items in, and count them.

    Works while the daemon serves, and goes on where it was cut off. Ids and times stay. The exit
    code is 1 if there are rows that could not be moved.
    """
    told = deferred.move_items(settings, dry_run=dry_run, clear_source=clear_source)
    print_object(told, as_json=as_json)
    _end(context, failed=told.failed)


def _end(context: click.Context, *, failed: int) -> None:
    if failed:
        note(_FAILED)
        context.exit(ExitCode.REFUSED)
