"""The command and how it shows what it found."""

from pathlib import Path

import rich_click as click

from engarde_daemon.cli import deferred
from engarde_daemon.cli.doctor.findings import Finding, State
from engarde_daemon.cli.options import as_json, examples, located, read_settings, settings_file
from engarde_daemon.cli.output import print_json
from engarde_daemon.config import ConfigurationError
from engarde_daemon.exit_codes import ExitCode

_COLORS = {State.OK: "green", State.WARNING: "yellow", State.FAULT: "red"}


@click.command(epilog=examples("engarde doctor --data-dir ./data", "engarde doctor --json"))
@as_json
@located
@click.pass_context
def doctor(
    context: click.Context, config: Path | None, data_dir: str | None, *, as_json: bool
) -> None:
    """Check everything the daemon needs, and say what to do where it is not in order.

    It changes nothing, and works while the daemon runs and while it does not. The exit code is 1
    if there is a fault.
    """
    findings = _findings(config, data_dir)
    healthy = all(finding.state is not State.FAULT for finding in findings)
    if as_json:
        print_json({"ok": healthy, "checks": findings})
    else:
        for finding in findings:
            _show(finding)
    context.exit(ExitCode.DONE if healthy else ExitCode.REFUSED)


def _findings(config: Path | None, data_dir: str | None) -> list[Finding]:
    try:
        settings = read_settings(config, {"storage.data_dir": data_dir})
    except ConfigurationError as error:
        advice = "Mend it; what depends on it could not be checked."
        return [
            Finding("configuration", State.FAULT, problem, advice) for problem in error.problems
        ]
    sound = Finding("configuration", State.OK, "every setting is known and within its bounds")
    return [sound, *deferred.examine(settings, settings_file(config))]


def _show(finding: Finding) -> None:
    state = click.style(f"{finding.state:<8}", fg=_COLORS[finding.state])
    click.echo(f"{state} {finding.check:<17} {finding.detail}")
    if finding.advice:
        click.echo(f"{'':<26} {finding.advice}")
