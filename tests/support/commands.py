"""Commands of `engarde`, run inside the test's process."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from click.testing import CliRunner, Result

from engarde_daemon.cli.commands import engarde


def run_command(*arguments: str, environ: Mapping[str, str]) -> Result:
    """Run a command in a thread of its own.

    A command has an event loop of its own, which a thread that tests already use for theirs does
    not let it have.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(
            CliRunner().invoke, engarde, list(arguments), env=dict(environ)
        ).result()
