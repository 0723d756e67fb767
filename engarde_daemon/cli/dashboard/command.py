"""`engarde tui`: watch a running daemon and steer it."""

import rich_click as click

from engarde_daemon.cli import deferred
from engarde_daemon.cli.options import configured, examples
from engarde_daemon.config import Settings


@click.command(
    epilog=examples("engarde tui", "engarde tui --url https://content.example.com --key $KEY")
)
@click.option("--url", metavar="URL", help="Where the daemon listens.")
@click.option("--key", metavar="KEY", envvar="ENGARDE_KEY", help="An operator's key.")
@click.option("--light", is_flag=True, help="Begin with light colours.")
@configured
def tui(settings: Settings, *, url: str | None, key: str | None, light: bool) -> None:
    """Show the dashboard of a running daemon.

    Without --url and --key it takes what the first start wrote into credentials.json. Leaving it
    changes nothing for the daemon. NO_COLOR is obeyed.
    """
    deferred.show_dashboard(settings, url=url, key=key, light=light)
