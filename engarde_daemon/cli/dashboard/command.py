"""`engarde tui`: watch a running daemon and steer it."""

import rich_click as click
from click import Context, get_current_context
from click.core import ParameterSource

from engarde_daemon.cli import deferred
from engarde_daemon.cli.options import configured, examples, reaching
from engarde_daemon.config import Settings


class Listening(click.ParamType[str]):
    """HOST:PORT, where browsers find the dashboard."""

    name = "host:port"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what nobody can listen on."""
        host, _, port = value.rpartition(":")
        if not host or not (port.isdecimal() and int(port) < 65_536):
            self.fail(f"{value!r} is not HOST:PORT, like 127.0.0.1:8701", param, ctx)
        return value


@click.command(
    epilog=examples(
        "engarde tui",
        "engarde tui --url https://content.example.com --key $KEY",
        "engarde tui --web --listen 127.0.0.1:8701",
    )
)
@reaching("An operator's")
@click.option("--light", is_flag=True, help="Begin with light colours.")
@click.option("--web", is_flag=True, help="Serve it to browsers; each visitor shows a key there.")
@click.option(
    "--listen", metavar="HOST:PORT", type=Listening(), default="127.0.0.1:8701", show_default=True,
    help="Where --web listens.",
)  # fmt: skip
@configured
def tui(
    settings: Settings, *, url: str | None, key: str | None, light: bool, web: bool, listen: str
) -> None:
    """Show the dashboard of a running daemon.

    Without --url and --key it takes what the first start wrote into credentials.json. Leaving it
    changes nothing for the daemon. NO_COLOR is obeyed.
    """
    if web:
        _refuse_key(get_current_context())
        deferred.serve_dashboard(settings, url=url, listen=listen, light=light)
    else:
        deferred.show_dashboard(settings, url=url, key=key, light=light)


def _refuse_key(context: Context) -> None:
    """Refuse a key that nobody would be asked for; that of the environment is for other commands."""
    if context.get_parameter_source("key") is ParameterSource.COMMANDLINE:
        raise click.UsageError(
            "--web takes no --key: each visitor shows a key of their own in the browser."
        )
