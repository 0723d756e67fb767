"""`engarde export` and `engarde import`, as they are typed."""

from pathlib import Path

import rich_click as click

from engarde_daemon.cli import deferred
from engarde_daemon.cli.options import Words, as_json, configured, examples, reaching
from engarde_daemon.cli.output import note, print_object
from engarde_daemon.config import Settings
from engarde_daemon.exit_codes import ExitCode

_FILE = click.Path(dir_okay=False, path_type=Path)
_reaching = reaching("An administrator's")


@click.command(
    "export",
    epilog=examples(
        "engarde export content.ndjson",
        "engarde export content.ndjson --url https://content.example.com --brand $BRAND",
    ),
)
@click.argument("file", metavar="FILE", type=_FILE)
@click.option("--resume", is_flag=True, help="Go on with what an earlier export left behind.")
@_reaching
@click.option("--brand", "brand_id", metavar="BRAND", type=Words(36), help="Only this brand.")
@as_json
@configured
def export(
    settings: Settings,
    *,
    file: Path,
    url: str | None,
    key: str | None,
    brand_id: str | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Write all content of a tenant into FILE, a line of JSON each.

    Without --url and --key it is asked of the daemon of this data directory.
    """
    done = deferred.export_content(
        settings, resume=resume, file=file, url=url, key=key, brand_id=brand_id
    )
    print_object(done, as_json=as_json)


@click.command(
    "import",
    epilog=examples(
        "engarde import content.ndjson",
        "engarde import content.ndjson --url https://content.example.com --brand $BRAND --json",
    ),
)
@click.argument("file", metavar="FILE", type=_FILE)
@_reaching
@click.option(
    "--brand",
    "brand_id",
    metavar="BRAND",
    type=Words(36),
    help="Into this brand, whatever brands the lines name.",
)
@as_json
@configured
@click.pass_context
def import_(
    context: click.Context,
    settings: Settings,
    *,
    file: Path,
    url: str | None,
    key: str | None,
    brand_id: str | None,
    as_json: bool,
) -> None:
    """Take in the content of FILE, as `engarde export` writes it.

    Without --url and --key it goes to the daemon of this data directory.

    What was taken in before is left alone, so an import that was cut off is simply repeated. The
    exit code is 1 if there are items that could not be taken in.
    """
    told = deferred.import_content(settings, file=file, url=url, key=key, brand_id=brand_id)
    print_object(told, as_json=as_json)
    if told.checksum == "missing":
        note(f"{file} has no last line of an export: nothing proves that it is whole.")
    context.exit(ExitCode.REFUSED if told.failed else ExitCode.DONE)
