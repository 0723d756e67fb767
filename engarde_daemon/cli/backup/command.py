"""`engarde backup` and `engarde restore backup`, as they are typed."""

from pathlib import Path
from typing import Any

import msgspec
import rich_click as click

from engarde_daemon.cli import deferred
from engarde_daemon.cli.options import as_json, configured, examples
from engarde_daemon.cli.output import note, print_json, print_list, print_object
from engarde_daemon.config import Settings
from engarde_daemon.exit_codes import ExitCode

_path = click.argument("path", metavar="PATH", type=click.Path(path_type=Path))


class _Backup(click.RichGroup):
    """A group whose first word may be a path: that is a backup to be made."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command's name before a path."""
        if args and args[0] not in {*self.commands, *self.get_help_option_names(ctx)}:
            args.insert(0, "take")
        return super().parse_args(ctx, args)


@click.group(
    cls=_Backup,
    epilog=examples("engarde backup /backups/monday", "engarde backup verify /backups/monday"),
)
def backup() -> None:
    """Keep the embedded stores in a folder: `engarde backup PATH`.

    PATH must not exist yet. It works while the daemon runs and while it does not.
    """


@backup.command(
    epilog=examples("engarde backup take /backups/monday", "engarde backup take /backups/b --json")
)
@_path
@click.option("--without-keys", is_flag=True, help="Leave out secrets.key and credentials.json.")
@as_json
@configured
def take(settings: Settings, path: Path, *, without_keys: bool, as_json: bool) -> None:
    """Make a backup; the name `take` may be left out.

    It holds everything that was acknowledged before it began. It holds secrets, too: content, hashes
    of keys, and unless told otherwise the key that opens tenants' credentials. Only you can read it.
    """
    print_object(deferred.take_backup(settings, path, with_keys=not without_keys), as_json=as_json)
    if not without_keys:
        note("The backup holds secrets, and the key that opens them: keep it as you keep those.")


@backup.command(epilog=examples("engarde backup verify /backups/monday --json"))
@_path
@as_json
@click.pass_context
def verify(context: click.Context, path: Path, *, as_json: bool) -> None:
    """Read a backup through, and compare each file with the manifest.

    The exit code is 1 if one is not as it was; each is named.
    """
    found = deferred.check_backup(path)
    if as_json:
        print_json(found)
    else:
        told: dict[str, Any] = msgspec.to_builtins(found)
        print_object({**told, "faults": len(found.faults)}, as_json=False)
        if found.faults:
            click.echo()
            print_list("faults", found.faults, as_json=False)
    context.exit(ExitCode.REFUSED if found.faults else ExitCode.DONE)


@click.command(
    "backup", epilog=examples("engarde restore backup /backups/monday --data-dir ./restored")
)
@_path
@as_json
@configured
def restore_backup(settings: Settings, path: Path, *, as_json: bool) -> None:
    """Make a data directory of a backup, in an empty place only.

    Run it as the daemon's user, to whom the directory will belong. The backup is read through first.
    Then start the daemon there; `engarde verify` finds nothing.
    """
    restored = deferred.restore_backup(settings, path)
    if as_json:
        print_json(restored)
        return
    told: dict[str, Any] = msgspec.to_builtins(restored)
    cut_off = ", ".join(f"{count} {name}" for name, count in told.pop("cut_off").items())
    print_object({**told, "newer, cut off": cut_off.replace("_", " ")}, as_json=False)
