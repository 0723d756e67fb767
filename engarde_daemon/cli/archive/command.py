"""`engarde archive`, as it is typed."""

import rich_click as click

from engarde_daemon.cli import deferred
from engarde_daemon.cli.archive.printing import print_csv, print_table
from engarde_daemon.cli.options import as_json, configured, examples
from engarde_daemon.cli.output import print_json, print_list, print_object
from engarde_daemon.config import Settings

PARKED_SHOWN = 100


@click.group()
def archive() -> None:
    """Ask the archive, and look after what travels to it."""


@archive.command(
    epilog=examples(
        'engarde archive query "select status, count(*) from content_current group by status"',
        'engarde archive query "from content_snapshots" --csv',
    )
)
@click.argument("sql", metavar="SQL")
@click.option("--csv", "as_csv", is_flag=True, help="Print the rows as CSV as they come.")
@as_json
@configured
def query(settings: Settings, sql: str, *, as_csv: bool, as_json: bool) -> None:
    """Answer one SELECT over the files of the embedded archive.

    It reads content_snapshots, content_media_snapshots and content_analytics; content_current is the
    newest version of each content, content_analytics_current the newest revision of each figure. The
    daemon may run meanwhile. Times are UTC.
    """
    answer = deferred.ask_archive(settings, sql)
    if as_json:
        print_json({"rows": list(answer.rows)})
    elif as_csv:
        print_csv(answer)
    else:
        print_table(answer)


@archive.command(epilog=examples("engarde archive status", "engarde archive status --json"))
@as_json
@configured
def status(settings: Settings, *, as_json: bool) -> None:
    """Show what waits for the archive, and what it refused."""
    print_object(deferred.archive_status(settings), as_json=as_json)


@archive.command(epilog=examples("engarde archive parked", "engarde archive parked --json"))
@as_json
@configured
def parked(settings: Settings, *, as_json: bool) -> None:
    """List the rows that the archive refused last, with its reasons."""
    found = deferred.replication(settings, lambda book: book.parked(PARKED_SHOWN))
    print_list("parked", found, as_json=as_json)


@archive.command(epilog=examples("engarde archive retry"))
@as_json
@configured
def retry(settings: Settings, *, as_json: bool) -> None:
    """Have everything sent again that the archive refused."""
    versions = deferred.replication(settings, lambda book: book.retry_parked())
    print_object({"versions": versions}, as_json=as_json)


@archive.command(epilog=examples("engarde archive backfill"))
@as_json
@configured
def backfill(settings: Settings, *, as_json: bool) -> None:
    """Have every version sent again, for an archive that is new or was lost.

    Rows that are there already are repeated; the views and all readers tell a repeated row once.
    """
    versions = deferred.replication(settings, lambda book: book.backfill())
    print_object({"versions": versions}, as_json=as_json)
